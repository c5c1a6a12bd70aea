"""UCF101: UCF101.rar and UCF101TrainTestSplits-RecognitionTask.zip."""

from __future__ import annotations

from pathlib import Path

from .records import DataSet, PreparationError, Sample, VideoList
from .sources import Sources, read_official

ANNOTATION_ARCHIVES = ("UCF101TrainTestSplits*",)
PUBLISHED = {1: (9537, 3783), 2: (9586, 3734), 3: (9624, 3696)}


def read(sources: Sources) -> DataSet:
    """The three splits."""
    classes = read_classes(sources)
    lists = []
    for split, numbers in PUBLISHED.items():
        for official, name, published in zip(
            ("train", "test"), ("train", "val"), numbers, strict=True
        ):
            lists.append(
                VideoList(
                    f"ucf101_{name}_split_{split}_videos.txt",
                    read_split(sources, f"{official}list{split:02d}.txt", classes),
                    published,
                )
            )
    return DataSet(classes, lists)


def read_classes(sources: Sources) -> list[str]:
    """classInd.txt: lines of ``1 ApplyEyeMakeup``."""
    path = sources.annotation(r"class ?ind(ex)?\.txt", "classInd.txt of UCF101")
    rows = [line.split() for line in read_official(path).splitlines() if line.strip()]
    if [row[0] for row in rows] != [str(i) for i in range(1, 102)]:
        raise PreparationError(f"{path} should have lines of 'NUMBER CLASS', 1 to 101")
    return [row[1] for row in rows]


def read_split(sources: Sources, file: str, classes: list[str]) -> list[Sample]:
    """A list with lines of ``CLASS/NAME.avi``; for training, with a number behind."""
    path = sources.annotation(file.replace(".", r"\."), f"{file} of UCF101")
    return [
        read_video(sources, line, path, classes)
        for line in read_official(path).splitlines()
        if line.strip()
    ]


def read_video(sources: Sources, line: str, path: Path, classes: list[str]) -> Sample:
    name, *number = line.split()
    folder, _, file = name.partition("/")
    if folder not in classes or not file:
        raise PreparationError(f"{path}: {line!r} should begin with CLASS/NAME.avi")
    label = classes.index(folder)
    if number and number != [str(label + 1)]:
        raise PreparationError(
            f"{path}: {line!r} gives number {number[0]} to a class that classInd.txt "
            f"gives {label + 1}; the two files should be of one release"
        )
    return Sample(name, sources.find_renamed_video(file, folder), (label,))
