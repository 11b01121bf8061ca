"""dreamgraft for Python: act with trained agents, use the tasks as environments of Gymnasium, and read runs.

``load(run)`` gives an agent, ``metrics(run)`` and ``episodes(run)`` read a run folder, and with this package imported,
``gymnasium.make("dreamgraft/hopper-v0")`` makes one of the six tasks. The program itself is the command ``dreamgraft``.
"""

from __future__ import annotations

from importlib import metadata as _metadata

from .agents import Agent, load
from .binary import DreamgraftError
from .records import Episode, Metrics, episodes, metrics

__all__ = ["Agent", "DreamgraftError", "Episode", "Metrics", "__version__", "episodes", "load", "metrics"]

try:
    __version__ = _metadata.version("dreamgraft")
except _metadata.PackageNotFoundError:  # from a folder of sources
    __version__ = "0"

try:
    from .envs import register as _register
except ImportError:  # without Gymnasium, there is nothing to register with
    pass
else:
    _register()
