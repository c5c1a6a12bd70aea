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
import sys
from pathlib import Path
from statistics import mean, pstdev

import flowzoo  # noqa: F401  makes mmaction2 importable
from flowzoo.evaluation.score_dumps import evaluate_scores, load_dump


def read_results(path: Path) -> dict[str, float]:
    """Metrics of a split, from a dump or from a report of fuse_scores.py."""
    if path.suffix != ".json":
        dump = load_dump(path)
        return evaluate_scores(dump.scores, dump.labels)
    try:
        return json.loads(path.read_text())["fused"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not a report.json of fuse_scores.py ({error!r})"
        ) from error


def average(splits: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and population standard deviation of each metric."""
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
        "standard deviation": {key: pstdev(v) for key, v in values.items()},
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
        results = {str(path): read_results(path) for path in args.splits}
        averages = average(results)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    for title, row in (results | averages).items():
        metrics = (f"  {key} {100 * value:6.2f} %" for key, value in row.items())
        print(f"{title:32}" + "".join(metrics))
    if args.out:
        args.out.write_text(json.dumps(dict(splits=results, **averages), indent=1))


if __name__ == "__main__":
    main()
