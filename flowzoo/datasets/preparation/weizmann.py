"""Weizmann actions: ACTOR_CLASS.avi, of nine actors and ten classes.

Source: Blank et al., Actions as Space-Time Shapes, ICCV 2005. The published protocol
leaves one actor out.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from .records import DataSet, Sample, VideoList
from .sources import Sources

ANNOTATION_ARCHIVES = ()
ACTORS = ("daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar")
CLASSES = (
    *("bend", "jack", "jump", "pjump", "run"),
    *("side", "skip", "walk", "wave1", "wave2"),
)


def read(sources: Sources) -> DataSet:
    """Nine splits: split N tests on the N-th actor in alphabetical order.

    One actor ran, skipped and walked twice in the first release; such clips are named
    ACTOR_CLASS1.avi and ACTOR_CLASS2.avi, and both are taken. Of several files of one
    name, in other folders or with other suffixes, the first is taken.
    """
    clips = [(PurePosixPath(path).stem, path) for path in sources.paths()]
    samples = {actor: _samples(clips, actor) for actor in ACTORS}
    lists = []
    for split, left_out in enumerate(ACTORS, start=1):
        train = [s for actor in ACTORS if actor != left_out for s in samples[actor]]
        lists += [
            VideoList(f"weizmann_train_split_{split}_videos.txt", train, 80),
            VideoList(f"weizmann_val_split_{split}_videos.txt", samples[left_out], 10),
        ]
    return DataSet(list(CLASSES), lists)


def _samples(clips: list[tuple[str, str]], actor: str) -> list[Sample]:
    samples = []
    for label, name in enumerate(CLASSES):
        # wave1 and wave2 are classes: a digit behind another name counts the takes
        take = "[12]?" if name[-1].isalpha() else ""
        fits = re.compile(f"{actor}_{name}{take}", re.IGNORECASE).fullmatch
        found = {}
        for stem, path in clips:
            if fits(stem):
                found.setdefault(stem.lower(), Sample(stem, path, (label,)))
        samples += found.values() or [Sample(f"{actor}_{name}", None, (label,))]
    return samples
