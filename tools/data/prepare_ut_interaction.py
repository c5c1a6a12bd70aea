"""Write mmaction2 annotation files for one set of UT-Interaction.

The segmented clips are named N_SEQ_CLASS.avi; classes are 0 handshake, 1 hug, 2 kick,
3 point, 4 punch, 5 push. The published protocol leaves one sequence of a set out.

The clips are cropped to their actors, so that the shape of the picture and the number
of frames tell much about the class. The accuracy of a nearest-neighbour classifier that
sees nothing else is printed: quote it beside any other.
"""

import argparse
from pathlib import Path

import av
import numpy as np


def list_clips(folder: Path) -> list[tuple[Path, int, int]]:
    """(file, sequence, class) of every clip, in the order of their numbers."""
    clips = []
    for path in folder.glob("*_*_*.avi"):
        number, sequence, label = map(int, path.stem.split("_"))
        clips.append((number, path, sequence, label))
    return [clip[1:] for clip in sorted(clips)]


def metadata(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [stream.width, stream.height, stream.frames, float(stream.average_rate)]


def nearest_neighbour_accuracy(train: list, test: list) -> float:
    """Accuracy of 1-NN on width, height, frame count and frame rate, standardised."""
    features = np.array([metadata(path) for path, *_ in train + test])
    features = (features - features.mean(0)) / (features.std(0) + 1e-9)
    labels = np.array([label for *_, label in train + test])
    distance = np.linalg.norm(
        features[len(train) :, None] - features[None, : len(train)], axis=-1
    )
    return float((labels[distance.argmin(1)] == labels[len(train) :]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder with the clips of one set")
    parser.add_argument("--out", type=Path, default=Path("data/ut_interaction"))
    parser.add_argument(
        "--test-sequences", type=int, nargs="+", default=[9, 10], metavar="SEQ"
    )
    args = parser.parse_args()

    clips = list_clips(args.folder)
    if not clips:
        parser.error(f"no clips named N_SEQ_CLASS.avi in {args.folder.resolve()}")
    unknown = set(args.test_sequences) - {sequence for _, sequence, _ in clips}
    if unknown:
        parser.error(f"no clips of sequences {sorted(unknown)} in {args.folder}")
    split = {True: [], False: []}
    for clip in clips:
        split[clip[1] in args.test_sequences].append(clip)

    args.out.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", split[False]), ("test", split[True])):
        lines = [f"{path.name} {label}\n" for path, _, label in part]
        (args.out / f"{name}.txt").write_text("".join(lines))
        print(f"{args.out / name}.txt: {len(lines)} clips")
    accuracy = nearest_neighbour_accuracy(split[False], split[True])
    print(f"picture size, frame count and frame rate alone: {accuracy:.1%} (1-NN)")


if __name__ == "__main__":
    main()
