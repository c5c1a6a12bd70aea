"""Videos of one's own: a folder of class folders, or a table of videos and labels."""

from __future__ import annotations

import csv
import io
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...io.text import read_text
from .records import DataSet, PreparationError, Sample, VideoList
from .sources import Sources

COLUMNS = ("path", "label", "start", "end", "group")
# What other tables call the first two.
SYNONYMS = dict.fromkeys(("file", "filename", "video", "video_path"), "path")
SYNONYMS |= dict.fromkeys(("class", "category", "action"), "label")


@dataclass(frozen=True)
class _Row:
    """A sample to be: ``path`` relative to the folder of videos, None if missing."""

    name: str
    path: str | None
    label: str
    window: tuple[float, float] | None = None
    group: str = ""


def read(
    sources: Sources, table: Path | None = None, val_share: float = 0.2, seed: int = 0
) -> DataSet:
    """Two lists, ``train.txt`` and ``val.txt``.

    Args:
        table: .csv file with lines of ``path,label[,start,end]``, start and end in
            seconds, or with a first line that names its columns, among them ``group``.
            Without a table the folder of a video is its class, and folders called
            ``train`` and ``val`` (or ``test``) around the classes are the split.
        val_share: of each class that goes to ``val.txt``, more or less: videos of one
            group, and parts of one video, are never in both lists.
        seed: of the split.

    Raises:
        PreparationError: fewer than two classes, or a faulty table.
    """
    if not 0 < val_share < 1:
        raise PreparationError(f"--val-share {val_share}: give a share such as 0.2")
    notes: list[str] = []
    if table is None:
        parts = _read_folders(sources, notes)
    else:
        parts = {"": _read_table(sources, table)}
    classes = _sorted_labels({row.label for rows in parts.values() for row in rows})
    if len(classes) < 2:
        where = table or f"the folders below {sources.root.absolute()}"
        raise PreparationError(
            f"{where} should have two classes or more, but there is "
            f"{classes[0] if classes else 'none'}: put the videos of each class into "
            "a folder with its name, or give a .csv file of path,label as --csv"
        )
    if "" in parts:
        train, val = _split(parts[""], val_share, seed, notes)
    else:
        train, val = parts["train"], parts["val"]
    numbers = {name: i for i, name in enumerate(classes)}
    lists = [
        VideoList(
            f"{part}.txt",
            [Sample(r.name, r.path, (numbers[r.label],), r.window) for r in rows],
        )
        for part, rows in (("train", train), ("val", val))
    ]
    return DataSet(classes, lists, notes)


def _read_folders(sources: Sources, notes: list[str]) -> dict[str, list[_Row]]:
    """{'train': rows, 'val': rows} where the folders say so, otherwise {'': rows}."""
    paths = [PurePosixPath(path) for path in sources.paths()]
    tops = {path.parts[0] for path in paths if len(path.parts) > 1}
    val = next((name for name in ("val", "valid", "validation", "test")
                if name in tops), None)  # fmt: skip
    given = {"train": "train", val: "val"} if val and "train" in tops else {}
    depth = 1 if given else 0
    parts = {part: [] for part in given.values()} or {"": []}
    left_out = []
    for path in paths:
        folders = path.parts[:-1]
        if len(folders) <= depth or (given and folders[0] not in given):
            left_out.append(str(path))
            continue
        row = _Row(str(path), str(path), folders[depth], group=str(path))
        parts[given[folders[0]] if given else ""].append(row)
    if left_out:
        shown = ", ".join(left_out[:3])
        notes.append(f"{len(left_out)} videos in no class folder, left out: {shown}")
    return parts


def _read_table(sources: Sources, table: Path) -> list[_Row]:
    try:
        text = read_text(table)
    except (OSError, ValueError) as error:
        raise PreparationError(f"cannot read {table}: {error}") from error
    lines = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    columns, rows = COLUMNS[:4], []
    for cells in lines:
        cells = [cell.strip() for cell in cells]
        if not any(cells) or cells[0].startswith("#"):
            continue
        names = tuple(SYNONYMS.get(cell.lower(), cell.lower()) for cell in cells)
        if not rows and {"path", "label"} <= set(names):
            columns = names
            continue
        try:
            rows.append(_read_row(sources, columns, cells))
        except ValueError as error:
            raise PreparationError(f"{table}, line {lines.line_num}: {error}") from None
    return rows


def _read_row(sources: Sources, columns: tuple[str, ...], cells: list[str]) -> _Row:
    if len(cells) < 2:
        raise ValueError(f"{','.join(cells)!r} should be path,label[,start,end]")
    if len(cells) > len(columns):
        raise ValueError(f"{len(cells)} cells, but there are the columns {columns}")
    row = dict(zip(columns, cells, strict=False))
    name, label = row["path"], row["label"]
    if not name or not label:
        raise ValueError(f"{','.join(cells)!r} has no path, or no label")
    window = None
    times = row.get("start", ""), row.get("end", "")
    if any(times):
        try:
            window = float(times[0]), float(times[1])
        except ValueError:
            raise ValueError(
                f"start {times[0]!r} and end {times[1]!r} should be seconds"
            ) from None
        if not 0 <= window[0] < window[1] < float("inf"):
            raise ValueError(f"the window from {times[0]} to {times[1]} s is none")
    path = sources.find_path(name)
    return _Row(name, path, label, window, row.get("group") or path or name)


def _sorted_labels(labels: set[str]) -> list[str]:
    """Numbers by their value, as '10' comes after '9'; names by the alphabet."""
    if all(re.fullmatch(r"\d+", label) for label in labels):
        return sorted(labels, key=int)
    return sorted(labels)


def _split(
    rows: list[_Row], val_share: float, seed: int, notes: list[str]
) -> tuple[list[_Row], list[_Row]]:
    """Whole groups, drawn until each class has its share; one is left for training."""
    groups: dict[str, Counter] = {}
    for row in rows:
        groups.setdefault(row.group, Counter())[row.label] += 1
    total = Counter(row.label for row in rows)
    wanted = {label: max(1, round(val_share * n)) for label, n in total.items()}
    order = sorted(groups)
    random.Random(seed).shuffle(order)
    val, taken = set(), Counter()

    def take(group: str, limit: dict[str, int]) -> None:
        after = {label: taken[label] + n for label, n in groups[group].items()}
        if all(n <= limit[label] and n < total[label] for label, n in after.items()):
            val.add(group)
            taken.update(groups[group])

    for group in order:
        take(group, wanted)
    # a class of large groups only: its smallest one, so that it can be tested at all
    for group in sorted(order, key=lambda group: groups[group].total()):
        if group not in val and any(not taken[label] for label in groups[group]):
            take(group, total)
    if untested := [label for label in total if not taken[label]]:
        notes.append(
            f"no clip for validation of {', '.join(sorted(untested))}: all clips of "
            "the class are one video or one group"
        )
    train = [row for row in rows if row.group not in val]
    return train, [row for row in rows if row.group in val]
