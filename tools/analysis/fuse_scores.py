"""Fuse the scores of several streams, evaluate them, and choose their weights.

    python tools/test.py CONFIG CHECKPOINT --dump spatial.pkl     (once for each stream)
    python tools/analysis/fuse_scores.py spatial.pkl temporal.pkl --weights 1 1.5

prints accuracy and mAP of every stream and of their weighted sum; --out FOLDER also
writes them as report.json, a table of the classes (classes.csv, classes.md) and the
confusion matrix (confusion.png, for one label per video).

--sweep takes dumps of another split, in the same order of streams, tries weights there
and reports the best ones here: weights chosen on the videos that are reported flatter.

Dumps are pickle files, and reading a pickle runs the code in it: give your own files
only.
"""

import argparse
import csv
import json
import math
import sys
from pathlib import Path

import flowzoo  # noqa: F401  makes mmaction2 importable
from flowzoo.evaluation.score_dumps import (
    Dump,
    check_same_videos,
    evaluate_classes,
    evaluate_scores,
    load_dump,
)
from flowzoo.interrupts import run_tool
from flowzoo.io.text import read_lines
from flowzoo.score_fusion import (
    SCORE_NORMS,
    fuse_scores,
    normalize_scores,
    rank_weights,
    weight_grid,
)


def load_dumps(paths: list[Path]) -> list[Dump]:
    dumps = [load_dump(path) for path in paths]
    check_same_videos(dumps)
    if any(dump.names is None for dump in dumps):
        print(
            "The dumps lack file names (PackActionInputs(meta_keys=('filename',))): "
            "only the labels tell that their videos are in the same order."
        )
    return dumps


def sweep(dumps: list[Dump], score_norm: str) -> list[dict]:
    """Results for all weights of the grid, the best first."""
    key = "mAP" if dumps[0].multi_label else "top1"
    streams = [normalize_scores(dump.scores, score_norm) for dump in dumps]
    found = {
        weights: evaluate_scores(fuse_scores(streams, weights), dumps[0].labels)
        for weights in weight_grid(len(dumps))
    }
    ranked = rank_weights({weights: row[key] for weights, row in found.items()})
    return [dict(weights=weights, **found[weights]) for weights in ranked]


def class_names(path: Path | None, number: int) -> list[str]:
    if path is None:
        return [str(i) for i in range(number)]
    names = [line.strip() for line in read_lines(path) if line.strip()]
    if len(names) != number:
        raise ValueError(f"{path} has {len(names)} names for {number} classes")
    if all(name.split()[0].isdigit() and " " in name for name in names):
        names = [
            name.split(maxsplit=1)[1] for name in names
        ]  # as UCF101's classInd.txt
    return names


def write_classes(folder: Path, names: list[str], rows: list[dict]) -> None:
    with (folder / "classes.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["class", *rows[0]])
        writer.writeheader()
        for name, row in zip(names, rows, strict=True):
            writer.writerow({"class": name, **row})
    lines = [
        "| class | " + " | ".join(rows[0]) + " |",
        "| --- |" + " ---: |" * len(rows[0]),
    ]
    for name, row in zip(names, rows, strict=True):
        cells = [
            value
            if isinstance(value, int)
            else ""
            if math.isnan(value)
            else f"{value:.3f}"
            for value in row.values()
        ]
        lines.append(f"| {name} | " + " | ".join(map(str, cells)) + " |")
    (folder / "classes.md").write_text("\n".join(lines) + "\n")


def write_confusion(path: Path, scores, labels, names: list[str]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import torch
    from mmaction.evaluation import ConfusionMatrix

    matrix = ConfusionMatrix.calculate(scores, torch.from_numpy(labels))
    figure = ConfusionMatrix.plot(
        matrix, include_values=len(names) <= 20, classes=names, show=False
    )
    figure.savefig(path, dpi=150, bbox_inches="tight")


def print_results(title: str, results: dict[str, float]) -> None:
    print(
        f"{title:32}" + "".join(f"  {k} {100 * v:6.2f} %" for k, v in results.items())
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dumps", type=Path, nargs="+", metavar="DUMP")
    parser.add_argument(
        "--weights",
        type=float,
        nargs="+",
        metavar="W",
        help="one for each dump; default: 1 1.5 for two dumps, otherwise 1 for each",
    )
    parser.add_argument(
        "--score-norm",
        "--handling",
        choices=SCORE_NORMS,
        default="none",
        help="of the scores before fusion; clamp_l1 is the hidden two-stream authors', "
        "for scores dumped with average_clips='score'; default: %(default)s",
    )
    parser.add_argument("--sweep", type=Path, nargs="+", metavar="DUMP")
    parser.add_argument("--labels", type=Path, help="file with a class name per line")
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    if any(a.partition("=")[0] == "--handling" for a in sys.argv):
        print("--handling is now --score-norm and will be removed in the next release")
    if args.sweep and args.weights:
        parser.error("--weights and --sweep exclude each other")
    if args.sweep and len(args.sweep) != len(args.dumps):
        parser.error(f"--sweep needs {len(args.dumps)} dumps, one for each stream")

    try:
        report = fuse(args)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    if args.out:
        (args.out / "report.json").write_text(json.dumps(report, indent=1) + "\n")
        print(f"written to {args.out}")


def fuse(args: argparse.Namespace) -> dict:
    dumps = load_dumps(args.dumps)
    weights = args.weights or ([1.0, 1.5] if len(dumps) == 2 else [1.0] * len(dumps))
    report = dict(dumps=[str(path) for path in args.dumps], score_norm=args.score_norm)
    if args.sweep:
        rows = sweep(load_dumps(args.sweep), args.score_norm)
        weights = list(rows[0]["weights"])
        report["sweep"] = dict(dumps=[str(path) for path in args.sweep], rows=rows)
        print_results(f"chosen on {len(rows)} weights, there", _metrics(rows[0]))
    streams = [normalize_scores(dump.scores, args.score_norm) for dump in dumps]
    labels = dumps[0].labels
    report["streams"] = {}
    for path, scores in zip(args.dumps, streams, strict=True):
        results = evaluate_scores(scores, labels)
        report["streams"][str(path)] = results
        print_results(path.name, results)
    fused = fuse_scores(streams, weights)
    report |= dict(weights=weights, fused=evaluate_scores(fused, labels))
    report["videos"] = dumps[0].names  # None where they were not packed
    print_results("fused " + " : ".join(f"{w:g}" for w in weights), report["fused"])
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        names = class_names(args.labels, fused.shape[1])
        write_classes(args.out, names, evaluate_classes(fused, labels))
        if not dumps[0].multi_label:
            write_confusion(args.out / "confusion.png", fused, labels, names)
    return report


def _metrics(row: dict) -> dict[str, float]:
    return {key: value for key, value in row.items() if key != "weights"}


if __name__ == "__main__":
    run_tool(main)
