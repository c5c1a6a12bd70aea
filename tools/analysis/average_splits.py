"""Average the results of several splits, as the papers report UCF101 and HMDB51.

    for i in 1 2 3; do SPLIT=$i python tools/test.py CONFIG CHECKPOINT_OF_SPLIT_$i \\
        --dump split$i.pkl; done
    python tools/analysis/average_splits.py split1.pkl split2.pkl split3.pkl

prints the results of each split, their mean and their standard deviation; --out FILE
also writes them as JSON. A split is a dump of tools/test.py, or for several streams the
report.json that fuse_scores.py --out writes, whose fused result counts.

Dumps are pickle files, and reading a pickle runs the code in it: give your own files
only.
"""

import argparse
import json
import math
import sys
from itertools import combinations
from pathlib import Path
from statistics import mean, stdev

import flowzoo  # noqa: F401  makes mmaction2 importable
from flowzoo.evaluation.score_dumps import evaluate_scores, load_dump
from flowzoo.interrupts import run_tool


def read_report(path: Path) -> tuple[dict[str, float], set | list]:
    """Metrics of the fused streams of a split, and its videos.

    Where the report does not know its videos, the metrics of all streams are for them.
    """
    try:
        report = json.loads(path.read_text())
        fused = {key: float(value) for key, value in report["fused"].items()}
        streams = list(report.get("streams", {}).values())
        videos = set(report.get("videos") or ())
    except (AttributeError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not a report.json of fuse_scores.py ({error!r})"
        ) from error
    for key, value in fused.items():
        if not math.isfinite(value):
            raise ValueError(f"{path} has {key} {value}")
    return fused, videos or [fused, *streams]


def read_splits(paths: list[Path]) -> dict[str, dict[str, float]]:
    """Metrics of each split.

    Raises:
        ValueError: The files are no splits of one dataset, or the same split twice.
    """
    reports = [path for path in paths if path.suffix == ".json"]
    if reports:
        if len(reports) < len(paths):
            raise ValueError(
                "give dumps of one stream or reports of fused streams, not both"
            )
        contents = [read_report(path) for path in paths]
        _require_different(paths, [videos for _, videos in contents])
        return {str(p): fused for p, (fused, _) in zip(paths, contents, strict=True)}
    dumps = [load_dump(path) for path in paths]
    for dump in dumps[1:]:
        classes = [d.scores.shape[1] for d in (dumps[0], dump)]
        if classes[0] != classes[1]:
            raise ValueError(
                f"{dumps[0].path} and {dump.path} have {classes[0]} and {classes[1]} "
                "classes: are they splits of one dataset?"
            )
    videos = [set(d.names) if d.names else d.scores.tolist() for d in dumps]
    _require_different(paths, videos)
    return {str(d.path): evaluate_scores(d.scores, d.labels) for d in dumps}


def _require_different(paths: list[Path], contents: list) -> None:
    for (a, first), (b, second) in combinations(zip(paths, contents, strict=True), 2):
        if first == second:
            raise ValueError(f"{a} and {b} are the same split; give each once")
        named = isinstance(first, set) and isinstance(second, set)
        if named and (first < second or second < first):
            part, whole = (a, b) if first < second else (b, a)
            raise ValueError(
                f"{part} has only videos that {whole} has, too: is it a part of "
                "the same split?"
            )


def average(splits: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and sample standard deviation of each metric."""
    first, *others = splits
    for other in others:
        if splits[other].keys() != splits[first].keys():
            raise ValueError(
                f"{first} and {other} have metrics of their own, {list(splits[first])} "
                f"and {list(splits[other])}: are they splits of one dataset?"
            )
    values = {key: [r[key] for r in splits.values()] for key in splits[first]}
    return {
        "mean": {key: mean(v) for key, v in values.items()},
        "standard deviation": {key: stdev(v) for key, v in values.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("splits", type=Path, nargs="+", metavar="SPLIT")
    parser.add_argument("--out", type=Path, metavar="FILE")
    args = parser.parse_args()
    if len(args.splits) < 2 or len(set(args.splits)) < len(args.splits):
        parser.error("give the files of two splits or more, each once")
    try:
        results = read_splits(args.splits)
        averages = average(results)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    if len(results) != 3:
        print(
            f"warning: {len(results)} splits; UCF101 and HMDB51 have 3, whose mean the "
            "papers give",
            file=sys.stderr,
        )
    for title, row in (results | averages).items():
        metrics = (f"  {key} {100 * value:6.2f} %" for key, value in row.items())
        print(f"{title:32}" + "".join(metrics))
    if args.out:
        args.out.write_text(json.dumps(dict(splits=results, **averages), indent=1))


if __name__ == "__main__":
    run_tool(main)
