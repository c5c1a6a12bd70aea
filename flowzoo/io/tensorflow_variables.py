"""Variables of TensorFlow checkpoints, read without TensorFlow.

A checkpoint PREFIX is ``PREFIX.index`` and ``PREFIX.data-00000-of-00001`` and so on.
The index is a sorted table of LevelDB's format: blocks of keys and values, a block that
says where these are, and a footer that says where that one is. The key is a variable's
name, the value a message with its type, shape and place in the data. Blocks and
variables have the checksums of TFRecord files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from .tfrecord import masked_crc

# what belongs to an optimizer and not to the network
_OTHERS = ("Adam", "Adam_1", "Momentum", "ExponentialMovingAverage")

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_DTYPES = {1: "<f4", 2: "<f8", 19: "<f2"}  # of TensorFlow's types, the floating ones
# fields of the message of a variable
_DTYPE, _SHAPE, _SHARD, _OFFSET, _SIZE, _CHECKSUM, _SLICES = range(1, 8)
_DIMENSION, _LENGTH = 2, 1  # of the shape, and of a dimension
_SHARDS, _BIG_ENDIAN = 1, 2  # of the message without a name, which comes first


def read_variables(path: str | Path) -> dict[str, Tensor]:
    """Floating-point variables by name, of a checkpoint or of a .npz file.

    Args:
        path: a .npz, or the checkpoint's PREFIX, or PREFIX.index.

    Raises:
        OSError: A file is missing.
        ValueError: A file is damaged, or is no checkpoint.
        ImportError: Without google-crc32c.
    """
    path = Path(path)
    if path.suffix == ".npz":
        try:
            with np.load(path, allow_pickle=False) as file:
                return {name: torch.from_numpy(file[name]) for name in file.files}
        except (AttributeError, EOFError, TypeError, ValueError, BadZipFile) as error:
            raise ValueError(f"{path} is no .npz of variables: {error}") from error
    prefix = str(path).removesuffix(".index")
    index = Path(f"{prefix}.index")
    try:
        entries = dict(_table(index.read_bytes()))
        header = _message(entries.pop(""))
        if header.get(_BIG_ENDIAN):
            raise ValueError("it comes from a big-endian machine")
        variables = {}
        shards = header.get(_SHARDS, [1])[0]
        for name, value in entries.items():
            entry = _message(value)
            if entry.get(_DTYPE, [0])[0] in _DTYPES:
                shard = entry.get(_SHARD, [0])[0]
                data = Path(f"{prefix}.data-{shard:05d}-of-{shards:05d}")
                variables[name] = _variable(name, entry, data)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"{index} is damaged, or no checkpoint's index") from error
    except ValueError as error:
        raise ValueError(f"{index} cannot be read: {error}") from error
    return variables


def variables_in(variables: Mapping[str, Tensor], scope: str) -> dict[str, Tensor]:
    """The network's variables in a scope, by their names without it."""
    return {
        name.removeprefix(scope): value
        for name, value in variables.items()
        if name.startswith(scope) and name.rsplit("/", 1)[-1] not in _OTHERS
    }


def _variable(name: str, entry: dict[int, list], path: Path) -> Tensor:
    if _SLICES in entry:
        raise ValueError(f"{name} is stored in slices, which is not supported")
    with path.open("rb") as file:
        file.seek(entry.get(_OFFSET, [0])[0])
        data = file.read(entry.get(_SIZE, [0])[0])
    if masked_crc(data) != entry[_CHECKSUM][0]:
        raise ValueError(f"{name} in {path.name} is damaged")
    dimensions = _message(entry.get(_SHAPE, [b""])[0]).get(_DIMENSION, [])
    shape = [_message(d).get(_LENGTH, [0])[0] for d in dimensions]
    array = np.frombuffer(data, _DTYPES[entry[_DTYPE][0]])
    return torch.from_numpy(array.reshape(shape).copy())


def _table(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Keys and values of a table."""
    footer = content[-_FOOTER:]
    if int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise ValueError("it is damaged, or no checkpoint's index")
    _, position = _handle(footer, 0)  # of a block that has nothing for us
    for _, value in _block(content, _handle(footer, position)[0]):
        for key, entry in _block(content, _handle(value, 0)[0]):
            yield key.decode(), entry


def _block(content: bytes, place: tuple[int, int]) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block.

    A key is given by the number of bytes that it shares with the one before, and the
    others.
    """
    start, size = place
    block, trailer = content[start : start + size], content[start + size :][:5]
    if masked_crc(block + trailer[:1]) != int.from_bytes(trailer[1:], "little"):
        raise ValueError("it is damaged")
    if trailer[0]:
        raise ValueError("it is compressed, which is not supported")
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (restarts + 1)
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        others, position = _varint(block, position)
        length, position = _varint(block, position)
        key = key[:shared] + block[position : position + others]
        position += others
        yield key, block[position : position + length]
        position += length


def _handle(content: bytes, position: int) -> tuple[tuple[int, int], int]:
    """Start and size of a block, and where the next thing begins."""
    start, position = _varint(content, position)
    size, position = _varint(content, position)
    return (start, size), position


def _varint(content: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where the next begins."""
    value = shift = 0
    while True:
        byte = content[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def _message(content: bytes) -> dict[int, list]:
    """Values of a protocol buffer's fields by number: numbers, or bytes."""
    fields: dict[int, list] = {}
    position = 0
    while position < len(content):
        tag, position = _varint(content, position)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = _varint(content, position)
        elif kind == 2:
            length, position = _varint(content, position)
            value = content[position : position + length]
            position += length
        elif kind == 5:
            (value,) = struct.unpack("<I", content[position : position + 4])
            position += 4
        else:
            raise ValueError(f"field {number} has the unknown kind {kind}")
        fields.setdefault(number, []).append(value)
    return fields
