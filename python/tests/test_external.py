"""Environments of Gymnasium in the real program."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dreamgraft
from conftest import Program

TRAIN = ["train", "gymnasium:environments:tests/Dot-v0", "--preset", "smoke", "--steps", "1500", "--logdir", "run"]


def content(run: Path) -> Any:
    """All that two equal runs have in common: episodes and the newest agent."""
    episodes = [path.read_bytes() for path in sorted((run / "episodes").glob("*.npz"), key=lambda path: path.name.split("-")[1])]
    newest = max(path for path in (run / "checkpoints").iterdir() if path.name.isdigit())
    return episodes, (newest / "agent.safetensors").read_bytes()


def test_pendulum_is_trained_in_resumed_and_played(program: Program) -> None:
    train = ["train", "gymnasium:Pendulum-v1", "--preset", "smoke"]
    out = program.succeed(*train, "--steps", 1200)
    assert "new run in runs/gymnasium-Pendulum-v1/smoke/0" in out
    out = program.succeed(*train, "--steps", 1600)
    assert "resuming at frame 1 200" in out and "finished at frame 1 600" in out
    run = program.folder / "runs/gymnasium-Pendulum-v1/smoke/0"
    config = (run / "config.toml").read_text()
    assert "repeatable = true" in config and "gymnasium " in config
    program.succeed("play", "gymnasium:Pendulum-v1", "--policy", run, "--video", "p.gif")
    assert (program.folder / "p.gif").stat().st_size > 10_000
    assert "200 frames" in program.succeed("eval", run, "--episodes", 1)
    assert "gymnasium-Pendulum-v1/smoke/0  1 600 of 1 600 frames" in program.succeed("inspect", "runs")
    plan = program.succeed("transfer", "plan", "gymnasium:Pendulum-v1", "--preset", "smoke", "--from", run)
    assert "world_model.encoder" in plan


def test_the_example_is_that_of_the_page_and_is_trained(program: Program) -> None:
    root = Path(__file__).parents[2]
    code = (root / "examples/reach.py").read_text().split('"""\n\n', 1)[1]
    assert f"```python\n{code}```" in (root / "docs/gymnasium.md").read_text()
    program.environment["PYTHONPATH"] += os.pathsep + str(root)
    settings = ["--set", "task.observe=vector", "--set", "task.frame_limit=100"]
    out = program.succeed("train", "python:examples.reach:Reach", "--preset", "smoke", *settings)
    assert "finished at frame 3 000" in out


def test_a_stopped_run_resumes_bit_for_bit(program: Program) -> None:
    program.succeed(*TRAIN)
    whole = content(program.folder / "run")
    (program.folder / "run").rename(program.folder / "whole")
    process = program.start(*TRAIN)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("checkpoint"):
            process.send_signal(signal.SIGTERM)
            break
    process.communicate()
    assert process.returncode == 75
    assert "resuming at frame" in program.succeed(*TRAIN)
    assert content(program.folder / "run") == whole


@pytest.mark.parametrize(
    ("fault", "parts"),
    [
        ("raise in step", ["failed in step", "ValueError: boom in step"]),
        ("raise in reset", ["failed in reset", "ValueError: boom in reset"]),
        ("raise in render", ["failed in", "ValueError: boom in render"]),
        ("kill", ["ended unexpectedly: it was ended by signal 9 in step"]),
        ("exit", ["ended unexpectedly: it ended with exit code 7 in step"]),
        ("raise SystemExit", ["failed in step", "SystemExit: the licence has expired"]),
        ("hang", ["did not answer in step", "within 10 seconds"]),
        ("nan reward", ["the reward is NaN"]),
        ("image", ["an image has the shape [97, 97, 3], but the first one had [96, 96, 3]"]),
        ("space", ["the action space was Box"]),
    ],
)
def test_faults_stop_the_run_and_spare_its_checkpoint(program: Program, fault: str, parts: list[str]) -> None:
    # Each process counts its own steps: the one that trains has taken 40 to see whether it is repeatable.
    words = [*TRAIN, "--set", f"task.arguments.fault={fault}", "--set", "task.arguments.at=1240"]
    words += ["--set", "task.timeout=10"] if fault == "hang" else []
    code, out, error = program.run(*words)
    assert code == 1, (out, error)
    line = next(line for line in error.splitlines() if line.startswith("error: "))
    for part in [*parts, "the external environment gymnasium:environments:tests/Dot-v0", "The run stopped at frame", "is not affected"]:
        assert part in line, (part, line)
    assert ("Traceback (most recent call last)" in error) == ("raise" in fault or fault in ("image", "space")), error
    checkpoints = [path.name for path in (program.folder / "run/checkpoints").iterdir()]
    assert checkpoints == ["0000001000"]
    assert "after 1 000 frames" in program.succeed("eval", "run", "--episodes", 1)


