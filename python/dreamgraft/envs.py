"""The six tasks of dreamgraft as environments of Gymnasium: ``gymnasium.make("dreamgraft/hopper-v0")``."""

from __future__ import annotations

import struct
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from . import protocol
from .binary import Served

#: The tasks that are registered.
TASKS = (
    "ant",
    "half-cheetah",
    "hopper",
    "inverted-double-pendulum-swingup",
    "inverted-pendulum-swingup",
    "walker2d",
)


class TaskEnv(gymnasium.Env[NDArray[np.uint8], NDArray[np.float32]]):
    """A task, simulated and drawn by the program: images ``[64, 64, 3]``, and actions from -1 to 1.

    ``termination="stock"`` ends episodes where PyBullet does; otherwise they end only at the frame limit.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}

    def __init__(
        self,
        task: str,
        termination: str = "fixed",
        action_repeat: int = 0,
        frame_limit: int = 0,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode = {render_mode!r} is not supported: use \"rgb_array\"")
        hello = {
            "action_repeat": action_repeat,
            "frame_limit": frame_limit,
            "arguments": {"termination": termination},
        }
        self._served = Served(["serve", task], hello)
        self.task, self.render_mode = task, render_mode
        info = self._served.info
        action = info["action"]["continuous"]
        self.action_space = gymnasium.spaces.Box(
            np.asarray(action["low"], np.float32), np.asarray(action["high"], np.float32), dtype=np.float32
        )
        self._shape = tuple(info["observation"]["image"])
        self.observation_space = gymnasium.spaces.Box(0, 255, self._shape, np.uint8)
        self.metadata = {**self.metadata, "render_fps": round(1.0 / (info["frame_seconds"] * info["action_repeat"]))}
        self._image = np.zeros(self._shape, np.uint8)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Begins an episode: that of the seed, or one drawn from the environment's own random numbers."""
        super().reset(seed=seed)
        start = seed if seed is not None else int(self.np_random.integers(2**31))
        self._see(self._served.ask(protocol.RESET, struct.pack("<Q", start), protocol.OBSERVATION))
        return self._image, {}

    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Holds an action for its frames."""
        payload = np.asarray(action, dtype="<f4").tobytes()
        answer = self._served.ask(protocol.STEP, payload, protocol.OUTCOME)
        reward, terminated, truncated, frames = struct.unpack_from("<fBBI", answer)
        self._see(answer[10:])
        return self._image, float(reward), bool(terminated), bool(truncated), {"frames": frames}

    def render(self) -> Any:
        """The last image."""
        return self._image.copy() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Ends the simulator's process."""
        self._served.close()

    def _see(self, payload: bytes) -> None:
        # A copy: the caller may keep it, and write into it.
        self._image = np.frombuffer(payload, np.uint8).reshape(self._shape).copy()


def register() -> None:
    """Registers every task with Gymnasium, once."""
    for task in TASKS:
        name = f"dreamgraft/{task}-v0"
        if name not in gymnasium.registry:
            gymnasium.register(name, entry_point="dreamgraft.envs:TaskEnv", kwargs={"task": task})
