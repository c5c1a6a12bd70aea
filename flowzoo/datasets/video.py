"""Video datasets that say what is wrong with their files."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import torch
from mmaction.datasets import VideoDataset
from mmaction.registry import DATASETS
from mmengine.fileio import exists, isdir
from mmengine.logging import print_log

from ..deprecated import former_arguments
from ..io.text import read_lines
from .missing_files import advice
from .transforms import VideoError


@DATASETS.register_module()
class CheckedVideoDataset(VideoDataset):
    """mmaction2's ``VideoDataset`` with checks of the annotations and of the videos.

    In training, an unreadable video is skipped: another sample takes its place, a
    warning names it, and ``UnreadableVideosHook`` reports it at the end. In
    validation and test it is an error. Unreadable is what a transform says with a
    ``VideoError``, so the pipeline should decode with ``OpenVideo`` and
    ``DecodeFrames``.

    Args:
        ann_file: text file with lines of ``path label``, or ``path label label ...``
            with ``multi_class``. In test mode the label may be left out. Paths may
            have spaces, quotes around them, and backslashes as on Windows. Blanks and
            tabs separate, in any number; for encodings see
            :func:`flowzoo.io.text.read_text`.
        windows: lines may be ``path start end label``: the sample is the part of the
            video from start to end, in seconds, and nothing else of it is read.
        download_hint: a sentence for the error about missing files that says which
            command or page provides them.
        max_refetch: samples tried in place of an unreadable one.
        **kwargs: further arguments of ``VideoDataset``. With ``num_classes``, labels
            are checked against it.

    Attributes:
        max_label: the largest label of the annotation file, -1 without labels.

    Raises:
        FileNotFoundError: No annotation file, or no folder of videos.
        ValueError: A malformed annotation file; the message names file and line.
    """

    @former_arguments(how_to_get="download_hint")
    def __init__(
        self,
        ann_file: str,
        pipeline: list[dict | Callable],
        download_hint: str = "",
        max_refetch: int = 10,
        windows: bool = False,
        **kwargs,
    ) -> None:
        self.download_hint = download_hint
        self.windows = windows
        if windows and kwargs.get("multi_class"):
            raise ValueError("a window has one label: windows excludes multi_class")
        super().__init__(ann_file, pipeline, max_refetch=max_refetch, **kwargs)

    def full_init(self) -> None:
        if self._fully_initialized:
            return
        super().full_init()
        # In shared memory: workers of the data loader mark what they meet.
        self._unreadable = torch.zeros(len(self), dtype=torch.bool).share_memory_()

    def load_data_list(self) -> list[dict]:
        self._check_exists(exists, self.ann_file, "annotation file", "ann_file")
        folder = self.data_prefix.get("video")
        if folder:
            self._check_exists(isdir, folder, "folder of videos", "data_prefix.video")
        data_list = []
        self.max_label = -1
        for number, line in enumerate(read_lines(self.ann_file), 1):
            if not line.strip():
                continue
            try:
                filename, label = self._parse(line.strip())
                filename, window = self._split_window(filename)
            except ValueError as error:
                raise ValueError(f"{self.ann_file}, line {number}: {error}") from None
            filename = _find(filename, folder)
            data_list.append(dict(filename=filename, label=label, **window))
            largest = max(label, default=-1) if self.multi_class else label
            self.max_label = max(self.max_label, largest)
        if not data_list:
            raise ValueError(f"{self.ann_file} is empty: it should list the videos")
        return data_list

    def prepare_data(self, idx: int) -> dict | None:
        """Run the pipeline; None for a video that training should skip."""
        try:
            return super().prepare_data(idx)
        except VideoError as error:
            if self.test_mode:
                raise
            if not self._unreadable[idx]:
                self._unreadable[idx] = True
                message = f"Skipped in training: {error}"
                print_log(message, logger="current", level=logging.WARNING)
            return None

    def __getitem__(self, idx: int) -> dict:
        self.full_init()
        for _ in range(self.max_refetch + 1):
            data = self.prepare_data(idx)
            if data is not None:
                return data
            if self.test_mode:
                filename = self.get_data_info(idx)["filename"]
                raise RuntimeError(f"a transform returned None for {filename}")
            idx = self._rand_another()
        raise RuntimeError(
            f"{self.max_refetch + 1} videos in a row could not be read (see the "
            f"warnings above). Is the data of {self.ann_file} complete?"
        )

    @property
    def unreadable_mask(self) -> torch.Tensor:
        """(len(self),) bool: the videos that this process and its workers skipped."""
        self.full_init()
        return self._unreadable

    def _parse(self, line: str) -> tuple[str, int | list[int]]:
        # From the right, as names may have spaces.
        filename, *labels = self._split(line, 1)
        while self.multi_class and labels:
            rest, *number = self._split(filename, 1)
            if not (number and _is_integer(number[0])):
                break
            filename, labels = rest, number + labels
        if self.multi_class and self.test_mode and not all(map(_is_integer, labels)):
            filename, labels = line, []  # of no class; its name has spaces
        if not labels:
            if not self.test_mode:
                raise ValueError(
                    f"{line!r} has no label; expected 'path{self.delimiter}label'"
                )
            return filename, [] if self.multi_class else -1
        if not all(map(_is_integer, labels)):
            raise ValueError(
                f"{line!r} should be 'path{self.delimiter}label' with an integer label"
            )
        labels = [int(label) for label in labels]
        for label in labels:
            if label < 0:
                raise ValueError(f"label {label} is negative")
            if self.num_classes is not None and label >= self.num_classes:
                raise ValueError(
                    f"label {label} is outside 0..{self.num_classes - 1}, as the data "
                    f"set's num_classes is {self.num_classes}"
                )
        return filename, labels if self.multi_class else labels[0]

    def _split(self, text: str, times: int) -> list[str]:
        """Split from the right; a blank stands for any number of blanks and tabs."""
        delimiter = None if self.delimiter == " " else self.delimiter
        return [part.strip() for part in text.rsplit(delimiter, times)]

    def _split_window(self, filename: str) -> tuple[str, dict]:
        """The file's name, and start and end where the line has them."""
        parts = self._split(filename, 2)
        if not (self.windows and len(parts) == 3):
            return filename, {}
        try:
            start, end = float(parts[1]), float(parts[2])
        except ValueError:  # a whole video with spaces in its name
            return filename, {}
        if not 0 <= start < end < float("inf"):
            raise ValueError(f"the window from {start} to {end} s is none")
        return parts[0], dict(window=(start, end))

    def _check_exists(
        self, test: Callable[[str], bool], path: str, what: str, key: str
    ) -> None:
        if test(path):
            return
        testing = "val_dataloader or test_dataloader"
        loader = testing if self.test_mode else "train_dataloader"
        raise FileNotFoundError(
            f"{what} not found: {path} (relative to {Path.cwd()}; it is {key} of the "
            f"{type(self).__name__} in {loader}). "
            f"{advice(path, self.download_hint)}".rstrip()
        )


def _find(name: str, folder: str | None) -> str:
    """Path of a file whose name may be quoted, or written with backslashes.

    Such a name is taken as it stands where there is a file of it.
    """
    plain = name
    if len(name) > 2 and name[0] == name[-1] and name[0] in "\"'":
        plain = name[1:-1]
    plain = plain.replace("\\", "/")

    def located(name: str) -> str:
        return str(Path(folder) / name) if folder else name

    if plain != name and exists(located(name)):
        return located(name)
    return located(plain)


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal()
