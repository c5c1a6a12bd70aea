"""YouTube-8M's frame-level features, read from its own files."""

from __future__ import annotations

import glob
import logging
import shutil
from collections.abc import Callable, Sequence

import numpy as np
import torch
from mmaction.registry import DATASETS
from mmengine.dataset import Compose
from mmengine.logging import print_log
from torch.utils.data import Dataset

from ..io.tfrecord import (
    BadRecord,
    RecordError,
    index_records,
    read_record,
    record_bytes,
    sequence_example_class,
)
from .features import FeatureWriter

CHANNELS = dict(rgb=1024, audio=128)
QUANTIZED_RANGE = (-2.0, 2.0)
LISTED = 20  # bad records that a message names


def dequantize(
    values: np.ndarray, lowest: float = -2.0, highest: float = 2.0
) -> np.ndarray:
    """8-bit levels back to features, float32, as YouTube-8M's own reader does.

    Level q is the middle of its interval: q * (highest - lowest) / 255
    + (highest - lowest) / 512 + lowest.
    """
    width = highest - lowest
    return values.astype(np.float32) * (width / 255) + (width / 512 + lowest)


def quantize(
    features: np.ndarray, lowest: float = -2.0, highest: float = 2.0
) -> np.ndarray:
    """Features, float32, to 8-bit levels, as YouTube-8M's own writer does."""
    if features.dtype != np.float32:
        raise ValueError(f"features should be float32, got {features.dtype}")
    if not np.isfinite(features).all():
        raise ValueError("features are not finite")
    clipped = features.clip(lowest, highest) - np.float32(lowest)
    return np.rint(clipped * np.float32(255 / (highest - lowest))).astype(np.uint8)


@DATASETS.register_module()
class YouTube8MDataset(Dataset):
    """Videos of YouTube-8M's frame-level TFRecord files.

    Gives the pipeline ``features=dict(appearance=(T, C) float32)``, ``label`` (a list
    of class indices) and ``name``. Bad records are skipped, counted (``num_skipped``)
    and named in a warning: truncated ones at once, those whose data is corrupt at once
    in test mode, where every record is checked before, and otherwise when training
    meets them, where another video takes their place.

    Args:
        files: patterns of file names, such as 'data/youtube8m/frame/train*.tfrecord'.
        pipeline: data transforms.
        features: 'rgb' (1024 channels), 'audio' (128), or both side by side.
        num_classes: labels are checked against it.
        held_out: True for the files that are reserved for validation, False for the
            others, None for all. Every 1 / ``hold_out``-th file in the order of names
            is reserved.
        hold_out: share of the files that is reserved; 0.15 as in the paper.
        test_mode: check every record at the start.
        max_refetch: videos tried in place of a corrupt one in training.
    """

    def __init__(
        self,
        files: str | Sequence[str],
        pipeline: list[dict | Callable],
        features: Sequence[str] = ("rgb",),
        num_classes: int = 3862,
        held_out: bool | None = None,
        hold_out: float = 0.15,
        test_mode: bool = False,
        max_refetch: int = 10,
    ) -> None:
        unknown = set(features) - set(CHANNELS)
        if unknown or not features:
            raise ValueError(
                f"features={features!r} should be some of {tuple(CHANNELS)}"
            )
        self.features = tuple(features)
        self.num_classes = num_classes
        self.test_mode = test_mode
        self.max_refetch = max_refetch
        self.pipeline = Compose(pipeline)
        self.metainfo = dict(num_classes=num_classes)
        self.files = _choose(_find(files), held_out, hold_out)
        self._index()

    def _index(self) -> None:
        indices = [index_records(path, verify=self.test_mode) for path in self.files]
        counts = [len(index.offsets) for index in indices]
        self._file = np.repeat(np.arange(len(indices), dtype=np.int32), counts)
        self._offset = np.concatenate([index.offsets for index in indices])
        self._length = np.concatenate([index.lengths for index in indices])
        if not len(self):
            raise ValueError(
                f"no whole record in {len(self.files)} files: {self.files}"
            )
        self.bad: list[BadRecord] = [bad for index in indices for bad in index.bad]
        # In shared memory: workers of the data loader mark what they meet.
        self._corrupt = torch.zeros(len(self), dtype=torch.bool).share_memory_()
        if self.bad:
            lines = [str(bad) for bad in self.bad[:LISTED]]
            if len(self.bad) > LISTED:
                lines.append(f"... and {len(self.bad) - LISTED} more")
            _warn(
                f"{len(self.bad)} bad places in {len(self.files)} files of YouTube-8M "
                f"were skipped; {len(self)} records are left:\n  " + "\n  ".join(lines)
            )

    @property
    def num_skipped(self) -> int:
        """Bad records found so far, in this process and its workers."""
        return len(self.bad) + int(self._corrupt.sum())

    def __len__(self) -> int:
        return len(self._offset)

    def __getitem__(self, index: int) -> dict:
        for _ in range(self.max_refetch + 1):
            try:
                return self.pipeline(self.get_data_info(index))
            except RecordError as error:
                if self.test_mode:  # it was whole at the start
                    raise
                if not self._corrupt[index]:
                    self._corrupt[index] = True
                    _warn(f"Skipped in training: {error}")
            index = np.random.randint(len(self))
        raise RuntimeError(
            f"{self.max_refetch + 1} records in a row could not be read (see the "
            "warnings above). Are the files of YouTube-8M complete?"
        )

    def get_data_info(self, index: int) -> dict:
        """Read a video.

        Raises:
            RecordError: The record is corrupt or not of YouTube-8M's kind.
        """
        path = self.files[self._file[index]]
        offset, length = int(self._offset[index]), int(self._length[index])
        data = read_record(path, offset, length)
        try:
            name, labels, frames = parse_video(data, self.features)
        except ValueError as error:
            raise RecordError(f"{path}, byte {offset}: {error}") from error
        if labels and max(labels) >= self.num_classes:
            raise RecordError(
                f"{path}, byte {offset}: label {max(labels)} of video {name} is not "
                f"below num_classes={self.num_classes}"
            )
        return dict(name=name, label=labels, features=dict(appearance=frames))


