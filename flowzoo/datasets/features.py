"""Files of feature sequences, and the dataset that reads them.

A file holds a split. It is a .npz, not compressed; ``numpy.load`` reads it, too:

- ``meta``: a JSON text with ``format`` ('flowzoo-features'), ``version`` (1),
  ``channels`` (D), and where the features come from.
- ``names``: (V,) text, the videos' names without suffix.
- ``labels``: (L,) int64, the labels of all videos one after the other, and
  ``label_ends``: (V,) int64, where those of each video end.
- ``features/00000000`` and so on: (T_i, D) of each video, T_i of its own, float16 or
  float32.

Each member has a checksum, as in any .zip file, which is checked whenever it is read.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from mmaction.registry import DATASETS
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from ..deprecated import former_arguments
from .missing_files import advice

FORMAT = "flowzoo-features"
VERSION = 1


class FeatureFileError(RuntimeError):
    """A file of features that is damaged, or is none."""


class FeatureFile:
    """A file of features, open for reading.

    Args:
        path: of the .npz.

    Attributes:
        meta: what the file says of itself.
        names: of the videos.
        labels: a list of labels for each video.
        channels: D.

    Raises:
        FileNotFoundError: There is no such file.
        FeatureFileError: It is damaged, or is not a file of features.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._process, self._zip = -1, None
        if not self.path.is_file():
            raise FileNotFoundError(f"no file of features: {path}")
        self.meta = self._read_meta()
        self.channels = int(self.meta["channels"])
        self.names = [str(name) for name in self._read("names")]
        ends = self._read("label_ends")
        labels = np.split(self._read("labels"), ends)[:-1]
        self.labels = [row.tolist() for row in labels]
        if not len(self.names) == len(self.labels):
            raise FeatureFileError(
                f"{path} has {len(self.names)} names and labels of {len(self.labels)}"
            )

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> np.ndarray:
        """(T, D) of a video."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self.path} has {len(self)} videos, not number {index}")
        features = self._read(member(index))
        if features.ndim != 2 or features.shape[1] != self.channels:
            raise FeatureFileError(
                f"{self.path}: features of {self.names[index]} are {features.shape}, "
                f"not (T, {self.channels})"
            )
        return features

    def _read_meta(self) -> dict:
        try:
            meta = json.loads(str(self._read("meta")))
        except (KeyError, ValueError) as error:
            raise FeatureFileError(f"{self.path} has no meta: {error}") from error
        if meta.get("format") != FORMAT or meta.get("version") != VERSION:
            raise FeatureFileError(
                f"{self.path} is not a {FORMAT} file of version {VERSION}: "
                f"{meta.get('format')} of version {meta.get('version')}"
            )
        return meta

    def _read(self, name: str) -> np.ndarray:
        try:
            if self._process != os.getpid():  # forked workers must not share a position
                self._zip = zipfile.ZipFile(self.path)
                self._process = os.getpid()
            data = self._zip.read(f"{name}.npy")
        except (zipfile.BadZipFile, EOFError, KeyError) as error:
            raise FeatureFileError(
                f"{self.path}: {name} cannot be read, the file is damaged or not of "
                f"tools/data/extract_features.py ({error})"
            ) from error
        return np.load(io.BytesIO(data))

    def __getstate__(self) -> dict:
        return self.__dict__ | dict(_process=-1, _zip=None)


def member(index: int) -> str:
    """Name of a video's features inside the file."""
    return f"features/{index:08d}"


class FeatureWriter:
    """Write a file of features, video by video, in any order.

    Until :meth:`finish` the videos lie in a folder ``PATH.parts``, one file each, which
    appears whole or not at all; a writer for the same path continues from there.

    Args:
        path: of the .npz.
        names: of all videos of the split.
        labels: for each video a list of labels.
        meta: where the features come from; must be the same when continuing.

    Raises:
        FileExistsError: ``path`` exists, or its parts are of other videos or another
            source.
    """

    def __init__(
        self,
        path: str | Path,
        names: Sequence[str],
        labels: Sequence[Sequence[int]],
        meta: dict,
    ) -> None:
        self.path = Path(path)
        self.names, self.labels = list(names), [list(row) for row in labels]
        if len(set(self.names)) != len(self.names):
            twice = next(n for n in self.names if self.names.count(n) > 1)
            raise ValueError(f"two videos are called {twice!r}")
        self.meta = dict(format=FORMAT, version=VERSION) | meta
        self.parts = self.path.with_name(f"{self.path.name}.parts")
        if self.path.exists():
            raise FileExistsError(f"{self.path} exists already")
        self.parts.mkdir(parents=True, exist_ok=True)
        manifest = self.parts / "manifest.json"
        content = json.dumps([self.meta, self.names, self.labels])
        if not manifest.exists():
            _write(manifest, content.encode())
        elif manifest.read_text() != content:
            raise FileExistsError(
                f"{self.parts} is of other videos, another config or another "
                "checkpoint; remove it to start anew"
            )

    def missing(self) -> list[int]:
        """Numbers of the videos that are still to be added."""
        return [i for i in range(len(self.names)) if not self._part(i).exists()]

    def add(self, index: int, features: np.ndarray) -> None:
        """Add (T, D) of a video."""
        if features.ndim != 2 or not features.size:
            raise ValueError(f"features should be (T, D), got {features.shape}")
        if not np.isfinite(features).all():
            raise ValueError(
                f"features of {self.names[index]} are not finite (as {features.dtype})"
            )
        _write(self._part(index), _npy_bytes(features))

    def finish(self, unreadable: Sequence[int] = ()) -> FeatureFile:
        """Put all videos into the file, check it, and remove the parts.

        Args:
            unreadable: numbers of videos to leave out; the file's meta names them.
        """
        kept = self._kept(unreadable)
        meta = self.meta | dict(
            channels=np.load(self._part(kept[0]), mmap_mode="r").shape[1],
            unreadable=[self.names[i] for i in sorted(set(unreadable))],
        )
        labels = [self.labels[i] for i in kept]
        partial = self.path.with_name(f"{self.path.name}.partial")
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            for name, value in (
                ("meta", np.array(json.dumps(meta))),
                ("names", np.array([self.names[i] for i in kept])),
                ("labels", np.array([*itertools.chain(*labels)], np.int64)),
                ("label_ends", np.cumsum([len(row) for row in labels])),
            ):
                archive.writestr(f"{name}.npy", _npy_bytes(value))
            for number, i in enumerate(kept):
                archive.write(self._part(i), f"{member(number)}.npy")
        written = FeatureFile(partial)
        for number in range(len(written)):  # reading checks shape and checksum
            written[number]
        partial.rename(self.path)
        shutil.rmtree(self.parts)
        return FeatureFile(self.path)

    def _kept(self, unreadable: Sequence[int]) -> list[int]:
        """Numbers of the videos to be written, all of which have been added."""
        left_out = set(unreadable)
        absent = [i for i in self.missing() if i not in left_out]
        if absent:
            first = self.names[absent[0]]
            raise ValueError(f"{len(absent)} videos are missing, the first is {first}")
        kept = [i for i in range(len(self.names)) if i not in left_out]
        if not kept:
            raise ValueError("no video is left to be written")
        return kept

    def _part(self, index: int) -> Path:
        return self.parts / f"{index:08d}.npy"


