"""ActivityNet 1.2 and 1.3: activity_net.v1-2.min.json, activity_net.v1-3.min.json."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

from .classes import number_classes
from .records import DataSet, PreparationError, Sample, VideoList
from .sources import Sources, read_official

ANNOTATION_ARCHIVES = ()
_NUM_CLASSES = {"1-2": 100, "1-3": 200}
# training, validation and test videos
_PUBLISHED = {"1-2": (4819, 2383, 2480), "1-3": (10024, 4926, 5044)}


def read(sources: Sources, version: str, class_list: Path | None = None) -> DataSet:
    """Untrimmed videos with all their labels, and their actions as windows.

    Args:
        version: '1-2' or '1-3'.
        class_list: classes in the order of their numbers, instead of alphabetical.
    """
    file = f"activity_net.v{version}.min.json"
    path = sources.annotation(rf"activity_net\.v{version}(\.min)?\.json", file)
    try:
        database = json.loads(read_official(path))["database"]
        entries = [(n, v["subset"], v["annotations"]) for n, v in database.items()]
        names = {a["label"] for _, _, actions in entries for a in actions}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PreparationError(
            f"{path} is not ActivityNet's {file} ({error!r}); download it again"
        ) from error
    classes = number_classes(names, _NUM_CLASSES[version], path, class_list)
    number = {name: i for i, name in enumerate(classes)}

    lists, notes = [], []
    for subset, part, published in zip(
        ("training", "validation"), ("train", "val"), _PUBLISHED[version], strict=False
    ):
        videos, windows, left_out = [], [], Counter()
        for name, its_subset, actions in entries:
            if its_subset != subset:
                continue
            found = sources.find_video(f"v_{name}", any_suffix=True)
            found = found or sources.find_video(name, any_suffix=True)
            if not actions:
                left_out["videos without an action"] += 1
                continue
            labels = sorted({number[a["label"]] for a in actions})
            videos.append(Sample(f"v_{name}", found, tuple(labels)))
            for action in actions:
                label = (number[action["label"]],)
                sample = Sample(f"v_{name}", found, label, _window(action))
                if sample.has_duration():
                    windows.append(sample)
                else:
                    left_out["actions without duration"] += 1
        repeated = len(windows) - len(set(windows))
        if repeated:
            left_out["repeated actions"] = repeated
        lists += [
            VideoList(f"activitynet_{part}_videos.txt", videos, published),
            VideoList(f"activitynet_{part}_windows.txt", list(dict.fromkeys(windows))),
        ]
        notes += [f"{subset}: {n} {what} are left out" for what, n in left_out.items()]
    tests = sum(subset == "testing" for _, subset, _ in entries)
    notes.append(
        f"{tests} test videos (published: {_PUBLISHED[version][2]}) are in no "
        "list, as their labels are not public"
    )
    return DataSet(classes, lists, notes)


def _window(action: dict) -> tuple[float, float]:
    try:
        start, end = map(float, action["segment"])
    except (KeyError, TypeError, ValueError):
        return math.nan, math.nan
    return max(start, 0.0), end
