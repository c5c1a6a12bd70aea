"""Generating a MotionShapes set by hand."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from ...paths import cache_root
from .files import MotionShapesSpec, prepare


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m flowzoo.datasets.motionshapes",
        description="Generate the MotionShapes videos and print their folder. "
        "Training does so on first use.",
    )
    for field in dataclasses.fields(MotionShapesSpec):
        option = "--" + field.name.replace("_", "-")
        default = dict(default=field.default, help="default: %(default)s")
        parser.add_argument(option, type=int, metavar="N", **default)
    parser.add_argument(
        "--root",
        default=cache_root(),
        help="folder to write in, default: %(default)s",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes, default: one per core"
    )
    options = vars(parser.parse_args(arguments))
    root, workers = options.pop("root"), options.pop("workers")
    try:
        print(prepare(MotionShapesSpec(**options), root, workers))
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
