"""The adapter without the program: spaces, images, messages."""

from __future__ import annotations

import io
import os
import struct
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces as gym

import environments
from dreamgraft import images, protocol, serve, spaces


def test_images_are_resized_by_area() -> None:
    chance = np.random.default_rng(0)
    for height, width in [(500, 500), (210, 160), (96, 100), (64, 128), (33, 40), (1, 1), (64, 64), (65, 63)]:
        image = chance.integers(0, 256, (height, width, 3), dtype=np.uint8)
        # The overlap of each old pixel with each new one, as a matrix of fractions.
        def overlap(size: int) -> Any:
            new, old = np.arange(64)[:, None] * size / 64, np.arange(size)[None, :]
            return np.clip(np.minimum(new + size / 64, old + 1) - np.maximum(new, old), 0, None) * 64 / size

        rows = np.tensordot(overlap(height), image.astype(float), axes=(1, 0))
        mean = np.einsum("rwc,xw->rxc", rows, overlap(width))
        resized = images.resize(image)
        assert resized.shape == (64, 64, 3) and resized.dtype == np.uint8
        assert np.abs(resized - mean).max() <= 0.5 + 1e-9, (height, width)


def test_a_uniform_image_stays_as_it_is() -> None:
    for value in (0, 1, 254, 255):
        assert (images.resize(np.full((123, 77, 3), value, np.uint8)) == value).all()


def test_actions_are_stretched_to_their_bounds_and_never_beyond() -> None:
    space = gym.Box(np.float32([[-2, 0.1]]), np.float32([[2, 0.3]]))
    actions = spaces.of_actions(space)
    assert isinstance(actions, spaces.Continuous) and actions.unbounded == 0
    for action in ([-1, -1], [1, 1], [0, 0], [7, -7], [0.3, 0.9]):
        own = actions.decode(np.array(action, "<f4").tobytes())
        assert own.shape == (1, 2) and own.dtype == np.float32 and space.contains(own), own
    assert np.allclose(actions.decode(np.array([0.5, 0], "<f4").tobytes()), [[1.0, 0.2]])


def test_elements_without_bounds_are_taken_as_minus_one_to_one() -> None:
    actions = spaces.of_actions(gym.Box(np.float32([-np.inf, 0]), np.float32([np.inf, 5])))
    assert isinstance(actions, spaces.Continuous) and actions.unbounded == 1
    assert actions.decode(np.array([-0.5, 0.5], "<f4").tobytes()).tolist() == [-0.5, 3.75]


def test_choices_are_counted_from_their_start() -> None:
    actions = spaces.of_actions(gym.Discrete(3, start=5))
    assert actions.describe() == {"discrete": 3, "first": 5}
    assert [actions.decode(struct.pack("<I", index)) for index in range(3)] == [5, 6, 7]
    with pytest.raises(ValueError):
        actions.decode(struct.pack("<I", 3))


@pytest.mark.parametrize("space", [gym.MultiDiscrete([2, 3]), gym.MultiBinary(3), gym.Tuple([gym.Discrete(2)])])
def test_other_action_spaces_are_named(space: Any) -> None:
    with pytest.raises(spaces.UnsupportedSpace, match="agents of dreamgraft cannot act in it") as error:
        spaces.of_actions(space)
    assert str(space) in str(error.value)


def test_observations_are_flattened_in_the_order_of_the_space() -> None:
    space = gym.Dict(b=gym.Box(-1, 1, (2, 2)), a=gym.Dict(x=gym.Discrete(3), y=gym.Box(-1, 1, ())))
    observation = {"a": {"y": np.float64(0.5), "x": 1}, "b": np.array([[1, 2], [3, 4]])}
    flat = spaces.flatten(space, observation)
    assert spaces.vector_size(space) == flat.size == 8 and flat.dtype == np.dtype("<f4")
    keys = list(space.spaces)
    expected = {"a": [0, 1, 0, 0.5], "b": [1, 2, 3, 4]}
    assert flat.tolist() == [number for key in keys for number in expected[key]]
    with pytest.raises(ValueError, match="shape"):
        spaces.flatten(gym.Box(-1, 1, (2,)), np.zeros(3))
    with pytest.raises(ValueError, match="keys"):
        spaces.flatten(space, {"a": 3})


def talk(name: str, hello: dict[str, Any], *requests: tuple[int, bytes]) -> list[tuple[int, bytes]]:
    """The answers of the adapter."""
    sent, answers = io.BytesIO(), io.BytesIO()
    protocol.write(sent, protocol.HELLO, protocol.handshake(hello))
    for kind, payload in requests:
        protocol.write(sent, kind, payload)
    sent.seek(0)
    serve.serve(name, sent, answers)
    answers.seek(0)
    found = []
    while (message := protocol.read(answers)) is not None:
        found.append(message)
    return found


RESET = (protocol.RESET, struct.pack("<Q", 7))
STEP = (protocol.STEP, np.zeros(2, "<f4").tobytes())


def test_an_image_and_a_vector_are_shown_if_both_are_asked_for() -> None:
    hello = {"observe": "both", "arguments": {"speed": 0.2}, "action_repeat": 4, "frame_limit": 6}
    (kind, info), (_, first), (_, second), (_, third) = talk("python:environments:Dot", hello, RESET, STEP, STEP)
    content = protocol.read_handshake(info)
    assert kind == protocol.INFO and content["observation"] == {"image": [64, 64, 3], "vector": 3}
    assert content["action"] == {"continuous": {"low": [-2, 0], "high": [2, 5]}}
    assert (content["action_repeat"], content["frame_limit"], content["frame_seconds"]) == (4, 6, 0.05)
    assert len(first) == 64 * 64 * 3 + 3 * 4
    outcomes = [struct.unpack_from("<fBBI", outcome)[1:] for outcome in (second, third)]
    # Four frames, then the two that are left of six.
    assert outcomes == [(False, False, 4), (False, True, 2)]
    vector = np.frombuffer(second[-12:], "<f4")
    place = np.random.default_rng(7).uniform(-1, 1, 2).astype(np.float32)
    assert np.allclose(vector[:2], place) and vector[2] == 0


