"""Write YouTube-8M's appearance features of any videos.

    python tools/data/extract_youtube8m_features.py ANNOTATION --root VIDEOS \\
        --model FOLDER --out FILE

ANNOTATION has lines of ``path label``, ``path label label ...`` or ``path``. A frame a
second goes through Inception-v3, PCA and whitening and becomes 1024 levels of 8 bits,
as Google's published extractor makes them.

FOLDER has its files, unpacked: classify_image_graph_def.pb of inception-2015-12-05.tgz
(TensorFlow is not needed; a .pth of pytorch-fid or torch-fidelity does, too), and
mean.npy, eigenvals.npy and eigenvecs.npy of yt8m_pca.tgz.

FILE is a .tfrecord, which YouTube8MDataset reads, or a .npz, which FeatureDataset
reads: the features of the same levels, as YouTube8MDataset would give them.

Run it again to continue after an interruption. Videos that cannot be read are named and
left out.
"""

from __future__ import annotations

# ruff: noqa: E402
import argparse
import hashlib
import runpy
import sys
from pathlib import Path

# Before torch is loaded.
runpy.run_path(str(Path(__file__).parents[1] / "mmaction_tool.py"))["wait_passively"]()

import torch
from torch.utils.data import DataLoader

import flowzoo  # noqa: F401
from flowzoo.datasets.extraction import Readable, describe_dataset
from flowzoo.datasets.features import FeatureWriter
from flowzoo.datasets.video import CheckedVideoDataset
from flowzoo.datasets.youtube8m import YouTube8MWriter, dequantize
from flowzoo.interrupts import run_tool
from flowzoo.progress import Progress
from flowzoo.zoo.youtube8m_features import (
    MAX_FRAMES,
    FramesOfSeconds,
    YouTube8MFeatures,
)

WRITERS = {".tfrecord": YouTube8MWriter, ".npz": FeatureWriter}


def checksums(folder: Path) -> dict[str, str]:
    """Checksums of the files in a folder that the features can depend on."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.suffix in (".pb", ".pth", ".npy")
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("annotation", metavar="ANNOTATION")
    parser.add_argument("--root", required=True, metavar="VIDEOS")
    parser.add_argument("--model", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--max-frames", type=int, default=MAX_FRAMES, help="of a video; default: 300"
    )
    parser.add_argument(
        "--num-classes", type=int, default=3862, help="labels are checked against it"
    )
    parser.add_argument("--workers", type=int, default=2, help="that decode videos")
    args = parser.parse_args()
    if args.out.suffix not in WRITERS:
        parser.error(f"--out should end in .tfrecord or .npz, got {args.out}")
    if args.max_frames < 1 or args.workers < 0:
        parser.error("--max-frames is at least 1, --workers at least 0")

    try:
        dataset = CheckedVideoDataset(
            args.annotation,
            pipeline=[FramesOfSeconds(args.max_frames)],
            data_prefix=dict(video=args.root),
            multi_class=True,
            num_classes=args.num_classes,
            test_mode=True,
        )
        names, labels = describe_dataset(dataset)
        model = YouTube8MFeatures.from_folder(args.model)
        source = dict(model=checksums(args.model), max_frames=args.max_frames)
        writer = WRITERS[args.out.suffix](args.out, names, labels, source)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)

    missing = writer.missing()
    if len(missing) < len(names):
        print(f"{len(names) - len(missing)} of {len(names)} videos are there already")
    videos = DataLoader(
        Readable(dataset, missing),
        batch_size=None,
        num_workers=args.workers,
        # a video of 300 frames takes 320 MB of shared memory
        prefetch_factor=1 if args.workers else None,
    )
    unreadable = {}
    for number, frames, why in Progress(videos, unit="video"):
        if frames is None:
            unreadable[number] = why
            Progress.write(f"left out: {why}", file=sys.stderr)
            continue
        levels = model(frames.to(device))
        writer.add(number, dequantize(levels) if args.out.suffix == ".npz" else levels)
    try:
        writer.finish(list(unreadable))
    except ValueError as error:
        sys.exit(f"error: {error}")
    print(
        f"{args.out}: {len(names) - len(unreadable)} videos, {len(unreadable)} left out"
    )


if __name__ == "__main__":
    run_tool(main, "run it again to continue")
