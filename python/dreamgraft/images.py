"""Images as agents see them: 64 x 64 pixels, RGB."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 64


def is_image(array: object) -> bool:
    """Whether it is ``[H, W, 3]`` bytes."""
    return isinstance(array, np.ndarray) and array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3


def resize(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image ``[H, W, 3]`` as ``[64, 64, 3]``: each pixel is the mean of the area that it covers.

    Computed in whole numbers, in units of 1/64 of a pixel, independent of other packages: an environment looks the same
    everywhere.
    """
    height, width, _ = image.shape
    if (height, width) == (SIDE, SIDE):
        return image
    area = height * width
    # 32 bits are faster, and enough for all but huge images.
    kind: type[np.signedinteger[Any]] = np.int32 if 2 * 255 * area + area < 2**31 else np.int64
    rows = np.zeros((SIDE, width, 3), kind)
    for index, weight in _parts(height):
        rows += weight[:, None, None].astype(kind) * image[index]
    sums = np.zeros((SIDE, SIDE, 3), kind)
    for index, weight in _parts(width):
        sums += weight[:, None].astype(kind) * rows[:, index]
    resized: NDArray[np.uint8] = ((2 * sums + area) // (2 * area)).astype(np.uint8)
    return resized


@lru_cache(maxsize=16)
def _parts(size: int) -> list[tuple[NDArray[np.intp], NDArray[np.int64]]]:
    """The parts of each of 64 new pixels: the first of ``size`` old pixels in it and its weight, the second, and so on.

    In units of 1/64 of an old pixel, the new pixel i covers [i * size, (i + 1) * size), and the old pixel j [j * 64, (j + 1) * 64):
    a weight is the length that both have in common, and the weights of a new pixel add up to ``size``.
    """
    begin = np.arange(SIDE) * size
    parts = []
    for place in range(size // SIDE + 2):
        index = begin // SIDE + place
        weight = np.minimum(begin + size, (index + 1) * SIDE) - np.maximum(begin, index * SIDE)
        if (weight > 0).any():
            parts.append((np.minimum(index, size - 1), np.clip(weight, 0, None)))
    return parts
