"""Finding the program, and talking to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import protocol


class DreamgraftError(RuntimeError):
    """The program refused a request or ended; the message is that of the program."""


def binary() -> str:
    """The program: the one that ``$DREAMGRAFT_BINARY`` names, else that of this environment, else the one on the path."""
    named = os.environ.get("DREAMGRAFT_BINARY")
    if named:
        return named
    scripts = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    for folder in scripts:
        if (folder / "dreamgraft").is_file():
            return str(folder / "dreamgraft")
    found = shutil.which("dreamgraft")
    if found is None:
        raise FileNotFoundError(
            "the program dreamgraft is not installed: run `pip install .` in a clone of its repository, or set DREAMGRAFT_BINARY to its path"
        )
    return found


class Served:
    """A command of the program that answers messages over its standard input and output."""

    def __init__(self, arguments: Sequence[str], hello: dict[str, Any]) -> None:
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
            [binary(), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        payload = self.ask(protocol.HELLO, protocol.handshake(hello), protocol.INFO)
        self.info: dict[str, Any] = protocol.read_handshake(payload)

    def ask(self, kind: int, payload: bytes, expected: int) -> bytes:
        """Sends a request and returns the payload of the answer."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise DreamgraftError("it was closed, so it does not answer any more")
        try:
            protocol.write(process.stdin, kind, payload)
        except BrokenPipeError:
            pass  # it has ended: reading shows that, and its standard error has the reason
        answer = protocol.read(process.stdout)
        if answer is None:
            _, error = process.communicate()
            self._process = None
            reason = error.decode(errors="replace").strip().removeprefix("error: ")
            raise DreamgraftError(reason or f"the program ended with exit code {process.returncode}")
        kind, payload = answer
        if kind == protocol.ERROR:
            raise DreamgraftError(payload.decode(errors="replace"))
        if kind != expected:
            raise protocol.ProtocolError(f"the program answered with a message of kind {kind} instead of {expected}")
        return payload

    def close(self) -> None:
        """Ends the program."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if process.stdin is not None:
                protocol.write(process.stdin, protocol.CLOSE)
                process.stdin.close()
        except (BrokenPipeError, ValueError):
            pass
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None:
            self.close()
