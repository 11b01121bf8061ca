"""Gymnasium's spaces as the protocol has them: which actions and vectors there are, and how they are mapped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class UnsupportedSpace(TypeError):
    """A space that agents cannot act or observe in."""


class Continuous:
    """A ``Box``: numbers from -1 to 1, stretched to its bounds. A side without a bound counts as -1, or 1."""

    def __init__(self, space: Any) -> None:
        low = np.asarray(space.low, dtype=np.float64).reshape(-1)
        high = np.asarray(space.high, dtype=np.float64).reshape(-1)
        bounded = np.isfinite(low) & np.isfinite(high)
        self.unbounded = int((~bounded).sum())
        self.low, self.high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
        self.shape, self.dtype, self.size = space.shape, space.dtype, low.size

    def describe(self) -> dict[str, Any]:
        """Its description in the handshake."""
        return {"continuous": {"low": self.low.tolist(), "high": self.high.tolist()}}

    def decode(self, payload: bytes) -> NDArray[Any]:
        """The action that a payload is, in the environment's own units."""
        action = np.frombuffer(payload, "<f4")
        if action.size != self.size:
            raise ValueError(f"an action has {self.size} numbers, not {action.size}")
        return self.stretch(action)

    def stretch(self, action: NDArray[np.float32]) -> NDArray[Any]:
        """An action from -1 to 1 in the environment's own units."""
        fraction = (np.clip(action.astype(np.float64), -1.0, 1.0) + 1.0) / 2.0
        own = self.low + fraction * (self.high - self.low)
        if np.issubdtype(self.dtype, np.integer):
            own = np.rint(own)
        # Rounding to a narrower type must not lead beyond a bound.
        clipped: NDArray[Any] = np.clip(own, self.low, self.high).astype(self.dtype)
        return clipped.reshape(self.shape)


class Discrete:
    """A ``Discrete``: an index."""

    def __init__(self, space: Any) -> None:
        self.count, self.start = int(space.n), int(getattr(space, "start", 0))

    def describe(self) -> dict[str, Any]:
        """Its description in the handshake."""
        return {"discrete": self.count, "first": self.start}

    def decode(self, payload: bytes) -> int:
        """The action that a payload is."""
        index = int.from_bytes(payload, "little")
        if len(payload) != 4 or index >= self.count:
            raise ValueError(f"an action is one of {self.count}, in 4 bytes")
        return self.start + index


def of_actions(space: Any) -> Continuous | Discrete:
    """The mapping of an action space."""
    from gymnasium import spaces

    if isinstance(space, spaces.Box) and np.asarray(space.low).size > 0:
        return Continuous(space)
    if isinstance(space, spaces.Discrete):
        return Discrete(space)
    raise UnsupportedSpace(
        f"the action space {space} is neither a Box nor Discrete: agents of dreamgraft cannot act in it; wrap the "
        "environment (gymnasium.ActionWrapper)"
    )


def vector_size(space: Any) -> int:
    """Numbers of a Box or Dict of them, flattened in the order of its keys."""
    from gymnasium import spaces

    if isinstance(space, spaces.Box):
        return int(np.prod(space.shape, dtype=int))
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.Dict):
        return sum(vector_size(part) for part in space.spaces.values())
    raise UnsupportedSpace(
        f"the observation space {space} is not a Box, a Discrete, or a Dict of these: it cannot be flattened to a vector; wrap the "
        "environment (gymnasium.ObservationWrapper)"
    )


def flatten(space: Any, observation: Any) -> NDArray[np.float32]:
    """The observation as a vector: Boxes in C order, keys of a Dict in the order of the space, Discrete one-hot."""
    return np.concatenate([part.reshape(-1) for part in _parts(space, observation)]).astype("<f4")


def _parts(space: Any, observation: Any) -> list[NDArray[Any]]:
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        if not isinstance(observation, dict) or set(observation) != set(space.spaces):
            keys = sorted(observation) if isinstance(observation, dict) else type(observation).__name__
            raise ValueError(f"the observation has {keys}, but the space {space} has the keys {sorted(space.spaces)}")
        return [part for key, inner in space.spaces.items() for part in _parts(inner, observation[key])]
    if isinstance(space, spaces.Discrete):
        hot = np.zeros(int(space.n), dtype=np.float32)
        hot[int(observation) - int(getattr(space, "start", 0))] = 1.0
        return [hot]
    array = np.asarray(observation)
    if array.shape != space.shape:
        raise ValueError(f"the observation has the shape {list(array.shape)}, but its space {space} has {list(space.shape)}")
    return [array]
