"""Annotation files for a benchmark dataset, from its official files.

docs/data.md says for each dataset which files these are and where to get them. Put
them, unpacked or not, into one folder and give it as --root. Into --out go annotation
files, classes.txt, a report (report.txt, report.json), and `videos`: a link to the
folder, or the unpacked archives. Videos that are missing, and with --verify those that
cannot be decoded, are left out of the annotation files and named in the report.

Videos of your own are the dataset `folder`: a folder with a folder of videos for each
class, or a .csv file of path,label[,start,end] beside them (docs/own_data.md). They are
always decoded, and a config is written that trains a model of the zoo on them.
"""

import argparse
import shlex
import sys
from pathlib import Path

from flowzoo.datasets.preparation import (
    DATASETS,
    PreparationError,
    format_report,
    prepare,
)
from flowzoo.datasets.preparation.own_config import (
    DEFAULT_MODEL,
    find_classifier,
    write_config,
)
from flowzoo.interrupts import run_tool
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
        help="decode every video; interrupted, it continues where it stopped",
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
    own = parser.add_argument_group("folder, for videos of your own")
    own.add_argument("--csv", type=Path, metavar="FILE", help="path,label[,start,end]")
    own.add_argument("--val-share", type=float, metavar="P", help="default: 0.2")
    own.add_argument("--model", metavar="NAME", help=f"default: {DEFAULT_MODEL}")
    own.add_argument("--weights", metavar="FILE", help="default: the model's, if any")
    args = parser.parse_args()
    given = {name: value for name in ("csv", "val_share", "model", "weights")
             if (value := getattr(args, name)) is not None}  # fmt: skip
    if given and args.dataset != "folder":
        parser.error(f"--{next(iter(given)).replace('_', '-')} is for folder only")
    if args.jobs is not None and args.jobs < 1:
        parser.error(f"--jobs {args.jobs}: at least one process is needed")
    classes = args.classes
    if classes is None and args.dataset == "minikinetics":
        classes = MINIKINETICS
    folder = args.dataset == "folder"
    out = args.out or dataset_folder(
        args.root.resolve().name if folder else args.dataset
    )
    options = {}
    try:
        if folder:
            find_classifier(args.model or DEFAULT_MODEL)
            options = dict(table=args.csv)
            if args.val_share is not None:
                options["val_share"] = args.val_share
        report = prepare(
            args.dataset,
            args.root,
            out,
            args.verify,
            args.jobs,
            args.force,
            classes,
            **options,
        )
        print(format_report(report))
        print(f"written to {out}")
        if folder:
            model = args.model or DEFAULT_MODEL
            config = write_config(out, model, args.weights)
            print(f"next: python tools/train.py {shlex.quote(str(config))}")
            print("(docs/own_data.md: testing, confusion matrix, other models)")
    except PreparationError as error:
        sys.exit(f"error: {error}")
    except OSError as error:  # one of a full disk names no file
        sys.exit(f"error: {error}" if error.filename else f"error: {error} ({out})")
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command continues where it stopped")


if __name__ == "__main__":
    run_tool(main)
