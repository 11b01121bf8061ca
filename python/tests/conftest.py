from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


class Program:
    """The real program, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        from dreamgraft.binary import binary

        self.folder, self.binary = folder, binary()
        # The environments of the tests are modules of this folder.
        path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.environment = {**os.environ, "DREAMGRAFT_PYTHON": sys.executable, "PYTHONPATH": path}

    def start(self, *words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.binary, *map(str, words)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: object) -> tuple[int, str, str]:
        process = self.start(*words)
        out, error = process.communicate(timeout=300)
        assert "panicked" not in error, error
        return process.returncode, out, error

    def succeed(self, *words: object) -> str:
        code, out, error = self.run(*words)
        assert code == 0, (out, error)
        return out

    def fail(self, code: int, *words: object) -> str:
        """The error's line."""
        found, out, error = self.run(*words)
        assert found == code, (found, out, error)
        lines = [line for line in error.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, error
        return lines[0]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture(scope="session")
def hopper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a built-in task."""
    folder = tmp_path_factory.mktemp("hopper")
    Program(folder).succeed("train", "hopper", "--preset", "smoke", "--logdir", "run")
    return folder / "run"
