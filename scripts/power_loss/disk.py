"""A file system that remembers which changes are durable.

Here: following recorded calls, and the state of a folder after a crash, given the choices that a file system has. Not here: the choices
(`crashes`).

The model. A file's data is durable once the file was synced (`fsync`, `fdatasync`). A name is durable once the folder that holds it was
synced, and not because the file was. Before that, the disk may have any of it or nothing, except that (1) changes of one name are made
in their order, so a change that is durable makes earlier changes of its names durable; (2) a rename is made as a whole, also between
two folders, and is durable once both were synced. Ordinary journalling file systems promise much more.
"""

import os
import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from calls import Call

Tree = dict[str, bytes | None]
"""The content of each file, and `None` for a folder, by path."""

FIRST = 0
"""The number of the folder that is observed."""


@dataclass
class NameChange:
    """Names that are removed and given, each as (folder, name, file)."""

    time: int
    removed: tuple[tuple[int, str, int], ...]
    given: tuple[tuple[int, str, int], ...]
    earlier: set[int] = field(default_factory=set)
    unsynced: set[int] = field(default_factory=set)
    durable: int | None = None


@dataclass(frozen=True)
class DataChange:
    """Bytes that are written at a place, or, without bytes, a new length."""

    time: int
    place: int
    data: bytes | None

    def apply(self, content: bytearray) -> None:
        if self.data is None:
            del content[self.place :]
            content.extend(bytes(self.place - len(content)))
        else:
            content.extend(bytes(max(0, self.place - len(content))))
            content[self.place : self.place + len(self.data)] = self.data


@dataclass
class Node:
    """A file or folder."""

    folder: bool
    start: bytes = b""
    changes: list[DataChange] = field(default_factory=list)
    syncs: list[int] = field(default_factory=list)
    now: bytearray = field(default_factory=bytearray)


@dataclass
class Opened:
    node: int | None
    path: str
    place: int = 0
    append: bool = False
    close_on_exec: bool = False


@dataclass
class Process:
    cwd: str
    files: dict[int, Opened]


