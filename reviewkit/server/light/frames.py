"""The frame of the subprotocol v1.kernel.websocket.jupyter.org, used unchanged on every hop.

browser <-websocket-> page server <-socketpair-> page process. A frame is: the number of offsets, the offsets, then
channel, header, parent header, metadata, content and buffers; numbers are 8 bytes, little endian. On the socketpair
each frame is preceded by its length in 4 bytes.
"""

import json
import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

LIMIT = 8 << 20
"""Bytes of one frame, both ways: a view with long posts is well under one megabyte."""
MOST_PARTS = 64


def part(frame: bytes, index: int) -> bytes:
    """One part: 0 channel, 1 header, 2 parent, 3 metadata, 4 content. Raises ValueError or struct.error."""
    start, end = struct.unpack_from("<QQ", frame, 8 * (index + 1))
    if not start <= end <= len(frame):
        raise ValueError("a part lies outside its frame")
    return frame[start:end]


def message_type(frame: bytes) -> str | None:
    """The type of the message in a frame, None when the frame is malformed."""
    try:
        kind = json.loads(part(frame, 1))["msg_type"]
    except (ValueError, KeyError, TypeError, struct.error, RecursionError):
        return None
    return kind if isinstance(kind, str) else None


def unpack(frame: bytes) -> tuple[str, dict[str, Any]]:
    """Channel and message. Raises ValueError, KeyError or struct.error when the frame is malformed."""
    (count,) = struct.unpack_from("<Q", frame)
    if not 6 <= count <= MOST_PARTS:
        raise ValueError("a frame has at least five parts, and not many more")
    offsets = struct.unpack_from(f"<{count}Q", frame, 8)
    if list(offsets) != sorted(offsets) or offsets[-1] > len(frame):
        raise ValueError("the offsets of a frame go up and stay inside it")
    view = memoryview(frame)
    parts = [view[start:end] for start, end in pairwise(offsets)]
    header, parent, metadata, content = (json.loads(bytes(each)) for each in parts[1:5])
    if not all(isinstance(each, dict) for each in (header, parent, metadata, content)):
        raise ValueError("header, parent, metadata and content are objects")
    return str(parts[0], "ascii"), {
        "header": header,
        "msg_id": header["msg_id"],
        "msg_type": header["msg_type"],
        "parent_header": parent,
        "metadata": metadata,
        "content": content,
        "buffers": parts[5:],
    }


def pack(
    channel: str,
    header: dict[str, Any],
    parent: dict[str, Any],
    metadata: dict[str, Any],
    content: dict[str, Any],
    buffers: Sequence[bytes | memoryview] = (),
) -> bytes:
    dicts = (json.dumps(each, separators=(",", ":")).encode() for each in (header, parent, metadata, content))
    return join([channel.encode(), *dicts, *buffers])


def join(parts: Sequence[bytes | memoryview]) -> bytes:
    """The frame of channel, header, parent, metadata, content and buffers, each as it is written."""
    count = len(parts) + 1
    offsets = [8 * (count + 1)]
    for each in parts:
        offsets.append(offsets[-1] + (each.nbytes if isinstance(each, memoryview) else len(each)))
    return b"".join([struct.pack(f"<Q{count}Q", count, *offsets), *parts])


def wire(frame: bytes) -> bytes:
    return struct.pack("<I", len(frame)) + frame
