"""Write annotation files and small copies of the clips of UT-Interaction.

usage: python tools/data/prepare_ut_interaction.py FOLDER [--out data/ut_interaction]

FOLDER has the segmented clips of set 1, of set 2 or of both, N_SEQ_CLASS.avi, loose or
in subfolders of any name. The published protocol leaves one sequence of a set out:
SPLIT=3 in the environment of a training leaves out sequence 3.

The clips are cropped to their actors, so that the shape of the image and the number
of frames tell much about the class. The accuracy of a nearest-neighbor classifier that
sees nothing else is printed: quote it beside any other.
"""

import argparse
from pathlib import Path

from flowzoo.datasets.preparation import PreparationError
from flowzoo.datasets.preparation.ut_interaction import (
    list_clips,
    metadata_accuracies,
    prepare_ut_interaction,
)
from flowzoo.interrupts import run_tool
from flowzoo.paths import dataset_folder


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder with the clips")
    parser.add_argument("--out", type=Path, default=dataset_folder("ut_interaction"))
    args = parser.parse_args()
    try:
        numbers = prepare_ut_interaction(args.folder, args.out)
        clips = list_clips(args.folder)
        alone = metadata_accuracies(clips)
    except (PreparationError, OSError) as error:
        parser.error(str(error))
    print(f"{len(clips)} clips in {args.out / 'videos'}")
    print(f"splits {', '.join(map(str, numbers))}: SPLIT=N python tools/train.py ...")
    mean = sum(alone.values()) / len(alone)
    print(
        f"image size, frame count and frame rate alone: {mean:.1%} "
        "(nearest neighbor, mean of the splits)"
    )


if __name__ == "__main__":
    run_tool(main)
