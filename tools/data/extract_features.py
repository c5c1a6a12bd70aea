"""Write the feature sequences of a split's videos with a recognizer.

    python tools/data/extract_features.py CONFIG CHECKPOINT --split val --out FILE.npz

CONFIG is of any recognizer, ours or mmaction2's. The last features of its backbone are
pooled over space. The videos are those of {split}_dataloader; they go through the
pipeline of test_dataloader, which should take one crop, and clips or frames that follow
each other in time: more than one make one longer sequence. For example,
SampleFrames(clip_len=250, target_fps=25) for 10 seconds at 25 frames a second.

Run it again to continue after an interruption. flowzoo/datasets/features.py says what
is in the file.
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

import numpy as np
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config, DictAction
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from torch import nn
from torch.utils.data import DataLoader

import flowzoo  # noqa: F401
from flowzoo.datasets.extraction import Readable, describe_dataset
from flowzoo.datasets.features import FeatureWriter
from flowzoo.interrupts import run_tool
from flowzoo.models.recognizers import feature_sequence
from flowzoo.progress import Progress


def load_model(config: Config, checkpoint: Path, seed: int | None) -> nn.Module:
    """The network with the checkpoint's weights, which are random if it is absent."""
    model = MODELS.build(config.model)
    if not checkpoint.exists():
        torch.manual_seed(seed)
        model.init_weights()
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        torch.save(dict(state_dict=model.state_dict()), checkpoint)
    load_checkpoint(model, str(checkpoint), map_location="cpu", strict=True)
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--split", required=True, choices=["train", "val", "test"])
    parser.add_argument("--out", required=True, type=Path, help="a .npz file")
    parser.add_argument(
        "--grid",
        type=int,
        default=1,
        help="pool to GRID x GRID places, which become channels; default: 1, the mean",
    )
    parser.add_argument("--dtype", choices=["float16", "float32"], default="float16")
    parser.add_argument(
        "--random-weights",
        type=int,
        metavar="SEED",
        help="if there is no CHECKPOINT, save random weights as such and continue",
    )
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, default={})
    args = parser.parse_args()
    if args.out.suffix != ".npz":
        parser.error(f"--out should end in .npz, got {args.out}")
    if not args.checkpoint.is_file() and args.random_weights is None:
        parser.error(f"no checkpoint {args.checkpoint}")

    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options)
    init_default_scope(config.get("default_scope", "mmaction"))
    loader = config[f"{args.split}_dataloader"]
    cfg = loader.dataset
    cfg.pipeline = config.test_dataloader.dataset.pipeline
    cfg.test_mode = True
    dataset = DATASETS.build(cfg)
    names, labels = describe_dataset(dataset)
    model = load_model(config, args.checkpoint, args.random_weights)
    source = dict(
        config=Path(args.config).name,
        model=str(config.model.to_dict()),
        pipeline=str([dict(step) for step in cfg.pipeline]),
        checkpoint=hashlib.sha256(args.checkpoint.read_bytes()).hexdigest(),
        split=args.split,
        grid=args.grid,
        dtype=args.dtype,
    )
    try:
        writer = FeatureWriter(args.out, names, labels, source)
    except FileExistsError as error:
        sys.exit(f"error: {error}")

    missing = writer.missing()
    if len(missing) < len(names):
        print(f"{len(names) - len(missing)} of {len(names)} videos are there already")
    batches = DataLoader(
        Readable(dataset, missing),
        batch_size=config.test_dataloader.batch_size,
        num_workers=loader.num_workers,
        collate_fn=list,
    )
    unreadable = {}
    with torch.inference_mode(), Progress(total=len(missing), unit="video") as progress:
        for batch in batches:
            unreadable |= {number: why for number, item, why in batch if item is None}
            read = [(number, item) for number, item, _ in batch if item is not None]
            if read:
                data = pseudo_collate([item for _, item in read])
                inputs = model.data_preprocessor(data)["inputs"]
                sequences = feature_sequence(model, inputs, args.grid)
                for (number, _), x in zip(read, sequences, strict=True):
                    x = x.float().cpu().numpy().astype(np.dtype(args.dtype))
                    writer.add(number, x)
            progress.update(len(batch))
    for why in unreadable.values():
        print(f"left out: {why}")
    file = writer.finish(list(unreadable))
    print(
        f"{args.out}: {len(file)} videos of {file.channels} channels, "
        f"{len(unreadable)} left out"
    )


if __name__ == "__main__":
    run_tool(main)
