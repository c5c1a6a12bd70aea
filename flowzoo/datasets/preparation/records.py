"""What the preparation of a dataset knows of its videos."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


class PreparationError(RuntimeError):
    """Something that the user must change; the message says what."""


@dataclass(frozen=True)
class Sample:
    """A line of an annotation file.

    Args:
        name: of the video, as the official list has it.
        path: of the file, relative to the folder of videos; None: there is none.
        labels: numbers of its classes.
        window: start and end in seconds, of a part of the video.
    """

    name: str
    path: str | None
    labels: tuple[int, ...]
    window: tuple[float, float] | None = None

    def has_duration(self) -> bool:
        """Whether the window can be read; where a time is NaN, it cannot."""
        return 0 <= self.window[0] < self.window[1] < math.inf

    def line(self) -> str:
        """``path label label ...`` or ``path start end label``."""
        window = () if self.window is None else (f"{time:.10g}" for time in self.window)
        return " ".join([self.path, *window, *map(str, self.labels)])


@dataclass
class VideoList:
    """An annotation file to be.

    Args:
        file: name of the file.
        samples: its lines, before any is left out.
        published: number of samples that the dataset's authors state.
    """

    file: str
    samples: list[Sample]
    published: int | None = None


@dataclass
class DataSet:
    """Classes, in the order of their numbers, and annotation files of a dataset.

    Args:
        notes: for the report, about the official files.
    """

    classes: list[str]
    lists: list[VideoList]
    notes: list[str] = field(default_factory=list)

    def paths(self) -> list[str]:
        """Each video file once."""
        samples = (sample for part in self.lists for sample in part.samples)
        return list(dict.fromkeys(s.path for s in samples if s.path is not None))
