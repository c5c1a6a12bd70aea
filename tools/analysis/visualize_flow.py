"""Draw the representation flow of a model on a video.

usage: python tools/analysis/visualize_flow.py CONFIG CHECKPOINT VIDEO --out DIR

For every representation-flow layer, DIR/LAYER/ gets images of each channel in the
colors of the Middlebury wheel, of the mean magnitude and of the frames, and flow.mp4
with all of them side by side. The clip is the one that the config's val_pipeline takes
from the video. See docs/flow_images.md.
"""

import argparse
from pathlib import Path

import torch
from mmaction.apis import init_recognizer
from mmengine.config import Config, DictAction
from mmengine.runner import load_checkpoint

from flowzoo.devices import device_argument
from flowzoo.interrupts import run_tool
from flowzoo.visualization import (
    FlowRecorder,
    first_clip,
    read_clip,
    write_flow_images,
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", metavar="CONFIG")
    parser.add_argument("checkpoint", metavar="CHECKPOINT")
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--channels", type=int, nargs="+", help="default: all")
    parser.add_argument(
        "--max-flow",
        type=float,
        help="length with full saturation, in pixels of the maps "
        "(default: 99 %% of the values are shorter)",
    )
    parser.add_argument("--rate", type=int, default=8, help="frames per second")
    parser.add_argument(
        "--device",
        type=device_argument,
        default="cuda" if torch.cuda.is_available() else "cpu",
    )
    parser.add_argument("--cfg-options", nargs="+", action=DictAction)
    args = parser.parse_args()

    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options or {})
    try:
        model = init_recognizer(config, device=args.device)
        load_checkpoint(model, args.checkpoint, map_location="cpu", strict=True)
        with FlowRecorder(model) as recorder, torch.no_grad():
            batch = read_clip(config, args.video)
            model.test_step(batch)
        for layer, flow in recorder.flows.items():
            written = write_flow_images(
                args.out / layer,
                first_clip(batch["inputs"][0], len(flow)),
                flow[0],
                args.channels,
                args.max_flow,
                args.rate,
            )
            print(written[-1])
    except (OSError, RuntimeError, ValueError) as error:  # also VideoError
        parser.error(str(error))


if __name__ == "__main__":
    run_tool(main)
