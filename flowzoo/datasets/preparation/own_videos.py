"""Videos of one's own: a folder of class folders, or a table of videos and labels."""

from __future__ import annotations

import csv
import hashlib
import io
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ...io.text import read_text
from .records import DataSet, PreparationError, Sample, VideoList
from .report import fault_of
from .sources import Sources
from .verify import Verdict

COLUMNS = ("path", "label", "start", "end", "group")
# What other tables call the first two.
SYNONYMS = dict.fromkeys(("file", "filename", "video", "video_path"), "path")
SYNONYMS |= dict.fromkeys(("class", "category", "action"), "label")
_LATE = 0.5  # seconds that a window may end after its video without a note


@dataclass(frozen=True)
class _Row:
    """A sample to be: ``path`` relative to the folder of videos, None if missing."""

    name: str
    path: str | None
    label: str
    window: tuple[float, float] | None = None
    group: str = ""


def read(
    sources: Sources,
    decode: Callable[[list[str]], dict[str, Verdict]],
    table: Path | None = None,
    val_share: float = 0.2,
    seed: int = 0,
) -> DataSet:
    """Two lists, ``train.txt`` and ``val.txt``, of the classes that have videos.

    Args:
        decode: gives a verdict on each video. Classes are those of the readable ones,
            and these are what is split.
        table: .csv file with lines of ``path,label[,start,end]``, start and end in
            seconds, or with a first line that names its columns, among them ``group``.
            Without a table the folder of a video is its class, and folders called
            ``train`` and ``val`` (or ``test``) around the classes are the split.
        val_share: of each class that goes to ``val.txt``, more or less: videos of one
            group, parts of one video, and copies of it are never in both lists.
        seed: of the split.

    Raises:
        PreparationError: fewer than two classes, none of the videos, nothing for one of
            the lists, or a faulty table.
    """
    if not 0 < val_share < 1:
        raise PreparationError(f"--val-share {val_share}: give a share such as 0.2")
    notes: list[str] = []
    if table is None:
        parts = _read_folders(sources, notes)
    else:
        parts = {"": _read_table(sources, table)}
    rows = [row for part in parts.values() for row in part]
    if rows and all(row.path is None for row in rows):
        raise PreparationError(
            f"none of the videos of {table} is below {sources.root.absolute()}, "
            f"{rows[0].name} for example: its paths should be relative to --root"
        )
    verdicts = decode(list(dict.fromkeys(row.path for row in rows if row.path)))
    usable = [row for row in rows if not fault_of(row, verdicts)]
    classes = _sorted_labels({row.label for row in usable})
    notes += _notes_on_classes(rows, classes) + _notes_on_windows(usable, verdicts)
    if len(classes) < 2:
        where = table or f"the folders below {sources.root.absolute()}"
        faults = [
            f"{row.name}: {fault}" for row in rows if (fault := fault_of(row, verdicts))
        ]
        raise PreparationError(
            f"{where} should have two classes or more, but there is "
            f"{classes[0] if classes else 'none'}"
            + (f" with videos that can be read ({faults[0]})" if faults else "")
            + ": put the videos of each class into a folder with its name, or give a "
            ".csv file of path,label as --csv"
        )
    copies = _find_copies(sources, usable, notes)
    if "" in parts:
        rows = _join_groups(rows, copies, notes)
        usable = [row for row in rows if not fault_of(row, verdicts)]
        val_groups = _draw_groups(usable, val_share, seed)
        parts = {"train": [row for row in rows if row.group not in val_groups],
                 "val": [row for row in rows if row.group in val_groups]}  # fmt: skip
    labels = {
        part: {row.label for row in rows if not fault_of(row, verdicts)}
        for part, rows in parts.items()
    }
    for part, purpose in (("train", "training"), ("val", "validation")):
        if not labels[part]:
            raise PreparationError(
                f"no video is left for {purpose}: a class needs two videos or more "
                "that can be read, in two groups where the table has such"
            )
        if lacking := [name for name in classes if name not in labels[part]]:
            notes.append(f"no clip for {purpose} of {', '.join(lacking)}")
    numbers = {name: (i,) for i, name in enumerate(classes)}
    lists = [
        VideoList(
            f"{part}.txt",
            [Sample(r.name, r.path, numbers.get(r.label, ()), r.window) for r in rows],
        )
        for part, rows in parts.items()
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
    delimiter = _delimiter_of(text)
    lines = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True
    )
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