class Disk:
    """The folder `root`, as calls change it. With `forget`, syncs of "files" or "folders" have no effect."""

    def __init__(self, root: Path, forget: str | None = None) -> None:
        self.forget = forget
        self.root = os.path.realpath(root)
        self.time = 0
        self.nodes: list[Node] = [Node(folder=True)]
        self.names: dict[tuple[int, str], int] = {}
        self.changes: list[NameChange] = []
        self.last: dict[tuple[int, str], int] = {}
        # Lines that programs printed, with the folder in which they ran, by the time at which they were printed.
        self.printed: list[tuple[int, str, str]] = []
        # The times right after something happened.
        self.moments: list[int] = []
        self.processes: dict[int, Process] = {}
        self.starting: list[int] = []
        self.whole: Tree | None = None
        self._load(FIRST, self.root)
        self.start = dict(self.names)

    def _load(self, parent: int, path: str) -> None:
        for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
            node = Node(folder=entry.is_dir(), start=b"" if entry.is_dir() else Path(entry.path).read_bytes())
            node.now = bytearray(node.start)
            self.nodes.append(node)
            number = len(self.nodes) - 1
            self.names[parent, entry.name] = number
            if entry.is_dir():
                self._load(number, entry.path)

    # Following calls.

    def follow(self, calls: Iterable[Call], cwd: str) -> None:
        """Makes the changes of the calls of a program that was started in `cwd`, and of its children."""
        self.processes, self.starting, self.whole = {}, [], None
        for call in calls:
            process = self.processes.get(call.thread)
            if process is None:
                parent = self.processes[self.starting[-1]] if self.starting else Process(os.path.realpath(cwd), {})
                process = self.processes[call.thread] = Process(parent.cwd, dict(parent.files))
            handler: Callable[[Process, Call], None] | None = getattr(self, f"_on_{call.name}", None)
            if handler is None:
                raise NotImplementedError(f"the call {call.name} is not modelled: {call.arguments[:200]}")
            before = self.time
            handler(process, call)
            if self.time > before:
                self.moments.append(self.time)

    def _tick(self) -> int:
        self.time += 1
        return self.time

    def _locate(self, process: Process, at: str | None, path: bytes) -> str:
        """The absolute path that a call names."""
        base = process.cwd
        if at is not None and at != "AT_FDCWD":
            base = process.files[int(at)].path if int(at) in process.files else "/outside"
        return posixpath.normpath(posixpath.join(base, os.fsdecode(path)))

    def _inside(self, path: str) -> tuple[int, str] | None:
        """The folder's number and the name; `None` for a path that is not observed."""
        if not path.startswith(self.root + "/"):
            return None
        *folders, name = path[len(self.root) + 1 :].split("/")
        parent = FIRST
        for folder in folders:
            parent = self.names[parent, folder]
        return parent, name

    def _change(self, removed: list[tuple[int, str, int]], given: list[tuple[int, str, int]]) -> None:
        change = NameChange(self._tick(), tuple(removed), tuple(given))
        for folder, name, node in (*removed, *given):
            change.unsynced.add(folder)
            if (folder, name) in self.last:
                change.earlier.add(self.last[folder, name])
            self.last[folder, name] = len(self.changes)
        for folder, name, _ in removed:
            del self.names[folder, name]
        for folder, name, node in given:
            self.names[folder, name] = node
        self.changes.append(change)

    def _create(self, place: tuple[int, str], folder: bool) -> int:
        self.nodes.append(Node(folder))
        number = len(self.nodes) - 1
        self._change([], [(*place, number)])
        return number

    def _store(self, number: int, place: int, data: bytes | None) -> None:
        change = DataChange(self._tick(), place, data)
        self.nodes[number].changes.append(change)
        change.apply(self.nodes[number].now)

    def _opened(self, process: Process, call: Call, at: str | None, flags: str) -> None:
        path = self._locate(process, at, call.strings()[0])
        opened = Opened(None, path, append="O_APPEND" in flags, close_on_exec="O_CLOEXEC" in flags)
        process.files[call.result] = opened
        if path == self.root:
            opened.node = FIRST
        elif place := self._inside(path):
            if place not in self.names:
                if "O_CREAT" not in flags:
                    raise ValueError(f"{path} was opened, but nothing created it")
                self._create(place, folder=False)
            opened.node = self.names[place]
            if "O_TRUNC" in flags and self.nodes[opened.node].now:
                self._store(opened.node, 0, None)

    def _on_openat(self, process: Process, call: Call) -> None:
        at, _, flags, *_ = call.numbers()
        self._opened(process, call, at, flags)

    def _on_open(self, process: Process, call: Call) -> None:
        self._opened(process, call, None, call.numbers()[1])

    def _on_close(self, process: Process, call: Call) -> None:
        process.files.pop(int(call.arguments), None)

    def _on_dup(self, process: Process, call: Call) -> None:
        number = int(call.numbers()[0])
        process.files.pop(call.result, None)
        if number in process.files:
            process.files[call.result] = process.files[number]

    def _on_dup2(self, process: Process, call: Call) -> None:
        number = int(call.numbers()[0])
        if number in process.files:
            # The new number stays open in the program that is started, independent of the old one.
            old = process.files[number]
            process.files[call.result] = Opened(old.node, old.path, old.place, old.append)

    _on_dup3 = _on_dup2

    def _on_fcntl(self, process: Process, call: Call) -> None:
        if "F_DUPFD" in call.arguments:
            self._on_dup(process, call)

    def _on_lseek(self, process: Process, call: Call) -> None:
        if opened := process.files.get(int(call.numbers()[0])):
            opened.place = call.result

    def _on_chdir(self, process: Process, call: Call) -> None:
        process.cwd = self._locate(process, None, call.strings()[0])

    def _on_fchdir(self, process: Process, call: Call) -> None:
        process.cwd = process.files[int(call.arguments)].path

    def _on_execve(self, process: Process, call: Call) -> None:
        process.files = {number: opened for number, opened in process.files.items() if not opened.close_on_exec}

    def _on_clone3(self, process: Process, call: Call) -> None:
        if call.begun:
            self.starting.append(call.thread)
            return
        if call.thread in self.starting:
            self.starting.remove(call.thread)
        if "CLONE_THREAD" in call.arguments:
            self.processes[call.result] = process
        elif call.result not in self.processes:
            self.processes[call.result] = Process(process.cwd, dict(process.files))

    _on_clone = _on_fork = _on_vfork = _on_clone3

    def _data(self, process: Process, number: int, data: bytes) -> None:
        opened = process.files.get(number)
        if opened is not None and opened.node is not None:
            place = len(self.nodes[opened.node].now) if opened.append else opened.place
            self._store(opened.node, place, data)
            opened.place = place + len(data)
        if number == 1:
            self.printed.append((self._tick(), process.cwd, data.decode(errors="replace")))

    def _on_write(self, process: Process, call: Call) -> None:
        self._data(process, int(call.numbers()[0]), b"".join(call.strings())[: call.result])

    def _on_pwrite64(self, process: Process, call: Call) -> None:
        number, _, _, place = call.numbers()
        opened = process.files.get(int(number))
        if opened is not None and opened.node is not None:
            self._store(opened.node, int(place), call.strings()[0][: call.result])

    def _on_copy_file_range(self, process: Process, call: Call) -> None:
        source, source_place, target, target_place, *_ = call.numbers()
        opened = process.files.get(int(target))
        if opened is None or opened.node is None or call.result == 0:
            return
        read = process.files[int(source)]
        if source_place != "NULL" or target_place != "NULL" or read.node is None:
            raise NotImplementedError(f"copy_file_range at places of its own: {call.arguments}")
        data = bytes(self.nodes[read.node].now[read.place : read.place + call.result])
        read.place += call.result
        self._data(process, int(target), data)

    def _on_ftruncate(self, process: Process, call: Call) -> None:
        number, length = call.numbers()
        opened = process.files.get(int(number))
        if opened is not None and opened.node is not None and len(self.nodes[opened.node].now) != int(length):
            self._store(opened.node, int(length), None)

    def _on_fsync(self, process: Process, call: Call) -> None:
        opened = process.files.get(int(call.numbers()[0]))
        if opened is None or opened.node is None:
            return
        if self.forget == ("folders" if self.nodes[opened.node].folder else "files"):
            return
        time = self._tick()
        if not self.nodes[opened.node].folder:
            self.nodes[opened.node].syncs.append(time)
            return
        for number, change in enumerate(self.changes):
            change.unsynced.discard(opened.node)
            if not change.unsynced:
                self._make_durable(number, time)

    _on_fdatasync = _on_fsync

    def _make_durable(self, number: int, time: int) -> None:
        change = self.changes[number]
        if change.durable is None:
            change.durable = time
            for earlier in change.earlier:
                self._make_durable(earlier, time)

    def _renamed(self, process: Process, call: Call, at: tuple[str | None, str | None]) -> None:
        one, other = (self._inside(self._locate(process, at, path)) for at, path in zip(at, call.strings(), strict=True))
        if one is None and other is None:
            return
        if one is None or other is None:
            raise NotImplementedError(f"a rename into or out of the observed folder: {call.strings()}")
        node = self.names[one]
        removed = [(*one, node)] + ([(*other, self.names[other])] if other in self.names else [])
        self._change(removed, [(*other, node)])

    def _on_rename(self, process: Process, call: Call) -> None:
        self._renamed(process, call, (None, None))

    def _on_renameat(self, process: Process, call: Call) -> None:
        one, _, other, *_ = call.numbers()
        self._renamed(process, call, (one, other))

    _on_renameat2 = _on_renameat

    def _removed(self, process: Process, call: Call, at: str | None) -> None:
        if place := self._inside(self._locate(process, at, call.strings()[0])):
            self._change([(*place, self.names[place])], [])

    def _on_unlink(self, process: Process, call: Call) -> None:
        self._removed(process, call, None)

    _on_rmdir = _on_unlink

    def _on_unlinkat(self, process: Process, call: Call) -> None:
        self._removed(process, call, call.numbers()[0])

    def _made(self, process: Process, call: Call, at: str | None) -> None:
        if place := self._inside(self._locate(process, at, call.strings()[0])):
            self._create(place, folder=True)

    def _on_mkdir(self, process: Process, call: Call) -> None:
        self._made(process, call, None)

    def _on_mkdirat(self, process: Process, call: Call) -> None:
        self._made(process, call, call.numbers()[0])

    # After a crash.

    def now(self) -> Tree:
        """The folder as it is without any crash."""
        if self.whole is None:
            self.whole = self.tree(self.time, set(range(len(self.changes))), lambda file: bytes(self.nodes[file].now))
        return self.whole

    def pending(self, time: int) -> list[int]:
        """The changes of names up to `time` that may be lost."""
        every = enumerate(self.changes)
        return [number for number, change in every if change.time <= time and (change.durable is None or change.durable > time)]

    def durable(self, time: int) -> int:
        """The last change of a name that is durable at `time`; -1 if none is."""
        every = enumerate(self.changes)
        return max((number for number, change in every if change.durable is not None and change.durable <= time), default=-1)

    def unsynced(self, number: int, time: int) -> tuple[bytearray, list[DataChange]]:
        """The data of a file that is durable at `time`, and the changes after it."""
        node = self.nodes[number]
        synced = max((sync for sync in node.syncs if sync <= time), default=0)
        content = bytearray(node.start)
        for change in node.changes:
            if change.time <= synced:
                change.apply(content)
        return content, [change for change in node.changes if synced < change.time <= time]

    def tree(self, time: int, kept: set[int], data: Callable[[int], bytes]) -> Tree:
        """The folder after a crash at `time`, if of the pending changes only those in `kept` were made."""
        names = dict(self.start)
        for number, change in enumerate(self.changes):
            if change.time > time:
                break
            if number not in kept and (change.durable is None or change.durable > time):
                continue
            for folder, name, _ in change.removed:
                names.pop((folder, name), None)
            for folder, name, node in change.given:
                names[folder, name] = node
        below: dict[int, list[tuple[str, int]]] = {}
        for (folder, name), node in names.items():
            below.setdefault(folder, []).append((name, node))
        tree: Tree = {}

        def walk(folder: int, prefix: str) -> None:
            for name, node in sorted(below.get(folder, [])):
                tree[prefix + name] = None if self.nodes[node].folder else data(node)
                if self.nodes[node].folder:
                    walk(node, f"{prefix}{name}/")

        walk(FIRST, "")
        return tree

