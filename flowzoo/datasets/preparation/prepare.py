"""Official files in, annotation files and a report out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import (
    activitynet,
    hmdb51,
    kinetics,
    own_videos,
    thumos14,
    ucf101,
    weizmann,
)
from .records import DataSet, PreparationError
from .report import fault_of, format_report, make_report
from .sources import Sources
from .verify import verify


@dataclass(frozen=True)
class _Reader:
    read: Callable[..., DataSet]
    annotation_archives: tuple[str, ...]
    takes_classes: bool = False
    decodes: bool = False  # what is readable decides on the lists


_KINETICS = {
    f"kinetics{n}": _Reader(
        partial(kinetics.read, classes=n), kinetics.ANNOTATION_ARCHIVES, True
    )
    for n in (400, 600, 700)
}
_READERS = {
    "ucf101": _Reader(ucf101.read, ucf101.ANNOTATION_ARCHIVES),
    "hmdb51": _Reader(hmdb51.read, hmdb51.ANNOTATION_ARCHIVES),
    "thumos14": _Reader(thumos14.read, thumos14.ANNOTATION_ARCHIVES),
    "activitynet12": _Reader(
        partial(activitynet.read, version="1-2"), activitynet.ANNOTATION_ARCHIVES, True
    ),
    "activitynet13": _Reader(
        partial(activitynet.read, version="1-3"), activitynet.ANNOTATION_ARCHIVES, True
    ),
    **_KINETICS,
    "minikinetics": _Reader(kinetics.read_mini, kinetics.ANNOTATION_ARCHIVES, True),
    "weizmann": _Reader(weizmann.read, weizmann.ANNOTATION_ARCHIVES),
    "folder": _Reader(own_videos.read, (), decodes=True),
}
DATASETS = tuple(_READERS)


def prepare(
    name: str,
    root: str | Path,
    out: str | Path,
    decode: bool = False,
    jobs: int | None = None,
    force: bool = False,
    class_list: str | Path | None = None,
    **options,
) -> dict:
    """Write annotation files, ``classes.txt``, ``report.json`` and ``report.txt``.

    Videos that are missing are left out of the annotation files and named in the
    report; where videos are decoded, those that are broken, too.

    Args:
        name: one of :data:`DATASETS`.
        root: folder with the official files.
        out: folder to write into.
        decode: decode all videos. The journal ``verification.jsonl`` keeps what was
            found.
        jobs: processes that decode; one per core unless given.
        force: write over files of an earlier preparation.
        class_list: file with a class on each line, in the order of their numbers; for
            ActivityNet and Kinetics.
        options: of :func:`flowzoo.datasets.preparation.own_videos.read`, for 'folder'.

    Returns:
        The report.

    Raises:
        PreparationError: Files are missing or faulty, or would be overwritten.
    """
    reader, out = _READERS[name], Path(out)
    if class_list is not None:
        if not reader.takes_classes:
            raise PreparationError(f"the official files of {name} number the classes")
        options["class_list"] = Path(class_list)
    elif name == "minikinetics":
        options["class_list"] = None
    if not force:
        _raise_on_existing(out, ["classes.txt", "report.json", "report.txt"])
    sources = Sources(Path(root), out, reader.annotation_archives)
    journal = out / "verification.jsonl"
    if reader.decodes:
        options["decode"] = partial(verify, sources.videos, journal=journal, jobs=jobs)
    try:
        dataset = reader.read(sources, **options)
        if not dataset.paths():
            raise PreparationError(
                f"none of the videos of {name} is below {Path(root).absolute()}, "
                f"{dataset.lists[0].samples[0].name} for example; docs/data.md says "
                "how files should be named"
            )
        if not force:
            _raise_on_existing(out, [part.file for part in dataset.lists])
    except PreparationError:
        sources.remove_link()
        raise

    verdicts = None
    if decode or reader.decodes:
        verdicts = verify(sources.videos, dataset.paths(), journal, jobs)
    report = make_report(name, dataset, verdicts)
    for part in dataset.lists:
        kept = [s for s in part.samples if not fault_of(s, verdicts or {})]
        _write(out / part.file, "".join(f"{sample.line()}\n" for sample in kept))
    _write(out / "classes.txt", "".join(f"{name}\n" for name in dataset.classes))
    _write(out / "report.json", json.dumps(report, indent=1, ensure_ascii=False))
    _write(out / "report.txt", format_report(report))
    return report


def _raise_on_existing(out: Path, names: list[str]) -> None:
    if existing := [str(out / name) for name in names if (out / name).exists()]:
        raise PreparationError(
            f"{', '.join(existing)} would be overwritten; --force allows it, --out "
            "chooses another folder"
        )


def _write(path: Path, text: str) -> None:
    partial_path = path.with_name(f"{path.name}.partial")
    partial_path.write_text(text, encoding="utf-8")
    partial_path.replace(path)
