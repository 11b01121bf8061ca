"""Serves an environment of Gymnasium to dreamgraft: ``python -m dreamgraft.serve NAME``.

NAME is ``gymnasium:ID``, ``gymnasium:MODULE:ID`` or ``python:MODULE:CALLABLE``. The messages go over the standard input and output
that the process was started with; all output of the environment goes to standard error.
"""

from __future__ import annotations

import importlib
import os
import signal
import struct
import sys
import time
import traceback
from typing import Any, BinaryIO

import numpy as np

from . import images, protocol, spaces

#: Frames of the longest episode of an environment without a time limit.
FRAME_LIMIT = 1000

#: The longest text of an error that is passed on, in bytes.
LONGEST_ERROR = 1 << 16


NO_IMAGE = (
    "it does not provide images: render() {}. Set task.observe=vector if its observations are numbers, or let render() return "
    "[H, W, 3] bytes (uint8) for render_mode=\"rgb_array\""
)


class NotGymnasium(Exception):
    """An environment that does not follow Gymnasium's interface; the message is enough, without a traceback."""


class ServedEnvironment:
    """An environment, with the options that dreamgraft asks for."""

    def __init__(self, name: str, asked: dict[str, Any]) -> None:
        self.observe: str = asked.get("observe") or "image"
        draws = self.observe in ("image", "both")
        if draws:
            _draw_without_a_display()
        self.repeat = int(asked.get("action_repeat") or 1)
        self.notes: list[str] = []
        limit = int(asked.get("frame_limit") or 0)
        self.env = make(name, dict(asked.get("arguments") or {}), limit, draws)
        own = getattr(self.env.spec, "max_episode_steps", None) if self.env.spec is not None else None
        if not limit and not own:
            self.notes.append(
                f"it does not state a time limit (max_episode_steps), so an episode that it does not end itself ends after {FRAME_LIMIT} "
                "frames (set task.frame_limit to change that)"
            )
        self.limit = limit or own or FRAME_LIMIT
        self.action_space = self.env.action_space
        self.actions = spaces.of_actions(self.action_space)
        if isinstance(self.actions, spaces.Continuous) and self.actions.unbounded:
            count, size = self.actions.unbounded, self.actions.size
            self.notes.append(f"{count} of the {size} elements of its actions have no bounds: the bounds -1 and 1 are used")
        space = self.env.observation_space
        self.observes_image = _is_image_space(space)
        if self.observe == "image" and not self.observes_image and (numbers := _numbers(space)):
            self.notes.append(
                f"the agent observes its rendered images; to observe its vectors of {numbers} numbers instead, set task.observe=vector"
            )
        self.vector = 0
        if self.observe in ("vector", "both"):
            if self.observes_image:
                raise spaces.UnsupportedSpace(
                    f"the observation space {space} is an image: set task.observe = \"image\", which is the default"
                )
            self.vector = spaces.vector_size(space)
        self.shape: tuple[int, ...] | None = None
        self.frames = 0

    def info(self) -> dict[str, Any]:
        """The description of the environment in the handshake."""
        fps = (self.env.metadata or {}).get("render_fps") or 30
        return {
            "name": self.env.spec.id if self.env.spec is not None else type(self.env.unwrapped).__name__,
            "made_by": _programs(self.env),
            "observation": {
                "image": [images.SIDE, images.SIDE, 3] if self.observe in ("image", "both") else None,
                "vector": self.vector,
            },
            "action": self.actions.describe(),
            "action_repeat": self.repeat,
            "frame_limit": self.limit,
            "frame_seconds": 1.0 / float(fps),
            "repeatable": not (self.env.spec is not None and getattr(self.env.spec, "nondeterministic", False)),
            "notes": self.notes,
        }

    def reset(self, seed: int) -> bytes:
        """Begins an episode; returns the first observation."""
        began = self.env.reset(seed=seed)
        if not (isinstance(began, tuple) and len(began) == 2):
            raise NotGymnasium("reset() must return an observation and a dict, as Gymnasium has it since 0.26")
        observation, _ = began
        if self.env.action_space != self.action_space:
            raise ValueError(f"the action space was {self.action_space} and is now {self.env.action_space}")
        self.frames = 0
        return self.seen(observation)

    def step(self, payload: bytes) -> bytes:
        """Holds an action for its frames, and returns the outcome."""
        action = self.actions.decode(payload)
        reward, frames, terminated, truncated = 0.0, 0, False, False
        while frames < self.repeat and not (terminated or truncated):
            outcome = self.env.step(action)
            if len(outcome) != 5:
                raise NotGymnasium(
                    f"step() returned {len(outcome)} values, but Gymnasium requires 5: observation, reward, terminated, truncated, info"
                )
            observation, earned, terminated, truncated, _ = outcome
            reward += _reward(earned)
            frames += 1
            self.frames += 1
            truncated = bool(truncated) or self.frames >= self.limit
        return struct.pack("<fBBI", reward, bool(terminated), truncated and not terminated, frames) + self.seen(observation)

    def seen(self, observation: Any) -> bytes:
        """An observation as the protocol has it."""
        parts = []
        if self.observe in ("image", "both"):
            parts.append(images.resize(self.image(observation)).tobytes())
        if self.vector:
            parts.append(spaces.flatten(self.env.observation_space, observation).tobytes())
        return b"".join(parts)

    def image(self, observation: Any) -> Any:
        """The image of an observation: itself, or the rendered one."""
        if self.observes_image:
            image = observation
        else:
            try:
                image = self.env.render()
            except NotImplementedError as error:
                raise NotGymnasium(NO_IMAGE.format("is not implemented")) from error
            if image is None:
                raise NotGymnasium(NO_IMAGE.format("returned None"))
        if not images.is_image(image):
            what = "its observation" if self.observes_image else "render()"
            found = f"{image.dtype} {list(image.shape)}" if isinstance(image, np.ndarray) else repr(type(image).__name__)
            raise ValueError(f"{what} is {found}: an agent that observes images needs [H, W, 3] bytes (uint8)")
        if self.shape is None:
            self.shape = image.shape
        if image.shape != self.shape:
            raise ValueError(f"an image has the shape {list(image.shape)}, but the first one had {list(self.shape)}")
        return image


