"""Reads the metrics and episodes of a run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas


class Metrics(dict[str, NDArray[np.float64]]):
    """Metrics by name, an array for each; where a line lacks a metric, its value is NaN. ``step`` is the frames of each line."""

    def to_pandas(self) -> pandas.DataFrame:
        """A data frame with the steps as its index. Needs pandas."""
        import pandas

        columns = {name: values for name, values in self.items() if name != "step"}
        return pandas.DataFrame(columns, index=pandas.Index(self["step"].astype(np.int64), name="step"))

    def curve(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The steps at which a metric was written, and its values."""
        there = ~np.isnan(self[name])
        return self["step"][there], self[name][there]


def metrics(run: str | os.PathLike[str]) -> Metrics:
    """All metrics of a run folder. A last line that is still being written is left out."""
    path = Path(run) / "metrics.jsonl"
    lines = []
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            if not text.endswith("\n"):
                break
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
    names = dict.fromkeys(name for line in lines for name in line)
    return Metrics({name: np.array([_number(line.get(name)) for line in lines], np.float64) for name in names})


def _number(value: object) -> float:
    # ``None``: the line lacks the metric, or its value is null, which stands for an infinite or NaN value.
    return float("nan") if value is None else float(value)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Episode:
    """An episode: T steps, and T + 1 observations: images, vectors or both, as the agent observed them. The first transition is
    the reset, whose action and reward are zeros."""

    #: The file.
    path: Path
    #: The task's name.
    task: str
    #: ``[T + 1, 64, 64, 3]`` bytes; ``None`` if the agent observes only vectors.
    image: NDArray[np.uint8] | None
    #: ``[T + 1, V]`` numbers; ``None`` if the agent observes only images.
    vector: NDArray[np.float32] | None
    #: ``[T + 1, A]``: the action that led to each observation.
    action: NDArray[np.float32]
    #: ``[T + 1]``: the rewards.
    reward: NDArray[np.float32]
    #: ``[T + 1]``: 0 in a state from which nothing more can be earned, else 1.
    discount: NDArray[np.float32]

    @property
    def score(self) -> float:
        """The return: the sum of the rewards."""
        return float(self.reward.sum(dtype=np.float64))

    def __len__(self) -> int:
        return len(self.reward)


def episodes(run: str | os.PathLike[str]) -> Iterator[Episode]:
    """The training episodes of a run folder, in the order in which they were collected.

    Raises ``FileNotFoundError`` if the run has no folder of episodes."""
    folder = Path(run) / "episodes"
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} does not exist: give the folder of a run that has kept its episodes")
    return _episodes(folder)


def _episodes(folder: Path) -> Iterator[Episode]:
    files = [path for path in folder.glob("*.npz") if path.name.count("-") == 2]
    for path in sorted(files, key=lambda path: int(path.name.split("-")[1])):
        with np.load(path, allow_pickle=False) as arrays:
            task = str(arrays["task"].reshape(-1)[0])
            image, vector = (arrays[name] if name in arrays else None for name in ("image", "vector"))
            parts = {name: arrays[name] for name in ("action", "reward", "discount")}
        yield Episode(path=path, task=task, image=image, vector=vector, **parts)
