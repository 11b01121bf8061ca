"""The system calls of programs, recorded by strace.

Here: running a command under strace, and reading its output. Not here: what the calls do to a file system (`disk`).
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Every call that changes files or their names, opens or syncs them, or changes the name by which a process knows a file.
TRACED = (
    "openat,open,creat,close,dup,dup2,dup3,fcntl,lseek,chdir,fchdir,execve,clone,clone3,fork,vfork,"
    "write,pwrite64,writev,pwritev,pwritev2,copy_file_range,sendfile,splice,ftruncate,truncate,fallocate,"
    "fsync,fdatasync,sync,syncfs,sync_file_range,msync,"
    "rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat"
)

LINE = re.compile(r"^(\d+) +(.*)$", re.DOTALL)
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$", re.DOTALL)
COMPLETE = re.compile(r"^(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?)(.*)$", re.DOTALL)


@dataclass(frozen=True)
class Call:
    """A call that succeeded; `begun` means that it was only entered (the calls that start processes)."""

    thread: int
    name: str
    arguments: str
    result: int
    begun: bool = False

    def strings(self) -> list[bytes]:
        """The strings among the arguments, in order."""
        return [bytes.fromhex(text.replace("\\x", "")) for text in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', self.arguments)]

    def numbers(self) -> list[str]:
        """The arguments, with strings emptied."""
        return re.sub(r'"[^"]*"', '""', self.arguments).split(", ")


def record(command: Sequence[str | Path], folder: Path, trace: Path, inject: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `command` in `folder`, and writes its calls to `trace`. `inject` is an option of strace."""
    more = ["-e", f"inject={inject}"] if inject else []
    strace = ["strace", "-f", "-qq", "-xx", "-s", "1000000000", "-e", f"trace={TRACED}", "-e", "signal=none", *more, "-o", trace]
    return subprocess.run([*strace, *command], cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def read(trace: Path) -> Iterator[Call]:
    """The calls in the order in which they ended."""
    unfinished: dict[int, str] = {}
    for line in trace.read_text().splitlines():
        match = LINE.match(line)
        if match is None:
            raise ValueError(f"{trace}: not a line of strace: {line[:200]}")
        thread, text = int(match[1]), match[2]
        if text.endswith("<unfinished ...>"):
            unfinished[thread] = text.removesuffix("<unfinished ...>").rstrip()
            name = text.split("(")[0]
            if name in ("clone", "clone3", "fork", "vfork"):
                yield Call(thread, name, text, 0, begun=True)
            continue
        resumed = RESUMED.match(text)
        if resumed:
            text = unfinished.pop(thread) + resumed[2]
        complete = COMPLETE.match(text)
        if complete is None:
            if text.startswith(("+++", "---")) or text.endswith("= ?") or "(" in text and " = " not in text:
                continue
            raise ValueError(f"{trace}: not a call: {text[:200]}")
        # A call that a signal has ended, or that failed, changed nothing.
        if complete[3] == "?" or complete[3].startswith("-"):
            continue
        yield Call(thread, complete[1], complete[2], int(complete[3], 0))