class YouTube8MWriter(FeatureWriter):
    """Write a frame-level TFRecord file, as a :class:`FeatureWriter` does a .npz.

    What is added of a video are levels (T, 1024) of :func:`quantize`.
    """

    def finish(self, unreadable: Sequence[int] = ()) -> int:
        """Put all videos into the file, and remove the parts.

        Args:
            unreadable: numbers of videos to leave out.

        Returns:
            The number of videos in the file.
        """
        kept = self._kept(unreadable)
        partial = self.path.with_name(f"{self.path.name}.partial")
        with partial.open("wb") as file:
            for i in kept:
                levels = np.load(self._part(i))
                video = video_bytes(self.names[i], self.labels[i], levels)
                file.write(record_bytes(video))
        partial.rename(self.path)
        shutil.rmtree(self.parts)
        return len(kept)


def video_bytes(name: str, labels: Sequence[int], levels: np.ndarray) -> bytes:
    """A SequenceExample with levels (T, 1024) of a video; see :func:`parse_video`."""
    if levels.dtype != np.uint8 or levels.shape[1:] != (CHANNELS["rgb"],):
        raise ValueError(
            f"levels should be (T, {CHANNELS['rgb']}) uint8, got {levels.shape} "
            f"{levels.dtype}"
        )
    example = sequence_example_class()()
    context = example.context.feature
    context.add(key="id").value.bytes_list.value.append(name.encode())
    context.add(key="labels").value.int64_list.value.extend(labels)
    frames = example.feature_lists.feature_list.add(key="rgb").value.feature
    for row in levels:
        frames.add().bytes_list.value.append(row.tobytes())
    return example.SerializeToString()


def parse_video(
    data: bytes, features: Sequence[str] = ("rgb",)
) -> tuple[str, list[int], np.ndarray]:
    """A SequenceExample of YouTube-8M.

    Args:
        data: the record.
        features: names of feature lists with a byte string for each frame.

    Returns:
        The video's id, its labels, and (T, C) float32 features.

    Raises:
        ValueError: Something is missing or has another size.
    """
    try:
        example = sequence_example_class().FromString(data)
    except Exception as error:  # protobuf's DecodeError, whatever the implementation
        raise ValueError(f"not a SequenceExample ({error})") from error
    context = {f.key: f.value for f in example.context.feature}
    lists = {f.key: f.value for f in example.feature_lists.feature_list}
    missing = ({"id", "labels"} - set(context)) | (set(features) - set(lists))
    if missing:
        raise ValueError(f"the record has no {', '.join(sorted(missing))}")
    if len(context["id"].bytes_list.value) != 1:
        raise ValueError("the record should have one id")
    streams = []
    for name in features:
        frames = [f.bytes_list.value for f in lists[name].feature]
        flat = b"".join(value[0] if len(value) == 1 else b"" for value in frames)
        if not frames or len(flat) != len(frames) * CHANNELS[name]:
            raise ValueError(
                f"{name!r} should have {CHANNELS[name]} bytes for each of its "
                f"{len(frames)} frames, got {len(flat)} in all"
            )
        levels = np.frombuffer(flat, np.uint8).reshape(len(frames), -1)
        streams.append(dequantize(levels, *QUANTIZED_RANGE))
    if len({len(stream) for stream in streams}) > 1:
        raise ValueError(f"{features} differ in their number of frames")
    labels = list(context["labels"].int64_list.value)
    if min(labels, default=0) < 0:
        raise ValueError(f"label {min(labels)} is negative")
    name = context["id"].bytes_list.value[0].decode("utf-8", "replace")
    return name, labels, np.concatenate(streams, axis=1)


def _find(patterns: str | Sequence[str]) -> list[str]:
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    files = []
    for pattern in patterns:
        found = glob.glob(pattern)  # noqa: PTH207, a pattern may be absolute
        if not found:
            raise FileNotFoundError(
                f"no file matches {pattern!r}; YouTube-8M's frame-level features are "
                "at https://research.google.com/youtube8m/download.html"
            )
        files += found
    return sorted(set(files))


def _choose(files: list[str], held_out: bool | None, share: float) -> list[str]:
    if held_out is None:
        return files
    reserved = [int((i + 1) * share) > int(i * share) for i in range(len(files))]
    chosen = [f for f, r in zip(files, reserved, strict=True) if r == held_out]
    if not chosen:
        raise ValueError(
            f"{len(files)} files are too few to hold out {share:g} of them"
        )
    return chosen


def _warn(message: str) -> None:
    print_log(message, logger="current", level=logging.WARNING)
