"""Agents, tasks and records from Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import dreamgraft
from conftest import Program


def play(env: Any, agent: Any, seed: int) -> float:
    observation, _ = env.reset(seed=seed)
    agent.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
        total += reward
        over = terminated or truncated
    return total


def test_an_agent_earns_what_the_program_says(hopper: Path, program: Program) -> None:
    env = gymnasium.make("dreamgraft/hopper-v0")
    with dreamgraft.load(hopper) as agent:
        assert agent.task == "hopper" and agent.low.tolist() == [-1] * 3 and agent.choices is None
        for seed in (0, 3):
            printed = json.loads(program.succeed("eval", hopper, "--seed", seed, "--episodes", 1, "--json"))
            assert play(env, agent, seed) == pytest.approx(printed["returns"][0], rel=1e-12)
    env.close()


def test_an_export_acts_as_its_run_and_can_be_a_source(hopper: Path, program: Program) -> None:
    program.succeed("export", hopper, "--out", "export", "--episodes", 2)
    folder = program.folder / "export"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["README.md", "config.json", "model.safetensors", "replay.gif", "results.json"]
    whole = max((hopper / "checkpoints").iterdir()) / "agent.safetensors"
    assert (folder / "model.safetensors").stat().st_size < 0.6 * whole.stat().st_size
    results = json.loads((folder / "results.json").read_text())
    assert results[0]["task"] == "hopper" and len(results[0]["returns"]) == 2
    env = gymnasium.make("dreamgraft/hopper-v0")
    with dreamgraft.load(folder) as agent:
        assert play(env, agent, 0) == pytest.approx(results[0]["returns"][0], rel=1e-12)
    env.close()
    front_matter = (folder / "README.md").read_text().split("---\n")[1]
    for line in ["library_name: dreamgraft", "pipeline_tag: reinforcement-learning", "model-index:", '  - "hopper"']:
        assert line in front_matter.splitlines()
    program.succeed("train", "hopper", "--preset", "smoke", "--steps", "1000", "--from", "export")
    line = program.fail(2, "export", hopper, "--out", "export")
    assert "it is not empty" in line
    assert "3 000 frames, 25 gradient steps" in program.succeed("inspect", "export")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-1] + b"x")
    assert "it was changed" in program.fail(5, "eval", "export")


def test_an_agent_of_an_environment_acts_in_its_units(program: Program) -> None:
    program.succeed("train", "gymnasium:Pendulum-v1", "--preset", "smoke", "--steps", 1000, "--logdir", "run")
    env = gymnasium.make("Pendulum-v1", render_mode="rgb_array")
    observation, _ = env.reset(seed=0)
    with dreamgraft.load(program.folder / "run") as agent:
        assert (agent.low, agent.high) == ([-2.0], [2.0])
        agent.reset(seed=0)
        action = agent.act(env.render())
        assert action.dtype == np.float32 and env.action_space.contains(action)
        first = action.copy()
        agent.reset(seed=0)
        assert (agent.act(env.render()) == first).all()
        with pytest.raises(ValueError, match=r"float32 \[3\]; if the environment's observations are not images, pass env.render"):
            agent.act(observation)
    env.close()


def test_errors_of_loading_are_reported(hopper: Path, tmp_path: Path) -> None:
    with pytest.raises(dreamgraft.DreamgraftError, match="nowhere does not exist"):
        dreamgraft.load("nowhere")
    with pytest.raises(dreamgraft.DreamgraftError, match="trained for hopper; choose one of these"):
        dreamgraft.load(hopper, task="ant")
    agent = dreamgraft.load(hopper)
    agent.close()
    with pytest.raises(dreamgraft.DreamgraftError, match="closed"):
        agent.act(np.zeros((64, 64, 3), np.uint8))


@pytest.mark.filterwarnings("ignore")
def test_gymnasium_finds_nothing_wrong_with_a_task() -> None:
    env = gymnasium.make("dreamgraft/hopper-v0", render_mode="rgb_array")
    check_env(env.unwrapped, skip_render_check=False)
    env.close()


def test_every_task_is_registered() -> None:
    out = subprocess.run([dreamgraft.binary.binary(), "tasks"], capture_output=True, text=True, check=True).stdout
    names = [line.split()[0] for line in out.split("\n\n")[0].splitlines()]
    assert names == list(dreamgraft.envs.TASKS)
    for name in names:
        env = gymnasium.make(f"dreamgraft/{name}-v0", termination="stock", frame_limit=40, action_repeat=4)
        first, _ = env.reset(seed=1)
        rewards = [env.step(env.action_space.sample())[1] for _ in range(2)]
        assert first.shape == (64, 64, 3) and np.isfinite(rewards).all()
        again, _ = env.reset(seed=1)
        assert (again == first).all()
        env.close()


def test_metrics_are_arrays(hopper: Path) -> None:
    metrics = dreamgraft.metrics(hopper)
    steps, returns = metrics.curve("eval_return")
    assert len(metrics["step"]) == len(metrics["train_return"]) and len(steps) == len(returns) > 0
    assert np.isnan(metrics["eval_return"]).any()
    frame = metrics.to_pandas()
    assert frame.index.name == "step" and frame["eval_return"].dropna().tolist() == returns.tolist()
    with open(hopper / "metrics.jsonl", "a") as file:
        file.write('{"step": 9')
    try:
        assert len(dreamgraft.metrics(hopper)["step"]) == len(metrics["step"])
    finally:
        text = (hopper / "metrics.jsonl").read_text()
        (hopper / "metrics.jsonl").write_text(text.removesuffix('{"step": 9'))


def test_episodes_are_in_the_order_of_collection(hopper: Path) -> None:
    with pytest.raises(FileNotFoundError, match="run that has kept its episodes"):
        dreamgraft.episodes(hopper / "nothing")
    episodes = list(dreamgraft.episodes(hopper))
    assert [int(one.path.name.split("-")[1]) for one in episodes] == list(range(len(episodes)))
    for one in episodes:
        assert one.task == "hopper" and len(one) == 501 and one.action.shape == (501, 3)
        assert one.image is not None and one.image.shape == (501, 64, 64, 3) and one.vector is None
    scores = [one.score for one in episodes]
    _, returns = dreamgraft.metrics(hopper).curve("train_return")
    assert returns[0] == pytest.approx(scores[0])


@pytest.mark.parametrize("observe", ["vector", "both"])
def test_episodes_have_what_the_agent_observes(program: Program, observe: str) -> None:
    words = ["--preset", "smoke", "--steps", 1000, "--logdir", "run", "--set", f"task.observe={observe}"]
    program.succeed("train", "hopper", *words)
    episodes = list(dreamgraft.episodes(program.folder / "run"))
    assert len(episodes) > 0
    for one in episodes:
        assert one.vector is not None and one.vector.shape == (501, 15) and one.vector.dtype == np.float32
        assert (one.image is not None) == (observe == "both")


def test_without_gymnasium_everything_else_works(hopper: Path) -> None:
    code = (
        "import sys; sys.modules['gymnasium'] = None; import dreamgraft; "
        f"print(len(dreamgraft.metrics({str(hopper)!r})), dreamgraft.load({str(hopper)!r}).task)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split()[1] == "hopper"
