"""HMDB51: hmdb51_org.rar and test_train_splits.rar."""

from __future__ import annotations

from pathlib import Path

from .records import DataSet, PreparationError, Sample, VideoList
from .sources import Sources, read_official

ANNOTATION_ARCHIVES = ("test_train_splits*",)
_NUM_CLASSES = 51
_PARTS = {"1": ("train", 3570), "2": ("val", 1530)}  # 0: in neither


def read(sources: Sources) -> DataSet:
    """The three splits; classes are numbered in alphabetical order."""
    lists = []
    for split in (1, 2, 3):
        ending = f"_test_split{split}.txt"
        files = {
            path.name.removesuffix(ending): path
            for path in sources.annotations(rf".+_test_split{split}\.txt")
        }
        if len(files) != _NUM_CLASSES:
            raise PreparationError(
                f"{len(files)} files CLASS{ending} below {sources.root.absolute()} "
                f"instead of {_NUM_CLASSES}: unpack test_train_splits.rar there"
            )
        classes = sorted(files)
        samples = {name: [] for name, _ in _PARTS.values()}
        for label, name in enumerate(classes):
            for line in read_official(files[name]).splitlines():
                if line.strip():
                    video, part = _parse(line, files[name])
                    if part in _PARTS:
                        path = sources.find_renamed_video(video, name)
                        sample = Sample(f"{name}/{video}", path, (label,))
                        samples[_PARTS[part][0]].append(sample)
        lists += [
            VideoList(f"hmdb51_{name}_split_{split}_videos.txt", samples[name], number)
            for name, number in _PARTS.values()
        ]
    return DataSet(classes, lists)


def _parse(line: str, path: Path) -> tuple[str, str]:
    video, *part = line.rsplit(maxsplit=1)
    if part not in (["0"], ["1"], ["2"]):
        raise PreparationError(f"{path}: {line!r} should be 'NAME.avi 0', 1 or 2")
    return video, part[0]