def _npy_bytes(value: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, value, allow_pickle=False)
    return stream.getvalue()


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_bytes(data)
    temporary.rename(path)


@DATASETS.register_module()
class FeatureDataset(BaseDataset):
    """Feature sequences of videos, from files of ``tools/data/extract_features.py``.

    Gives the pipeline ``features``, a dict of (T, D) for each stream, ``label`` and
    ``name``. The streams' videos are matched by name; a video that a stream lacks is
    left out, and a warning counts them.

    Args:
        pipeline: data transforms.
        appearance, flow: files of features; one may be left out.
        num_classes: labels are checked against it.
        multi_class: give all labels of a video, as a list, instead of its only one.
        download_hint: a sentence for the error about a missing file that says which
            command makes it.
        **kwargs: further arguments of mmengine's ``BaseDataset``, such as
            ``test_mode`` and ``indices``.

    Raises:
        FileNotFoundError: No file of features.
        ValueError: Labels do not fit, or the streams have no video in common.
    """

    @former_arguments(how_to_get="download_hint")
    def __init__(
        self,
        pipeline: list[dict | Callable],
        appearance: str | None = None,
        flow: str | None = None,
        num_classes: int | None = None,
        multi_class: bool = False,
        download_hint: str = "",
        **kwargs,
    ) -> None:
        paths = dict(appearance=appearance, flow=flow)
        self.paths = {stream: path for stream, path in paths.items() if path}
        if not self.paths:
            raise ValueError("FeatureDataset needs appearance, flow, or both")
        self.num_classes = num_classes
        self.multi_class = multi_class
        self.download_hint = download_hint
        super().__init__(pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict]:
        self.files = {}
        for stream, path in self.paths.items():
            try:
                self.files[stream] = FeatureFile(path)
            except FileNotFoundError as error:
                hint = advice(path, self.download_hint)
                message = f"{error} (relative to {Path.cwd()}). {hint}"
                raise FileNotFoundError(message.rstrip()) from None
        places = {
            stream: {name: i for i, name in enumerate(file.names)}
            for stream, file in self.files.items()
        }
        first = next(iter(self.files.values()))
        everywhere = set(first.names).intersection(*places.values())
        total = len(set().union(*places.values()))
        if not everywhere:
            raise ValueError(f"{self.paths} have no video in common")
        if len(everywhere) < total:
            print_log(
                f"{total - len(everywhere)} of {total} videos are not in all of "
                f"{self.paths} and were left out",
                logger="current",
                level=logging.WARNING,
            )
        return [
            dict(
                name=name,
                label=self._label(first, i),
                places={stream: place[name] for stream, place in places.items()},
            )
            for i, name in enumerate(first.names)
            if name in everywhere
        ]

    def get_data_info(self, idx: int) -> dict:
        info = super().get_data_info(idx)
        places = info.pop("places")
        info["features"] = {s: self.files[s][place] for s, place in places.items()}
        return info

    def _label(self, file: FeatureFile, index: int) -> int | list[int]:
        labels = file.labels[index]
        for label in labels:
            if label < 0 or (self.num_classes and label >= self.num_classes):
                raise ValueError(
                    f"{file.path}: label {label} of {file.names[index]} is not one of "
                    f"{self.num_classes} classes"
                )
        if self.multi_class:
            return labels
        if len(labels) != 1:
            raise ValueError(
                f"{file.path}: {file.names[index]} has {len(labels)} labels; set "
                "multi_class=True for any number of them"
            )
        return labels[0]
