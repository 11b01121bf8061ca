"""Tries a loss of power at moments that are drawn from whole runs, studies and more:

    python3 scripts/power_loss [--states N] [--jobs N] [--seed N] [--keep DIR] [--forget KIND] [--program FILE]
        [SCENARIO...]

Tiny runs are recorded with strace. From the recorded system calls, it makes the states in which a loss of power at any moment may leave
the folder, repeats the command in each of them, and compares the end with that of an undisturbed run, bit by bit. `docs/reliability.md`
describes the model. Needs Linux, strace, and Python 3.10 or later with nothing else. Exit code 1 if any state fails; with --keep, these
states are kept in DIR.
"""

import argparse
import itertools
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import calls
from checks import Check, reported
from crashes import crashes
from disk import Disk
from scenarios import Scenario, Step, scenarios

ROUNDS = 8
"""Random states at each moment, under each of the two orders."""


def expanded(arguments: list[str], folder: Path) -> list[str]:
    """Arguments in which patterns are replaced by the files that they match, as a shell does."""
    every = []
    for argument in arguments:
        found = sorted(str(path.relative_to(folder)) for path in folder.glob(argument)) if "*" in argument else [argument]
        every += found
    return every


def prepared(program: Path, scenario: Scenario, folder: Path) -> None:
    """Makes `folder`, with the files that are there before everything else."""
    folder.mkdir()
    for name, text in (scenario.files or {}).items():
        (folder / name).write_text(text)
    for arguments in scenario.prepare or []:
        run(program, arguments, folder)


def run(program: Path, arguments: list[str], folder: Path) -> None:
    """Runs a command that must succeed."""
    command = [str(program), *expanded(arguments, folder)]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"power_loss: {shlex.join(command)}: {ended.stderr}")


def injected(program: Path, step: Step, folder: Path, work: Path) -> str | None:
    """The option of strace that sends the step's signal."""
    if step.call:
        name, count = step.call
        return f"{name}:signal={step.signal}:when={count}"
    if step.line is None:
        return None
    # The calls are the same each time. A first recording counts those before the line.
    trial, trace = work / "trial", work / "trial.strace"
    shutil.copytree(folder, trial)
    calls.record([program, *expanded(step.arguments, trial)], trial, trace)
    shutil.rmtree(trial)
    writes: dict[int, int] = {}
    for call in calls.read(trace):
        if call.name == "write":
            writes[call.thread] = writes.get(call.thread, 0) + 1
            if call.numbers()[0] == "1" and call.strings()[0].startswith(step.line.encode()):
                return f"write:signal={step.signal}:when={writes[call.thread]}"
    sys.exit(f"power_loss: no line of output begins with {step.line!r}")


def recorded(program: Path, scenario: Scenario, work: Path, forget: str | None) -> tuple[Disk, int]:
    """The disk during the scenario's steps, and the number of calls."""
    folder = work / "recorded"
    prepared(program, scenario, folder)
    disk, count = Disk(folder, forget), 0
    for number, step in enumerate(scenario.steps):
        trace = work / f"{number}.strace"
        inject = injected(program, step, folder, work)
        ended = calls.record([program, *expanded(step.arguments, folder)], folder, trace, inject)
        expected = {"KILL": (-9, 137), "TERM": (75,), None: (0,)}[step.signal]
        if ended.returncode not in expected:
            sys.exit(f"power_loss: {scenario.name}: exit code {ended.returncode} under strace: {ended.stderr}{ended.stdout}")
        every = list(calls.read(trace))
        count += len(every)
        disk.follow(every, str(folder))
    same(disk, folder)
    return disk, count


def same(disk: Disk, folder: Path) -> None:
    """Checks that the recorded calls give the folder as it is."""
    tree = disk.now()
    real = {str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}
    if tree != real:
        differ = sorted(path for path in tree.keys() | real.keys() if tree.get(path, 0) != real.get(path, 0))
        sys.exit(f"power_loss: the calls were not followed correctly; these differ: {differ}")


def main() -> int:
    """Runs the scenarios that are named, or all."""
    parser = argparse.ArgumentParser(prog="power_loss", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=Path("target/release/dreamgraft"), help="default: %(default)s")
    parser.add_argument("--states", type=int, default=200, help="the most states of each scenario (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="states that are tried at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which states are drawn (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="where states that fail are kept")
    parser.add_argument("--forget", choices=["files", "folders"], help="treat these as never synced, to see that states then fail")
    parser.add_argument("scenario", nargs="*", help="default: all")
    typed = parser.parse_args()
    program = typed.program.resolve()
    if not program.is_file() or shutil.which("strace") is None:
        parser.error(f"needs strace, and the program {program}: cargo build --release")
    every = {scenario.name: scenario for scenario in scenarios()}
    if unknown := [name for name in typed.scenario if name not in every]:
        parser.error(f"no scenario {unknown[0]!r}; there are: {', '.join(every)}")
    total = failed = 0
    for name in typed.scenario or every:
        tried, bad = scenario_tried(program, every[name], typed)
        total, failed = total + tried, failed + bad
    print(f"{total} states, {failed} failed")
    return 1 if failed else 0


def scenario_tried(program: Path, scenario: Scenario, typed: argparse.Namespace) -> tuple[int, int]:
    """How many states of a scenario were tried, and how many failed."""
    with tempfile.TemporaryDirectory(prefix="power-loss-") as temporary:
        work = Path(temporary)
        whole = work / "whole"
        prepared(program, scenario, whole)
        for arguments in scenario.whole:
            run(program, arguments, whole)
        disk, count = recorded(program, scenario, work, typed.forget)
        every = crashes(disk, scenario.name, typed.seed, ROUNDS, lambda time: reported(disk, scenario, time).names())
        check = Check(program, scenario, disk, whole)
        print(f"{scenario.name}: {scenario.about}; {count} calls, {len(disk.moments)} moments", flush=True)
        tried = failed = 0
        with ThreadPoolExecutor(typed.jobs) as pool:
            # A few at a time: a state takes a megabyte.
            while group := list(itertools.islice(every, min(4 * typed.jobs, typed.states - tried))):
                folders = [work / "states" / str(tried + number) for number in range(len(group))]
                tried += len(group)
                for crash, folder, wrong in zip(group, folders, pool.map(check.state, group, folders), strict=True):
                    if wrong:
                        failed += 1
                        print(f"  FAILED at moment {crash.time} of {disk.time} ({crash.kind}): {'; '.join(wrong)}", flush=True)
                        if typed.keep:
                            shutil.copytree(folder, typed.keep / f"{scenario.name}-{crash.time}-{folder.name}")
                        shutil.rmtree(folder)
        print(f"  {tried} distinct states tried, {failed} failed", flush=True)
        return tried, failed


if __name__ == "__main__":
    sys.exit(main())
