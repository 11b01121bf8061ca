"""The protocol between dreamgraft and an external environment: messages and their framing (docs/protocol.md)."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

VERSION = 1

HELLO, RESET, STEP, CLOSE, ACT = 1, 2, 3, 4, 5
INFO, OBSERVATION, OUTCOME, ACTION, ERROR, READY = 16, 17, 18, 19, 20, 21

#: The most bytes of a message.
LARGEST = 1 << 20


class ProtocolError(RuntimeError):
    """The other side sent something that is not a message, or one that does not belong there."""


def write(pipe: IO[bytes], kind: int, payload: bytes = b"") -> None:
    """Sends a message."""
    pipe.write(struct.pack("<IB", len(payload), kind) + payload)
    pipe.flush()


def read(pipe: IO[bytes]) -> tuple[int, bytes] | None:
    """The next message: its kind and its payload. ``None`` if the other side has ended."""
    header = _exactly(pipe, 5)
    if header is None:
        return None
    length, kind = struct.unpack("<IB", header)
    if length > LARGEST:
        raise ProtocolError(f"the bytes {header!r} are not the beginning of a message")
    payload = _exactly(pipe, length)
    return None if payload is None else (kind, payload)


def handshake(content: dict[str, Any]) -> bytes:
    """The payload of a handshake."""
    return struct.pack("<I", VERSION) + json.dumps(content).encode()


def read_handshake(payload: bytes) -> dict[str, Any]:
    """The content of a handshake of this version."""
    if len(payload) < 4:
        raise ProtocolError(f"a handshake begins with a version of 4 bytes, but this one has {len(payload)} bytes")
    (version,) = struct.unpack_from("<I", payload)
    if version != VERSION:
        raise ProtocolError(
            f"the program speaks version {version} of the protocol, and this package version {VERSION}: "
            "install matching versions"
        )
    content = json.loads(payload[4:])
    if not isinstance(content, dict):
        raise ProtocolError("a handshake is a JSON object")
    return content


def _exactly(pipe: IO[bytes], count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        part = pipe.read(count - len(data))
        if not part:
            return None
        data = data + part if data else part
    return data
