"""Environments for the tests: small, and each with one fault."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class Dot(gymnasium.Env):
    """A dot on a line: observations are its place, images are drawn by ``render``."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}

    def __init__(self, render_mode: str | None = None, speed: float = 0.1, fault: str = "", at: int = 900) -> None:
        self.render_mode, self.speed, self.fault, self.at = render_mode, speed, fault, at
        self.observation_space = spaces.Dict({"place": spaces.Box(-1, 1, (2,)), "still": spaces.Box(0, 1, (1,))})
        self.action_space = spaces.Box(np.float32([-2, 0]), np.float32([2, 5]))
        self.place = np.zeros(2, np.float32)
        self.steps = 0

    def observe(self) -> dict[str, Any]:
        return {"place": self.place.copy(), "still": np.zeros(1, np.float32)}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        print("a print that is no message")
        os.write(1, b"nor is this\n")
        self.fail("reset")
        self.place = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self.observe(), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        self.steps += 1
        self.fail("step")
        self.place = np.clip(self.place + self.speed * action * [1, 0], -1, 1).astype(np.float32)
        reward = float(-np.square(self.place).sum())
        observation = self.observe()
        if self.due("nan reward"):
            reward = float("nan")
        if self.due("shape"):
            observation["place"] = np.zeros(3, np.float32)
        return observation, reward, False, False, {}

    def render(self) -> Any:
        self.fail("render")
        side = 96 if not self.due("image") else 97
        image = np.zeros((side, side, 3), np.uint8)
        row, column = (44 + 40 * self.place).astype(int)
        image[row : row + 8, column : column + 8] = 255
        return image

    def due(self, fault: str) -> bool:
        return self.fault == fault and self.steps >= self.at

    def fail(self, where: str) -> None:
        if self.due(f"raise in {where}"):
            raise ValueError(f"boom in {where}")
        if where == "step":
            if self.due("kill"):
                os.kill(os.getpid(), signal.SIGKILL)
            if self.due("exit"):
                os._exit(7)
            if self.due("raise SystemExit"):
                raise SystemExit("the licence has expired")
            if self.due("hang"):
                time.sleep(1000)
        if where == "reset" and self.due("space"):
            self.action_space = spaces.Box(-1, 1, (3,))


class Blind(Dot):
    """One that draws nothing."""

    def render(self) -> Any:
        return None


class Old(Dot):
    """One with the interface that Gym had before Gymnasium."""

    def step(self, action: Any) -> Any:
        observation, reward, terminated, _, info = super().step(action)
        return observation, reward, terminated, info



class Corridor(Dot):
    """The same with three choices, counted from 1."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.action_space = spaces.Discrete(3, start=1)

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(np.int64(action)), action
        self.place[0] = np.clip(self.place[0] + 0.1 * (action - 2), -1, 1)
        return self.observe(), float(self.place[0]), False, False, {}


class Pixels(Dot):
    """Observations are images themselves, and actions are not bounded on one side."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.observation_space = spaces.Box(0, 255, (96, 96, 3), np.uint8)
        self.action_space = spaces.Box(np.float32([-np.inf, 0]), np.float32([np.inf, 5]))

    def observe(self) -> Any:
        return Dot.render(self)

    def render(self) -> Any:
        raise AssertionError("its observation is an image already")


class Falls(Dot):
    """Terminated in the third step, in which the time is over, too."""

    def step(self, action: Any) -> Any:
        observation, reward, _, _, info = super().step(action)
        return observation, reward, self.steps % 3 == 0, self.steps % 3 == 0, info


class Chance(Dot):
    """Draws from a generator that no seed decides."""

    def reset(self, **keywords: Any) -> Any:
        super().reset(**keywords)
        self.place = np.random.default_rng().uniform(-1, 1, 2).astype(np.float32)
        return self.observe(), {}


class Many(Dot):
    """Actions that agents do not support."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.action_space = spaces.MultiDiscrete([2, 3])


class Plain(gymnasium.Env):
    """Without a render mode, and observations that are no images."""

    observation_space = spaces.Box(-1, 1, (2,))
    action_space = spaces.Box(-1, 1, (1,))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> Any:
        return np.zeros(2, np.float32), 0.0, False, False, {}


class Bare(Plain):
    """One whose class takes no arguments, and whose rewards are arrays of one element."""

    action_space = spaces.Box(-1, 1, (2,))
    reward: Any = np.full(1, 0.5)

    def step(self, action: Any) -> Any:
        return np.zeros(2, np.float32), self.reward, False, False, {}


class Rewards(Bare):
    """Two rewards at once."""

    reward = np.zeros(2)


class Nothing(Bare):
    """No reward."""

    reward = None


gymnasium.register("tests/Dot-v0", entry_point=Dot, max_episode_steps=100)
gymnasium.register("tests/Bare-v0", entry_point=Bare, max_episode_steps=100)


def not_an_env() -> int:
    return 3
