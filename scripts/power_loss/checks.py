"""The conditions that must hold after a loss of power.

Here: reading what a run left, what programs had reported, and the checks of one state. Not here: the states (`crashes`).
"""

import hashlib
import json
import posixpath
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crashes import Crash
from disk import Disk, Tree
from scenarios import Scenario

SAVED = re.compile(r"^checkpoint (.+)/checkpoints/0*(\d+)$", re.MULTILINE)
INSPECTED = re.compile(r"^agent .*/0*(\d+)(?:\.replaced)?$", re.MULTILINE)
RESUMED = re.compile(r"^(?:resuming at frame|this run is already finished: \S+ has) ([\d ]+)", re.MULTILINE)
# Files newer than the last checkpoint are moved, and reported. Every other note would be about lost or damaged files.
EXPECTED_NOTE = re.compile(r"note: moved \d+ (line|episode)")
PLACE = re.compile(r"/[^\s\"]*/power-loss-\w+/(whole|recorded|states/\d+)(?=/)")
TIMES = re.compile(r"updates_per_second|frames_per_second|seconds|cpu_seconds|resident_bytes|replay_embedding_bytes|share_.*")


@dataclass(frozen=True)
class Reported:
    """The reports of programs up to some moment."""

    # The frames of the last checkpoint, by the folder of its run.
    checkpoints: dict[str, int]
    # Files that must be there as they are.
    files: dict[str, bytes]

    def names(self) -> tuple[dict[str, int], list[str]]:
        """The checkpoints, and the names of the files."""
        return self.checkpoints, sorted(self.files)


def reported(disk: Disk, scenario: Scenario, time: int) -> Reported:
    """The output up to `time`."""
    checkpoints: dict[str, int] = {}
    files: dict[str, bytes] = {}
    last = disk.now()
    for printed, cwd, text in disk.printed:
        if printed > time:
            break
        for match in SAVED.finditer(text):
            folder = posixpath.relpath(posixpath.join(cwd, match[1]), disk.root)
            checkpoints[folder] = int(match[2])
        if scenario.study and f" runs in {scenario.study}" in text:
            manifest = f"{scenario.study}/manifest.jsonl"
            files[manifest] = last[manifest] or b""
        for kept in scenario.kept:
            if " added in " in text:
                files |= {path: content for path, content in last.items() if path.startswith(f"{kept}/") and content is not None}
    return Reported(checkpoints, files)


def outcome(root: Path) -> dict[str, Any]:
    """Everything that two equal runs have in common: metrics without times, episodes, the agent, the state, videos."""
    def text(path: Path) -> str:
        # The same files stand elsewhere in each state.
        return PLACE.sub("PLACE", path.read_text())

    newest = max(path for path in (root / "checkpoints").iterdir() if path.name.isdigit())
    state = json.loads((newest / "run.json").read_text())["run"]
    del state["seconds"], state["cpu_seconds"]
    lines = [json.loads(line) for line in (root / "metrics.jsonl").read_text().splitlines()]
    return {
        "metrics": [{name: value for name, value in line.items() if not TIMES.fullmatch(name)} for line in lines],
        "episodes": {path.name.split("-")[1]: sha(path) for path in sorted((root / "episodes").glob("*.npz"))},
        "added": {path.name.split("-")[1]: sha(path) for path in sorted((root / "episodes" / "added").glob("*.npz"))},
        "videos": {path.name: sha(path) for path in sorted((root / "videos").iterdir())},
        "transfer": {path.name: text(path) for path in sorted(root.glob("transfer.*"))},
        "agent": sha(newest / "agent.safetensors"),
        "state": state,
    }


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def write(tree: Tree, folder: Path) -> None:
    """Makes the files of a state."""
    folder.mkdir(parents=True)
    for path, content in tree.items():
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)


class Check:
    """The checks of a scenario's states with one program."""

    def __init__(self, program: Path, scenario: Scenario, disk: Disk, whole: Path) -> None:
        self.program, self.scenario, self.disk = program, scenario, disk
        self.whole = {run: outcome(whole / run) for run in scenario.runs}

    def state(self, crash: Crash, folder: Path) -> list[str]:
        """The faults after a loss of power, in a new folder that is removed again if there are none."""
        known = reported(self.disk, self.scenario, crash.time)
        write(crash.tree, folder)
        wrong = [f"{path} is lost" for path, content in known.files.items() if crash.tree.get(path) != content]
        for run, frames in known.checkpoints.items():
            wrong += self._inspect(folder, run, frames)
        for command in self.scenario.recover:
            wrong += self._recover(folder, command, known)
        if not wrong:
            wrong += self._compare(folder, crash.time)
        if not wrong:
            shutil.rmtree(folder)
        return wrong

    def _run(self, folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        command = [self.program, *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, errors="replace")

    def _inspect(self, folder: Path, run: str, frames: int) -> list[str]:
        """Everything about an agent can be read, and it is not older than the last one whose saving was reported."""
        ended = self._run(folder, ["inspect", run])
        match = INSPECTED.search(ended.stdout)
        if ended.returncode != 0 or match is None:
            return [f"inspect {run}: {ended.stderr.strip()}"]
        return [f"{run}: the checkpoint at {match[1]} frames, but one at {frames} was reported"] if int(match[1]) < frames else []

    def _recover(self, folder: Path, arguments: list[str], known: Reported) -> list[str]:
        ended = self._run(folder, arguments)
        output = [ended.stdout]
        if self.scenario.study:
            output += [log.read_text(errors="replace") for log in sorted((folder / self.scenario.study / "logs").glob("*.log"))]
        elif match := RESUMED.search(ended.stdout):
            frames = int(match[1].replace(" ", ""))
            if frames < known.checkpoints.get(self.scenario.runs[0], 0):
                return [f"it resumed at {frames} frames, but a checkpoint at {known.checkpoints} was reported"]
        if ended.returncode != 0 or ended.stderr:
            return [f"exit code {ended.returncode}: {ended.stderr.strip()} {ended.stdout[-500:]}"]
        notes = [line for text in output for line in text.splitlines() if line.startswith("note: ")]
        return [f"it reported: {line}" for line in notes if not EXPECTED_NOTE.match(line) and not self._usual(line)]

    def _usual(self, note: str) -> bool:
        """Whether the run without disturbance reports it, too."""
        return "of other programs, in" in note and bool(self.scenario.kept)

    def _compare(self, folder: Path, time: int) -> list[str]:
        wrong = []
        for run, whole in self.whole.items():
            found = outcome(folder / run)
            if self.scenario.kept and not reported(self.disk, self.scenario, time).files:
                # Adding was not reported yet: some, all or none may be there, and the run learns from those.
                continue
            wrong += [f"{run}: other {what} than without a loss of power" for what in whole if found[what] != whole[what]]
        # In the folder of reports, which several programs may write at the same time, nothing is removed.
        partial = [path for path in folder.rglob(".*") if path.name.endswith(".partial") and path.parent.name != "report"]
        return wrong + [f"{path.relative_to(folder)} is left" for path in partial]