def test_a_state_from_which_nothing_can_be_earned_is_one_even_if_the_time_is_over() -> None:
    answers = talk("python:environments:Falls", {}, RESET, STEP, STEP, STEP)
    flags = [struct.unpack_from("<fBBI", outcome)[1:3] for _, outcome in answers[2:]]
    assert flags == [(0, 0), (0, 0), (1, 0)]


def test_the_time_limit_is_that_of_gymnasium_or_the_setting() -> None:
    for hello, limit in [({}, 100), ({"frame_limit": 30}, 30), ({"frame_limit": 300}, 300)]:
        ((_, info),) = talk("gymnasium:environments:tests/Dot-v0", hello)
        assert protocol.read_handshake(info)["frame_limit"] == limit
    ((_, info),) = talk("python:environments:Dot", {})
    content = protocol.read_handshake(info)
    assert content["frame_limit"] == 1000 and "does not state a time limit" in content["notes"][0]


def test_an_agent_that_observes_images_of_an_environment_with_vectors_is_noted() -> None:
    for hello, noted in [({}, True), ({"observe": "vector"}, False), ({"observe": "both"}, False)]:
        ((_, info),) = talk("python:environments:Dot", hello)
        notes = str(protocol.read_handshake(info)["notes"])
        assert ("vectors of 3 numbers instead, set task.observe=vector" in notes) == noted, notes


def test_an_environment_is_only_asked_to_draw_if_its_images_are_observed() -> None:
    # Its class takes no arguments.
    (kind, info), (shown, _) = talk("gymnasium:environments:tests/Bare-v0", {"observe": "vector"}, RESET)
    assert kind == protocol.INFO and shown == protocol.OBSERVATION, info
    ((kind, text),) = talk("gymnasium:environments:tests/Bare-v0", {})
    assert kind == protocol.ERROR and "render_mode" in text.decode()
    # A way to draw that was asked for is passed on.
    ((kind, text),) = talk("python:environments:Bare", {"observe": "vector", "arguments": {"render_mode": "rgb_array"}})
    assert kind == protocol.ERROR and "takes no arguments" in text.decode()


def test_a_reward_is_one_number() -> None:
    answers = talk("python:environments:Bare", {"observe": "vector"}, RESET, STEP)
    assert struct.unpack_from("<f", answers[2][1]) == (0.5,)
    hello = {"observe": "vector"}
    for name, part in [("Rewards", "an array of shape [2] as the reward"), ("Nothing", "None as the reward")]:
        kind, text = talk(f"python:environments:{name}", hello, RESET, STEP)[2]
        assert kind == protocol.ERROR and part in text.decode(), text.decode()


def test_an_observation_that_is_an_image_needs_no_render() -> None:
    (_, info), (kind, seen) = talk("python:environments:Pixels", {}, RESET)
    assert kind == protocol.OBSERVATION and len(seen) == 64 * 64 * 3
    assert "1 of the 2 elements of its actions have no bounds" in str(protocol.read_handshake(info)["notes"])


@pytest.mark.parametrize(
    ("name", "hello", "part"),
    [
        ("python:environments:Many", {}, "MultiDiscrete"),
        ("python:environments:Pixels", {"observe": "vector"}, 'set task.observe = "image"'),
        ("python:environments:not_an_env", {}, "returned an object of int, which is not a gymnasium.Env"),
        ("python:environments:nothing", {}, "has no attribute 'nothing'"),
        ("python:no_such_module:make", {}, "No module named 'no_such_module'"),
        ("gymnasium:NoSuch-v0", {}, "NoSuch"),
        ("python:environments:Dot", {"arguments": {"colour": 1}}, "colour"),
    ],
)
def test_what_cannot_be_served_is_told(name: str, hello: dict[str, Any], part: str) -> None:
    ((kind, text),) = talk(name, hello)
    assert kind == protocol.ERROR and part in text.decode().splitlines()[-1], text.decode()


@pytest.mark.parametrize(
    ("variables", "observe", "drawn_with"),
    [
        ({}, "image", "egl"),
        ({}, "vector", None),
        ({"DISPLAY": ":0"}, "image", None),
        ({"MUJOCO_GL": "osmesa"}, "both", "osmesa"),
    ],
)
def test_mujoco_draws_without_a_display(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], observe: str, drawn_with: str | None
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MUJOCO_GL"):
        monkeypatch.setenv(name, "")  # so that it is restored after the test in any case
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "OpenGL" or None)
    serve.ServedEnvironment("python:environments:Dot", {"observe": observe})
    assert os.environ.get("MUJOCO_GL") == drawn_with


def test_a_version_of_the_future_is_told() -> None:
    sent, answers = io.BytesIO(), io.BytesIO()
    protocol.write(sent, protocol.HELLO, struct.pack("<I", 2) + b"{}")
    sent.seek(0)
    serve.serve("python:environments:Dot", sent, answers)
    answers.seek(0)
    message = protocol.read(answers)
    assert message is not None and message[0] == protocol.ERROR
    assert "version 2 of the protocol, and this package version 1" in message[1].decode()


def test_an_environment_without_images_is_told() -> None:
    answers = talk("python:environments:Plain", {}, RESET)
    assert answers[1][0] == protocol.ERROR and "render()" in answers[1][1].decode()