def test_an_observation_of_another_shape_is_told(program: Program) -> None:
    play = ["play", "python:environments:Dot", "--set", "task.observe=both", "--set", "task.frame_limit=50"]
    code, _, _ = program.run(*play)
    assert code == 0
    line = program.fail(1, *play, "--set", "task.arguments.fault=shape", "--set", "task.arguments.at=5")
    assert "the observation has the shape [3], but its space" in line and "while" not in line


def test_an_environment_without_images_or_of_another_interface_is_told_in_one_line(program: Program) -> None:
    limit = ["--set", "task.frame_limit=50"]
    line = program.fail(1, "play", "python:environments:Blind", *limit)
    assert "render() returned None. Set task.observe=vector" in line and "Traceback" not in line
    code, _, _ = program.run("play", "python:environments:Blind", *limit, "--set", "task.observe=vector")
    assert code == 0
    line = program.fail(1, "play", "python:environments:Old", *limit)
    assert "step() returned 4 values, but Gymnasium requires 5" in line and "Traceback" not in line


def test_prints_go_to_standard_error(program: Program) -> None:
    code, out, error = program.run("play", "python:environments:Dot", "--set", "task.frame_limit=50", "--json")
    assert code == 0 and out.count("\n") == 1 and out.startswith("{"), out
    assert "a print that is no message" in error and "nor is this" in error


def test_notes_are_told_once(program: Program) -> None:
    words = ["train", "python:environments:Pixels", "--preset", "smoke", "--steps", "1000", "--set", "task.frame_limit=100"]
    out = program.succeed(*words)
    assert out.count("elements of its actions have no bounds") == 1, out


def test_an_environment_that_is_not_repeatable_is_reported_and_recorded(program: Program) -> None:
    words = ["train", "python:environments:Chance", "--preset", "smoke", "--steps", "1000", "--set", "task.frame_limit=100"]
    out = program.succeed(*words, "--logdir", "run")
    assert out.count("is not repeatable") == 1, out
    assert "repeatable = false" in (program.folder / "run/config.toml").read_text()


def test_discrete_actions_are_learned_with_a_one_hot_actor(program: Program) -> None:
    train = ["train", "python:environments:Corridor", "--preset", "smoke", "--steps", 1000, "--set", "task.frame_limit=100"]
    program.succeed("play", "python:environments:Corridor", "--set", "task.frame_limit=50")
    program.succeed(*train, "--logdir", "run")
    with dreamgraft.load(program.folder / "run") as agent:
        assert agent.choices == 3 and agent.start == 1
        assert agent.act(np.zeros((64, 64, 3), np.uint8)) in (1, 2, 3)


def test_a_space_that_nobody_can_act_in_is_named(program: Program) -> None:
    line = program.fail(1, "train", "python:environments:Many", "--preset", "smoke")
    assert "the action space MultiDiscrete([2 3]) is neither a Box nor Discrete" in line


def test_a_built_in_task_and_an_environment_are_learned_together(program: Program) -> None:
    program.succeed("train", "hopper", TRAIN[1], "--preset", "smoke", "--steps", "3500", "--logdir", "both")
    out = program.succeed("eval", "both", "--episodes", 1)
    assert "hopper  1 episode" in out and f"{TRAIN[1]}  1 episode" in out
    again = program.succeed("train", TRAIN[1], "--preset", "smoke", "--steps", "1000", "--from", "both")
    assert "hopper+gymnasium:environments:tests/Dot-v0" in again


def test_a_study_finds_environments_where_it_was_started(program: Program) -> None:
    # Without images, in a module of the current folder, which is not the one in which the runs start.
    (program.folder / "mine.py").write_text("from environments import Plain\n\n\nclass Own(Plain):\n    pass\n")
    text = """
    name = "own"
    preset = "smoke"
    steps = 1000
    seeds = [0]
    tasks = ["python:mine:Own"]
    set = { task.observe = "vector", task.frame_limit = 100, agent.length = 5 }
    method = [{ kind = "baseline" }]
    """
    (program.folder / "own.toml").write_text(text)
    assert "runs/python-mine-Own/baseline/0" in program.succeed("study", "plan", "own.toml")
    assert "all finished" in program.succeed("study", "run", "own.toml")


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs /proc, to see processes")
def test_nothing_is_left_of_a_run_that_is_killed_in_a_busy_environment(program: Program) -> None:
    words = [*TRAIN, "--set", "task.arguments.fault=hang", "--set", "task.arguments.at=1240"]
    process = program.start(*words)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("checkpoint"):
            break
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 300
    while left := processes(program.folder):
        assert time.monotonic() < deadline, left


def processes(folder: Path) -> list[str]:
    """Numbers of the processes that were started in a folder, without those that have ended and are only not waited for."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == str(folder.resolve()):
                found.append(entry.name)
        except OSError:
            pass
    return found
