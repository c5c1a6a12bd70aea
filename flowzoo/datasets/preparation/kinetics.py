"""Kinetics-400, -600, -700 and Mini-Kinetics: train.csv, val.csv and test.csv."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

from .classes import number_classes, plain, read_class_list
from .records import DataSet, PreparationError, Sample, VideoList
from .sources import Sources, read_official

ANNOTATION_ARCHIVES = ("kinetics[4-7]00*", "kinetics_[4-7]00*", "*annotations*")
# Rows of the files of Kinetics-400; the others were changed after publication.
_PUBLISHED = {400: dict(train=246534, val=19906, test=39805)}
_MINI_PUBLISHED = dict(train=86365, val=7102)
_PARTS = dict(train="train", val="val(idate)?", test="test")
_MINI_LIST = r"minikinetics_{part}\.json"
_MINI_CLIP = re.compile(r"(?:rgb_)?(.{11})_(\d+)_(\d+)(?:\.mp4)?")
# Of the Common Visual Data Foundation: whole files for damaged ones.
_REPLACEMENTS = "replacement_for_corrupted_k400"


def read(sources: Sources, classes: int, class_list: Path | None = None) -> DataSet:
    """Kinetics with 400, 600 or 700 classes."""
    rows = {part: _read_rows(sources, part) for part in _PARTS}
    source, train = rows["train"]
    names = {row["label"] for row in train}
    names = number_classes(names, classes, source, class_list)
    return _lists(sources, f"kinetics{classes}", rows, names, _PUBLISHED.get(classes))


def read_mini(sources: Sources, class_list: Path | None) -> DataSet:
    """Clips of some classes of Kinetics-400, numbered by their place in a list.

    The authors' files minikinetics_train.json and minikinetics_val.json say which;
    without them, all of these classes that the .csv files of Kinetics-400 have.
    """
    if class_list is None:
        raise PreparationError(
            "Mini-Kinetics is defined by its list of classes: give --classes FILE, a "
            "class on each line"
        )
    if sources.annotations(_MINI_LIST.format(part="(train|val)")):
        return _read_mini_lists(sources, read_class_list(class_list))
    rows = {part: _read_rows(sources, part) for part in ("train", "val")}
    listed = read_class_list(class_list)
    for source, part in rows.values():
        names = {plain(row["label"]): row["label"] for row in part}
        if absent := [name for name in listed if plain(name) not in names]:
            raise PreparationError(
                f"{source} has no videos of {len(absent)} of the {len(listed)} classes "
                f"of {class_list}: {', '.join(absent[:3])}"
            )
    classes = [names[plain(name)] for name in listed]
    chosen = set(classes)
    rows = {
        part: (source, [row for row in content if row["label"] in chosen])
        for part, (source, content) in rows.items()
    }
    dataset = _lists(sources, "minikinetics", rows, classes, _MINI_PUBLISHED)
    dataset.notes.append(
        "minikinetics_train.json and minikinetics_val.json, the authors' lists of "
        "clips, were not found; all videos of the classes are listed, which are more"
    )
    return dataset


def _read_mini_lists(sources: Sources, classes: list[str]) -> DataSet:
    """From the authors' lists, {"rgb_ID_START_END.mp4": number of the class}."""
    lists = []
    for part, published in _MINI_PUBLISHED.items():
        file = f"minikinetics_{part}.json"
        path = sources.annotation(_MINI_LIST.format(part=part), file)
        samples = []
        try:
            for clip, label in json.loads(read_official(path)).items():
                video, start, end = _MINI_CLIP.fullmatch(clip).groups()
                if type(label) is not int or not 0 <= label < len(classes):
                    raise ValueError(f"class {label!r} of {clip}")
                name = f"{video}_{int(start):06d}_{int(end):06d}"
                found = _find_clip(sources, name, part)
                samples.append(Sample(name, found, (label,)))
        except (ValueError, AttributeError, TypeError) as error:
            raise PreparationError(
                f"{path} is not the authors' {file}, or has more classes than the "
                f"{len(classes)} of the list ({error!r}); download it again"
            ) from error
        list_file = f"minikinetics_{part}_list_videos.txt"
        lists.append(VideoList(list_file, samples, published))
    return DataSet(classes, lists)


def _lists(
    sources: Sources,
    prefix: str,
    rows: dict[str, tuple[Path, list[dict]]],
    classes: list[str],
    published: dict[str, int] | None,
) -> DataSet:
    number = {name: (i,) for i, name in enumerate(classes)}
    replacements = {
        name[:11]: path for name, path in sources.videos_below(_REPLACEMENTS).items()
    }
    lists, notes = [], []
    for part, (source, content) in rows.items():
        if any(row.get("label") is None for row in content):
            notes.append(
                f"{source} has no labels, so there is no list of {part} videos"
            )
            continue
        samples = []
        for row in content:
            name, label = _video_name(row, source), row["label"]
            if label not in number:
                raise PreparationError(
                    f"{source} has the class {label!r}, which is not in the training "
                    "set; the .csv files should be of one release"
                )
            path = replacements.get(row["youtube_id"])
            path = path or _find_clip(sources, name, part)
            samples.append(Sample(name, path, number[label]))
        file = f"{prefix}_{part}_list_videos.txt"
        lists.append(VideoList(file, samples, (published or {}).get(part)))
    return DataSet(classes, lists, notes)


def _read_rows(sources: Sources, part: str) -> tuple[Path, list[dict]]:
    pattern = rf"(kinetics[-_]?\d*([-_]2020)?[-_])?{_PARTS[part]}\.csv"
    path = sources.annotation(pattern, f"{part}.csv of Kinetics")
    with io.StringIO(read_official(path)) as file:
        reader = csv.DictReader(file)
        columns = {"youtube_id", "time_start", "time_end"}
        columns |= set() if part == "test" else {"label"}
        if absent := columns - set(reader.fieldnames or ()):
            raise PreparationError(
                f"{path} has no column {', '.join(sorted(absent))}; its first line "
                f"should be 'label,youtube_id,time_start,time_end,split'"
            )
        return path, list(reader)


def _find_clip(sources: Sources, name: str, part: str) -> str | None:
    """A clip by its name; downloaders also write its seconds without zeros."""
    video, start, end = name.rsplit("_", 2)
    seconds = f"{video}_{int(start)}_{int(end)}"
    return sources.find_video(name, part, any_suffix=True) or sources.find_video(
        seconds, part, any_suffix=True
    )


def _video_name(row: dict, source: Path) -> str:
    """dQw4w9WgXcQ_000010_000020"""
    try:
        start, end = (int(float(row[key])) for key in ("time_start", "time_end"))
    except (TypeError, ValueError):
        raise PreparationError(f"{source}: no times in {row}") from None
    return f"{row['youtube_id']}_{start:06d}_{end:06d}"