def make(name: str, arguments: dict[str, Any], limit: int, draws: bool) -> Any:
    """The environment called ``name``, with keyword arguments and, if it is not 0, another time limit; ``draws`` if it is to be
    rendered."""
    import gymnasium

    # Environments that nobody looks at need not know how to draw.
    adds = draws and "render_mode" not in arguments
    if adds:
        arguments["render_mode"] = "rgb_array"
    scheme, _, rest = name.partition(":")
    if scheme == "gymnasium":
        if limit:
            arguments["max_episode_steps"] = limit
        return gymnasium.make(rest, **arguments)
    module, _, attribute = rest.partition(":")
    made = getattr(importlib.import_module(module), attribute)
    if not callable(made):
        raise NotGymnasium(f"{attribute!r} of the module {module} is not callable: give a class or a function that makes an environment")
    env = made(**(_accepted(made, arguments) if adds else arguments))
    if not isinstance(env, gymnasium.Env):
        raise NotGymnasium(f"{attribute!r} of the module {module} returned an object of {type(env).__name__}, which is not a gymnasium.Env")
    return env


def _accepted(made: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments, with ``render_mode`` only if the callable has it: the user did not ask for it."""
    import inspect

    try:
        parameters = inspect.signature(made).parameters.values()
    except (TypeError, ValueError):
        return arguments
    takes = any(one.kind is one.VAR_KEYWORD or one.name == "render_mode" for one in parameters)
    return arguments if takes else {key: value for key, value in arguments.items() if key != "render_mode"}


def _draw_without_a_display() -> None:
    """Has MuJoCo draw with EGL if there is no display, unless ``$MUJOCO_GL`` names another way: its default needs a window."""
    from importlib.util import find_spec

    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not display and find_spec("OpenGL") is not None:
        os.environ.setdefault("MUJOCO_GL", "egl")


def _reward(earned: Any) -> float:
    """A reward as one number; arrays of one element are common, although Gymnasium asks for a number."""
    try:
        # Numpy would make a NaN of None.
        return float(np.asarray("" if earned is None else earned, dtype=np.float64).reshape(()))
    except (TypeError, ValueError) as error:
        found = f"an array of shape {list(earned.shape)}" if isinstance(earned, np.ndarray) else repr(earned)
        raise NotGymnasium(f"step() returned {found} as the reward, which is not one number") from error


def _numbers(space: Any) -> int:
    """How many numbers the vector of an observation has; 0 if it cannot be one."""
    try:
        return spaces.vector_size(space)
    except spaces.UnsupportedSpace:
        return 0


def _is_image_space(space: Any) -> bool:
    shape = getattr(space, "shape", None)
    return getattr(space, "dtype", None) == np.uint8 and shape is not None and len(shape) == 3 and shape[2] == 3


def _programs(env: Any) -> str:
    import platform

    import gymnasium

    parts = [f"gymnasium {gymnasium.__version__}", f"numpy {np.__version__}", f"Python {platform.python_version()}"]
    module = type(env.unwrapped).__module__.split(".")[0]
    if module not in ("gymnasium", "__main__"):
        from importlib import metadata

        try:
            parts.insert(0, f"{module} {metadata.version(module)}")
        except metadata.PackageNotFoundError:
            pass
    return ", ".join(parts)


def serve(name: str, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers requests until the other side ends."""
    environment: ServedEnvironment | None = None
    while (message := protocol.read(requests)) is not None:
        kind, payload = message
        if kind == protocol.CLOSE:
            break
        try:
            if kind == protocol.HELLO:
                environment = ServedEnvironment(name, protocol.read_handshake(payload))
                protocol.write(answers, protocol.INFO, protocol.handshake(environment.info()))
            elif environment is None:
                raise protocol.ProtocolError("hello comes before all other messages")
            elif kind == protocol.RESET:
                protocol.write(answers, protocol.OBSERVATION, environment.reset(int.from_bytes(payload, "little")))
            elif kind == protocol.STEP:
                protocol.write(answers, protocol.OUTCOME, environment.step(payload))
            else:
                raise protocol.ProtocolError(f"an environment does not answer a message of kind {kind}")
        except ImportError as error:
            _refuse(answers, _missing(error))
        except (protocol.ProtocolError, spaces.UnsupportedSpace, NotGymnasium) as error:
            _refuse(answers, str(error))
        except (Exception, SystemExit):  # the other side shows every exception of the environment
            _refuse(answers, traceback.format_exc())
    if environment is not None:
        environment.env.close()


def _missing(error: ImportError) -> str:
    """The next step if a package cannot be imported; with the traceback where that may be the environment's own fault."""
    if error.name == "gymnasium":
        return f"{sys.executable} cannot import gymnasium: install it for this interpreter with `{sys.executable} -m pip install gymnasium`"
    return traceback.format_exc()


def _refuse(answers: BinaryIO, text: str) -> None:
    data = text.encode()
    protocol.write(answers, protocol.ERROR, data if len(data) <= LONGEST_ERROR else b"...\n" + data[-LONGEST_ERROR:])


def _end_group_with_this_process() -> None:
    """Has a small process end everything that the environment has started, once this process is gone, however it ended.

    This process itself ends at the end of its standard input, and on Linux with the program that started it. What it has started
    may not notice.
    """
    served = os.getpid()
    if not hasattr(os, "fork") or os.getpgrp() != served or os.fork() != 0:
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    while os.getppid() == served:
        time.sleep(0.25)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main(arguments: list[str]) -> None:
    """Serves the environment that the arguments name over standard input and output."""
    if len(arguments) != 1:
        sys.exit("usage: python -m dreamgraft.serve NAME, such as gymnasium:Pendulum-v1")
    _end_group_with_this_process()
    # No environment opens a window here: without these, some print that they cannot, or whom they thank.
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # Prints of the environment, and of libraries in other languages, must not look like messages, and it must not read them.
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        serve(arguments[0], requests, answers)
    except BrokenPipeError:
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
