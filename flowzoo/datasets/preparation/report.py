"""What was expected, found, missing and broken."""

from __future__ import annotations

from collections import Counter

from .records import DataSet, Sample, VideoList
from .verify import Verdict

_SHOWN = 20


def fault_of(sample: Sample, verdicts: dict[str, Verdict]) -> str:
    """Why a sample is left out of the annotation file; '' if it is not."""
    if sample.path is None:
        return "missing"
    verdict = verdicts.get(sample.path)
    if verdict is None:
        return ""
    if verdict.fault:
        return verdict.fault
    if sample.window is None or verdict.seconds is None:
        return ""
    if sample.window[0] >= verdict.seconds:
        return f"outside: starts after the end of the video, {verdict.seconds:.1f} s"
    return ""


def make_report(
    name: str, dataset: DataSet, verdicts: dict[str, Verdict] | None
) -> dict:
    """The report as plain data.

    Args:
        name: of the dataset.
        verdicts: of the videos; None: they were not decoded.
    """
    lists = {
        part.file: _report_list(part, dataset.classes, verdicts or {})
        for part in dataset.lists
    }
    samples = [sample for part in dataset.lists for sample in part.samples]
    missing = dict.fromkeys(sample.name for sample in samples if sample.path is None)
    broken = {p: v.fault for p, v in (verdicts or {}).items() if v.fault}
    outside = {
        f"{sample.name} {sample.window[0]:g} {sample.window[1]:g}": fault
        for sample in samples
        if (fault := fault_of(sample, verdicts or {})).startswith("outside")
    }
    return dict(
        dataset=name,
        decoded=verdicts is not None,
        videos=dict(
            found=len(dataset.paths()), missing=len(missing), broken=len(broken)
        ),
        lists=lists,
        missing=list(missing),
        broken=broken,
        windows_outside=outside,
        notes=dataset.notes + _differences(dataset.lists),
    )


def _report_list(
    part: VideoList, classes: list[str], verdicts: dict[str, Verdict]
) -> dict:
    total, by_class = Counter(), {}
    for sample in part.samples:
        fault = fault_of(sample, verdicts)
        state = "annotated"
        if fault:
            state = fault if fault == "missing" else "broken"
        for counter in (
            total,
            *(by_class.setdefault(classes[n], Counter()) for n in sample.labels),
        ):
            counter.update(("expected", state))
    return _counts(total) | dict(
        published=part.published,
        classes={name: _counts(by_class[name]) for name in classes if name in by_class},
    )


def _counts(counter: Counter) -> dict[str, int]:
    return {k: counter[k] for k in ("expected", "annotated", "missing", "broken")}


def _differences(lists: list[VideoList]) -> list[str]:
    return [
        f"{part.file}: the official files have {len(part.samples)} samples, "
        f"{part.published} are published"
        for part in lists
        if part.published not in (None, len(part.samples))
    ]


def format_report(report: dict) -> str:
    """The report as text; ``report.json`` has all names."""
    videos = report["videos"]
    decoded = "decoded" if report["decoded"] else "not decoded (--verify does)"
    out = [
        f"{report['dataset']}: {videos['found']} videos found, {decoded}; "
        f"{videos['missing']} missing, {videos['broken']} broken",
        "",
    ]
    width = max(map(len, report["lists"]))
    columns = ("expected", "annotated", "missing", "broken")
    out.append(" ".join([" " * width, *(f"{column:>9}" for column in columns)]))
    for name, counts in report["lists"].items():
        numbers = (f"{counts[column]:9}" for column in columns)
        out.append(" ".join([f"{name:{width}}", *numbers]))
    for name, counts in report["lists"].items():
        empty = [c for c, n in counts["classes"].items() if not n["annotated"]]
        if empty:
            out += ["", f"{name}: no video left of {len(empty)} classes:"]
            out += _some(empty)
    for title, entries in (
        ("Missing", report["missing"]),
        ("Broken", [f"{path}: {why}" for path, why in report["broken"].items()]),
        ("Windows", [f"{w}: {why}" for w, why in report["windows_outside"].items()]),
        ("Notes", report["notes"]),
    ):
        if entries:
            out += ["", f"{title}:", *_some(entries)]
    return "\n".join(out) + "\n"


def _some(entries: list[str]) -> list[str]:
    shown = [f"  {entry}" for entry in entries[:_SHOWN]]
    if len(entries) > _SHOWN:
        shown.append(f"  and {len(entries) - _SHOWN} more, see report.json")
    return shown