def _delimiter_of(text: str) -> str:
    """What a spreadsheet put between cells; some countries' decimals have commas."""
    lines = (line for line in text.split("\n") if line.strip() and line[0] != "#")
    first = next(lines, "")
    return max(",;\t", key=first.count)


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
            window = tuple(float(time.replace(",", ".")) for time in times)
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


def _notes_on_classes(rows: list[_Row], classes: list[str]) -> list[str]:
    notes = []
    lost = _sorted_labels({row.label for row in rows} - set(classes))
    if lost:
        notes.append(f"left out, as no video of it can be read: {', '.join(lost)}")
    folded = Counter(name.casefold() for name in classes)
    if alike := [name for name in classes if folded[name.casefold()] > 1]:
        notes.append(f"classes that differ in capitals alone: {', '.join(alike)}")
    return notes


def _notes_on_windows(rows: list[_Row], verdicts: dict[str, Verdict]) -> list[str]:
    late = [
        f"{row.name} {row.window[0]:g} {row.window[1]:g} (of {seconds:.1f} s)"
        for row in rows
        if row.window
        and (seconds := verdicts[row.path].seconds) is not None
        and row.window[1] > seconds + _LATE
    ]
    if not late:
        return []
    return [
        f"{len(late)} windows end after their videos; are they in seconds? "
        f"{', '.join(late[:3])}"
    ]


def _find_copies(
    sources: Sources, rows: list[_Row], notes: list[str]
) -> dict[str, str]:
    """{path: another path with the same content}, of copied files."""
    by_size: dict[int, list[str]] = {}
    for path in dict.fromkeys(row.path for row in rows):
        size = (sources.videos / path).stat().st_size
        by_size.setdefault(size, []).append(path)
    first, copies = {}, {}
    for paths in by_size.values():
        if len(paths) > 1:
            for path in paths:
                digest = _digest(sources.videos / path)
                copies[path] = first.setdefault(digest, path)
    copies = {path: original for path, original in copies.items() if path != original}
    if copies:
        shown = ", ".join(f"{a} and {b}" for b, a in list(copies.items())[:3])
        notes.append(f"{len(copies)} videos are copies of others: {shown}")
    labels: dict[tuple, set[str]] = {}
    for row in rows:
        clip = copies.get(row.path, row.path), row.window
        labels.setdefault(clip, set()).add(row.label)
    if doubtful := [clip[0] for clip, names in labels.items() if len(names) > 1]:
        notes.append(
            f"{len(doubtful)} clips are of several classes, of which a network learns "
            f"one: {', '.join(doubtful[:3])}"
        )
    return copies


def _digest(path: Path) -> bytes:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            found.update(block)
    return found.digest()


def _join_groups(
    rows: list[_Row], copies: dict[str, str], notes: list[str]
) -> list[_Row]:
    """The rows, groups that have a video in common being one."""
    joined: dict[str, str] = {}
    group_of: dict[str, str] = {}

    def find(group: str) -> str:
        while group in joined:
            group = joined[group]
        return group

    for row in rows:
        video = copies.get(row.path, row.path) or row.name
        other, group = find(group_of.setdefault(video, row.group)), find(row.group)
        if group != other:
            joined[group] = other
    named = {row.group for row in rows} - {row.path or row.name for row in rows}
    if shared := sorted(named & joined.keys()):
        pairs = ", ".join(f"{group} and {find(group)}" for group in shared[:3])
        notes.append(f"groups that have a video in common count as one: {pairs}")
    return [replace(row, group=find(row.group)) for row in rows]


def _draw_groups(rows: list[_Row], val_share: float, seed: int) -> set[str]:
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
    return val
