"""A checkpoint in TensorFlow's format, written from the format's description."""

from itertools import takewhile
from pathlib import Path

import numpy as np

from flowzoo.io.tfrecord import masked_crc

TYPES = {"float32": 1, "float64": 2, "int64": 9}


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value) if value else b""


def message(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def block(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """With the kind of compression (none) and the checksum."""
    content, before = b"", b""
    for key, value in pairs:
        shared = len([*takewhile(lambda ab: ab[0] == ab[1], zip(before, key))])  # noqa: B905
        content += varint(shared) + varint(len(key) - shared) + varint(len(value))
        content += key[shared:] + value
        before = key
    content += bytes(4) + (1).to_bytes(4, "little")  # one restart, at 0
    content += b"\0"
    return content + masked_crc(content).to_bytes(4, "little")


def write_checkpoint(
    prefix: Path, variables: dict[str, np.ndarray], shards: int = 1, per_block: int = 99
) -> None:
    data = [b""] * shards
    pairs = [(b"", number(1, shards) + message(3, number(1, 1)))]
    for i, (name, value) in enumerate(sorted(variables.items())):
        shard, content = i % shards, value.tobytes()
        dims = b"".join(message(2, number(1, n)) for n in value.shape)
        entry = number(1, TYPES[str(value.dtype)]) + message(2, dims)
        entry += number(3, shard) + number(4, len(data[shard]))
        entry += number(5, len(content)) + varint(6 << 3 | 5)
        entry += masked_crc(content).to_bytes(4, "little")
        pairs.append((name.encode(), entry))
        data[shard] += content
    index, places = b"", []
    for start in range(0, len(pairs), per_block):
        chosen = pairs[start : start + per_block]
        written = block(chosen)
        places.append((chosen[-1][0], varint(len(index)) + varint(len(written) - 5)))
        index += written
    handles = b""
    for written in (block([]), block(places)):  # of other things, and of the blocks
        handles += varint(len(index)) + varint(len(written) - 5)
        index += written
    index += handles.ljust(40, b"\0") + 0xDB4775248B80FB57.to_bytes(8, "little")
    Path(f"{prefix}.index").write_bytes(index)
    for shard, content in enumerate(data):
        Path(f"{prefix}.data-{shard:05d}-of-{shards:05d}").write_bytes(content)
