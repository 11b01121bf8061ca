"""The states of a folder that a loss of power may leave.

Here: which of the pending changes a disk has made, chosen for every moment of a recording; each state once. Not here: which changes are
pending (`disk`), and what a program makes of a state.
"""

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from disk import Disk, Tree

BLOCK = 4096
"""The unit in which a disk has new data or not."""


@dataclass(frozen=True)
class Crash:
    """A moment, how the choices were made, and the folder after it."""

    time: int
    kind: str
    tree: Tree


def digest(tree: Tree, promised: object) -> bytes:
    """Distinguishes trees, and the files that must be in them."""
    total = hashlib.sha256(repr(promised).encode())
    for path, content in sorted(tree.items()):
        total.update(f"{path}\0{-1 if content is None else len(content)}\0".encode())
        total.update(content or b"")
    return total.digest()


Data = Callable[[int], bytes]

KINDS = ["nothing", "everything", "names", "names and zeros"]
"""The extremes. The random kinds are "ordered" and "any order"."""


def crashes(disk: Disk, name: str, seed: int, rounds: int, promised: Callable[[int], object]) -> Iterator[Crash]:
    """The distinct states, in random order: at each moment the extremes, and `rounds` random ones under each of two orders of names.
    The same folder counts once for each thing that was `promised` by then."""
    random_kinds = [kind for kind in ("ordered", "any order") for _ in range(rounds)]
    drawn = [(time, number, kind) for time in [0, *disk.moments] for number, kind in enumerate([*KINDS, *random_kinds])]
    random.Random(f"{seed} {name}").shuffle(drawn)
    seen: set[bytes] = set()
    for time, number, kind in drawn:
        chance = random.Random(f"{seed} {name} {time} {number}")
        tree = disk.tree(time, names(disk, time, kind, chance), data(disk, time, kind, chance))
        key = digest(tree, promised(time))
        if key not in seen:
            seen.add(key)
            yield Crash(time, kind, tree)


def names(disk: Disk, time: int, kind: str, chance: random.Random) -> set[int]:
    """The pending changes of names that the disk has made at `time`."""
    pending = disk.pending(time)
    if kind == "nothing":
        return set()
    if kind == "ordered":
        # A journal has everything that came before something that it has.
        durable = disk.durable(time)
        first = sum(number < durable for number in pending)
        return set(pending[: chance.randint(first, len(pending))])
    if kind == "any order":
        return closed(disk, {number for number in pending if chance.random() < 0.5}, set(pending))
    return set(pending)


def data(disk: Disk, time: int, kind: str, chance: random.Random) -> Data:
    """The part of the data of files that is on the disk at `time`."""
    extreme = {"nothing": "none", "everything": "all", "names": "none", "names and zeros": "zeros"}.get(kind)

    # Under the random kinds, each file in a way of its own.
    def content(file: int) -> bytes:
        how = extreme or chance.choice(["all", "none", "zeros", "torn", "holes"])
        return left(disk, file, time, how, chance)

    return content


def closed(disk: Disk, kept: set[int], pending: set[int]) -> set[int]:
    """`kept` without the changes that need one that is not made."""
    made: set[int] = set()
    for number in sorted(kept):
        if all(earlier in made or earlier not in pending for earlier in disk.changes[number].earlier):
            made.add(number)
    return made


def left(disk: Disk, file: int, time: int, how: str, chance: random.Random) -> bytes:
    """The content of a file after a crash."""
    content, changes = disk.unsynced(file, time)
    if how == "none" or not changes:
        return bytes(content)
    durable = bytes(content)
    if how == "torn":
        changes = changes[: chance.randint(1, len(changes))]
    for change in changes:
        change.apply(content)
    if how == "torn" and (data := changes[-1].data):
        # The last write reached the disk in part.
        cut = changes[-1].place + chance.randrange(len(data))
        del content[max(cut, min(len(durable), changes[-1].place)) :]
    if how in ("zeros", "holes"):
        # The new length is known, but blocks with new data were not written, and read as zeros.
        first = common(durable, content)
        while first < len(content):
            end = min((first // BLOCK + 1) * BLOCK, len(content))
            if how == "zeros" or chance.random() < 0.5:
                content[first:end] = bytes(end - first)
            first = end
    return bytes(content)


def common(one: bytes, other: bytes | bytearray) -> int:
    """The length of the beginning that both have."""
    place = 0
    while place < len(one) and one[place : place + BLOCK] == other[place : place + BLOCK]:
        place += BLOCK
    while place < min(len(one), len(other)) and one[place] == other[place]:
        place += 1
    return min(place, len(one), len(other))
