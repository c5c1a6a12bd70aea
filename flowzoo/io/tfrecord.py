"""TFRecord files of SequenceExamples, read without TensorFlow.

A record is: its length (8 bytes, little endian), the length's checksum (4), the data,
the data's checksum (4). A checksum is the CRC-32C, rotated right by 15 bits, plus a
constant. ``pip install 'flowzoo[youtube8m]'`` brings what this needs: protobuf and
google-crc32c.
"""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .protobuf import message_class

HEADER = struct.Struct("<QI")
CHECKSUM = struct.Struct("<I")
MASK_DELTA = 0xA282EAD8


@dataclass(frozen=True)
class BadRecord:
    """What is wrong with a piece of a file."""

    path: Path
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}, byte {self.offset}: {self.reason}"


class RecordError(RuntimeError):
    """A record that cannot be read; the message names file and place."""


@dataclass
class RecordIndex:
    """Where the records of a file lie.

    Attributes:
        offsets: (R,) int64, of the data.
        lengths: (R,) int64, of the data.
        bad: what was left out.
    """

    offsets: np.ndarray
    lengths: np.ndarray
    bad: list[BadRecord] = field(default_factory=list)


def masked_crc(data: bytes) -> int:
    """The checksum of TFRecord files and of TensorFlow's checkpoints."""
    try:
        import google_crc32c
    except ImportError as error:
        raise ImportError(_how_to_install("google-crc32c")) from error
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def index_records(path: str | Path, verify: bool = False) -> RecordIndex:
    """Find the records of a file by their headers.

    Args:
        path: a TFRecord file, not compressed.
        verify: also read the data and check it, instead of when it is used. What fails
            is left out. After a bad length nothing says where the next record starts,
            so that the rest of the file is left out, too.
    """
    path = Path(path)
    size = path.stat().st_size
    offsets, lengths, bad = [], [], []
    position = 0
    with path.open("rb") as file:
        while position < size:
            header = file.read(HEADER.size)
            if len(header) < HEADER.size:
                bad.append(BadRecord(path, position, "cut short in a header"))
                break
            length, checksum = HEADER.unpack(header)
            if masked_crc(header[:8]) != checksum:
                reason = (
                    "not a TFRecord file, or its length is corrupt; the remaining "
                    f"{size - position} bytes are skipped"
                )
                bad.append(BadRecord(path, position, reason))
                break
            start = position + HEADER.size
            position_after = start + length + CHECKSUM.size
            if position_after > size:
                bad.append(BadRecord(path, position, "cut short in a record"))
                break
            if verify and not _is_whole(file.read(length), file.read(CHECKSUM.size)):
                reason = "corrupt: its data does not match its checksum"
                bad.append(BadRecord(path, position, reason))
            else:
                offsets.append(start)
                lengths.append(length)
            position = position_after
            file.seek(position)
    return RecordIndex(np.array(offsets, np.int64), np.array(lengths, np.int64), bad)


def read_record(path: str | Path, offset: int, length: int) -> bytes:
    """The data of a record, checked.

    Raises:
        RecordError: The data does not match its checksum.
    """
    with Path(path).open("rb") as file:
        file.seek(offset)
        data = file.read(length)
        checksum = file.read(CHECKSUM.size)
    if len(data) < length or not _is_whole(data, checksum):
        raise RecordError(f"{path}, byte {offset}: the record's data is corrupt")
    return data


def _is_whole(data: bytes, checksum: bytes) -> bool:
    return len(checksum) == CHECKSUM.size and (
        masked_crc(data) == CHECKSUM.unpack(checksum)[0]
    )


def record_bytes(data: bytes) -> bytes:
    """A record with its length and checksums, ready to be written."""
    length = struct.pack("<Q", len(data))
    return b"".join(
        (
            length,
            CHECKSUM.pack(masked_crc(length)),
            data,
            CHECKSUM.pack(masked_crc(data)),
        )
    )


@functools.cache
def sequence_example_class() -> Any:
    """The message tensorflow.SequenceExample, from its published definition.

    The maps of the definition are lists of key and value here, which are the same
    bytes.
    """
    definitions = dict(
        BytesList=dict(value=(1, "repeated bytes")),
        FloatList=dict(value=(1, "repeated float")),
        Int64List=dict(value=(1, "repeated int64")),
        Feature=dict(
            bytes_list=(1, "BytesList"),
            float_list=(2, "FloatList"),
            int64_list=(3, "Int64List"),
        ),
        NamedFeature=dict(key=(1, "string"), value=(2, "Feature")),
        Features=dict(feature=(1, "repeated NamedFeature")),
        FeatureList=dict(feature=(1, "repeated Feature")),
        NamedFeatureList=dict(key=(1, "string"), value=(2, "FeatureList")),
        FeatureLists=dict(feature_list=(1, "repeated NamedFeatureList")),
        SequenceExample=dict(
            context=(1, "Features"), feature_lists=(2, "FeatureLists")
        ),
    )
    how_to_install = _how_to_install("protobuf")
    return message_class("SequenceExample", "proto3", definitions, how_to_install)


def _how_to_install(package: str) -> str:
    return (
        f"reading TensorFlow's files needs {package}: pip install 'flowzoo[youtube8m]'"
    )
