"""Trained agents: observations in, actions out."""

from __future__ import annotations

import os
import struct
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import images, protocol
from .binary import Served


class Agent:
    """A trained agent: observations in, actions out, in the units of the environment that it was trained in.

    ``reset`` comes before each episode. The agent lives in a process of its own, which ends with ``close``, at the end of a
    ``with`` block, or with this object.
    """

    def __init__(self, run: str | os.PathLike[str], task: str | None = None) -> None:
        arguments = ["act", os.fspath(run)]
        if task is not None:
            arguments += ["--task", task]
        self._served = Served(arguments, {})
        info = self._served.info
        #: The task's name.
        self.task: str = info["name"]
        self._image, self._vector = info["observation"].get("image"), int(info["observation"].get("vector") or 0)
        action = info["action"]
        #: How many choices there are, if actions are choices.
        self.choices: int | None = action.get("discrete")
        #: The first of these choices.
        self.start: int = int(action.get("first") or 0)
        bounds = action.get("continuous") or {"low": [], "high": []}
        #: The bounds of an action.
        self.low: NDArray[np.float64] = np.asarray(bounds["low"], dtype=np.float64)
        self.high: NDArray[np.float64] = np.asarray(bounds["high"], dtype=np.float64)
        self._begun = False

    def reset(self, seed: int | None = None) -> None:
        """Begins an episode. With the same seed, the same observations give the same actions."""
        if seed is None:
            seed = int.from_bytes(os.urandom(4), "little")
        self._served.ask(protocol.RESET, struct.pack("<Q", seed), protocol.READY)
        self._begun = True

    def act(self, observation: Any) -> Any:
        """The action for an observation: an image ``[H, W, 3]`` of bytes, a vector, or both, as the agent observed in training.

        An agent that observes both takes a dict with the keys ``image`` and ``vector``.
        """
        if not self._begun:
            self.reset()
        answer = self._served.ask(protocol.ACT, self._encode(observation), protocol.ACTION)
        if self.choices is not None:
            return self.start + int.from_bytes(answer, "little")
        action = np.frombuffer(answer, "<f4").astype(np.float64)
        own = self.low + (np.clip(action, -1.0, 1.0) + 1.0) / 2.0 * (self.high - self.low)
        return np.clip(own, self.low, self.high).astype(np.float32)

    def _encode(self, observation: Any) -> bytes:
        both = isinstance(observation, dict)
        payload = b""
        if self._image is not None:
            image = observation["image"] if both else observation
            if not images.is_image(image):
                found = f"{image.dtype} {list(image.shape)}" if isinstance(image, np.ndarray) else type(image).__name__
                raise ValueError(
                    f"the agent observes images, [H, W, 3] bytes (uint8), but this is {found}; if the environment's "
                    "observations are not images, pass env.render() (made with render_mode=\"rgb_array\")"
                )
            payload += images.resize(image).tobytes()
        if self._vector:
            vector = np.asarray(observation["vector"] if both else observation, dtype="<f4").reshape(-1)
            if vector.size != self._vector:
                raise ValueError(f"the agent observes vectors of {self._vector} numbers, but this one has {vector.size}")
            payload += vector.tobytes()
        return payload

    def close(self) -> None:
        """Ends the agent's process."""
        self._served.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<dreamgraft agent for {self.task}>"


def load(run: str | os.PathLike[str], task: str | None = None) -> Agent:
    """The agent of a run folder (its newest checkpoint), a checkpoint or an export; of several tasks, for this one."""
    return Agent(run, task)
