"""THUMOS14: validation_set.mat, test_set_meta.mat, temporal annotations, and UCF101."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import ucf101
from .records import DataSet, PreparationError, Sample, VideoList
from .sources import Sources, read_official

ANNOTATION_ARCHIVES = (
    *ucf101.ANNOTATION_ARCHIVES,
    "TH14_Temporal_annotations_*",
    "*_meta.zip",
    "THUMOS14_evalkit*",
)
# Windows of the first are annotated with the second as well.
_PARENT = {"CliffDiving": "Diving"}
_SAME = 0.1  # seconds between the ends of two windows of one action
_PUBLISHED = dict(train=13320, val=1010, test=1574)


def read(sources: Sources) -> DataSet:
    """Training on UCF101 and on windows of the validation videos; untrimmed videos.

    Classes are UCF101's, with their numbers.
    """
    classes = ucf101.read_classes(sources)
    train = [
        sample
        for part in ("train", "test")  # a split of UCF101 is all of it
        for sample in ucf101.read_split(sources, f"{part}list01.txt", classes)
    ]
    windows, notes = _read_windows(sources, classes)
    videos = _read_videos(sources, r"validation_set(_meta)?\.mat", "validation")
    without = {v.name for v in videos} - {w.name for w in windows}
    if without:
        notes.append(
            f"{len(without)} of {len(videos)} validation videos have no window"
        )
    return DataSet(
        classes,
        [
            VideoList("thumos14_train_videos.txt", train, _PUBLISHED["train"]),
            VideoList("thumos14_trainval_windows.txt", train + windows),
            VideoList(
                "thumos14_val_videos.txt",
                videos,
                _PUBLISHED["val"],
            ),
            VideoList(
                "thumos14_test_videos.txt",
                _read_videos(sources, r"test_set_(meta|final)\.mat", "test"),
                _PUBLISHED["test"],
            ),
        ],
        notes,
    )


def _read_videos(sources: Sources, pattern: str, part: str) -> list[Sample]:
    """Classes of untrimmed videos, the main one first; background videos show none."""
    from scipy.io import loadmat  # imports for a second

    path = sources.annotation(pattern, f"the .mat file of the {part} videos")
    try:
        table = loadmat(path, simplify_cells=True)[f"{part}_videos"]
        return [_read_video(sources, row) for row in np.atleast_1d(table)]
    except Exception as error:  # scipy's are of any kind
        raise PreparationError(
            f"{path} is not the list of THUMOS14's {part} videos ({error!r}); download "
            "it again"
        ) from error


def _read_video(sources: Sources, row: dict) -> Sample:
    labels = []
    if row.get("background_video") != "YES":
        others = np.ravel(row["secondary_actions_indices"])
        labels = [int(row["primary_action_index"]), *map(int, others)]
    if not all(1 <= label <= 101 for label in labels):
        raise ValueError(f"{row['video_name']} has classes {labels}")
    name = row["video_name"]
    path = sources.find_video(name, any_suffix=True)
    return Sample(name, path, tuple(dict.fromkeys(label - 1 for label in labels)))


def _read_windows(
    sources: Sources, classes: list[str]
) -> tuple[list[Sample], list[str]]:
    """CLASS_val.txt with lines of ``video_validation_0000001 start end``, and notes."""
    files = [
        path
        for path in sources.annotations(r".+_val\.txt")
        if path.name != "Ambiguous_val.txt"
    ]
    if not files:
        raise PreparationError(
            f"no BaseballPitch_val.txt and so on below {sources.root.absolute()}: "
            "TH14_Temporal_annotations_validation.zip has them"
        )
    windows, notes = [], []
    for path in files:
        name = path.name.removesuffix("_val.txt")
        if name not in classes:
            raise PreparationError(f"{path}: {name} is no class of THUMOS14")
        windows += _read_file(sources, path, classes.index(name), notes)
    kept = _without_parents(windows, classes)
    if len(kept) < len(windows):
        notes.append(
            f"{len(windows) - len(kept)} windows of a class are left out, as they are "
            "annotated with its subclass as well (CliffDiving is also Diving)"
        )
    ambiguous = sources.annotations(r"Ambiguous_val\.txt")
    number = sum(bool(line.strip()) for f in ambiguous for line in _lines(f))
    if number:
        notes.append(f"{number} windows of Ambiguous_val.txt are left out")
    return kept, notes


def _lines(path: Path) -> list[str]:
    return read_official(path).splitlines()


def _read_file(
    sources: Sources, path: Path, label: int, notes: list[str]
) -> list[Sample]:
    """Windows of a class; repeated ones and those without duration are left out."""
    lines = [line for line in _lines(path) if line.strip()]
    windows = [_read_window(sources, line, path, label) for line in lines]
    usable = [window for window in windows if window.has_duration()]
    for number, what in (
        (
            len(windows) - len(usable),
            "end before they start, or start below 0",
        ),
        (len(usable) - len(set(usable)), "are repeated"),
    ):
        if number:
            notes.append(f"{path.name}: {number} windows {what}; they are left out")
    return list(dict.fromkeys(usable))


def _without_parents(windows: list[Sample], classes: list[str]) -> list[Sample]:
    """One label for each window: the subclass where it has two."""
    general = {}  # windows that a parent class repeats, by video and parent
    for w in windows:
        parent = _PARENT.get(classes[w.labels[0]])
        if parent in classes:
            key = w.name, classes.index(parent)
            general.setdefault(key, []).append(w.window)

    def has_subclass(w: Sample) -> bool:
        return any(
            all(abs(a - b) <= _SAME for a, b in zip(w.window, other, strict=True))
            for other in general.get((w.name, w.labels[0]), ())
        )

    return [w for w in windows if not has_subclass(w)]


def _read_window(sources: Sources, line: str, path: Path, label: int) -> Sample:
    try:
        video, start, end = line.split()
        window = float(start), float(end)
    except ValueError:
        raise PreparationError(
            f"{path}: {line!r} should be 'VIDEO START END'"
        ) from None
    found = sources.find_video(video, any_suffix=True)
    return Sample(video, found, (label,), window)
