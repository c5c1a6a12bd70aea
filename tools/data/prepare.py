"""Annotation files for a benchmark dataset, from its official files.

docs/data.md says for each dataset which files these are and where to get them. Put
them, unpacked or not, into one folder and give it as --root. Into --out go annotation
files, classes.txt, a report (report.txt, report.json), and `videos`: a link to the
folder, or the unpacked archives. Videos that are missing, and with --verify those that
cannot be decoded, are left out of the annotation files and named in the report.
"""

import argparse
import sys
from pathlib import Path

from flowzoo.datasets.preparation import (
    DATASETS,
    PreparationError,
    format_report,
    prepare,
)
from flowzoo.paths import dataset_folder

MINIKINETICS = Path(__file__).with_name("label_map_minikinetics.txt")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", choices=DATASETS, metavar="DATASET")
    parser.add_argument(
        "--root", type=Path, required=True, help="folder with the official files"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="default: data/DATASET, or $FLOWZOO_DATA/DATASET, where the configs look",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="decode every video; interrupted, it goes on where it stopped",
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="processes, default: one per core"
    )
    parser.add_argument(
        "--force", action="store_true", help="write over an earlier preparation's files"
    )
    parser.add_argument(
        "--classes",
        type=Path,
        metavar="FILE",
        help="a class on each line, in the order of their numbers (ActivityNet, "
        f"Kinetics); default for minikinetics: {MINIKINETICS.name} beside this script",
    )
    parser.epilog = f"datasets: {', '.join(DATASETS)}"
    args = parser.parse_args()
    if args.jobs is not None and args.jobs < 1:
        parser.error(f"--jobs {args.jobs}: at least one process is needed")
    classes = args.classes
    if classes is None and args.dataset == "minikinetics":
        classes = MINIKINETICS
    out = args.out or dataset_folder(args.dataset)
    try:
        report = prepare(
            args.dataset, args.root, out, args.verify, args.jobs, args.force, classes
        )
    except (PreparationError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on where it stopped")
    print(format_report(report))
    print(f"written to {out}")


if __name__ == "__main__":
    main()
