"""Merge an appearance network and MoNet with its classifiers.

usage: python tools/zoo/merge_hallucinated.py CONFIG NETWORK.pth TWO_STREAM.pth OUT.pth

CONFIG is of HallucinatedTwoStream, NETWORK.pth of the recognizer whose features MoNet
was trained on (its head is left out), and TWO_STREAM.pth of stage 3, the fusion.
"""

import argparse
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from flowzoo.interrupts import run_tool
from flowzoo.io.checkpoint_io import read_state_dict


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("appearance", type=Path)
    parser.add_argument("two_stream", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()

    try:
        appearance = read_state_dict(args.appearance)
        two_stream = read_state_dict(args.two_stream)
        config = Config.fromfile(args.config)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    init_default_scope(config.get("default_scope", "mmaction"))
    model = MODELS.build(config.model)
    headless = {k: v for k, v in appearance.items() if not k.startswith("cls_head.")}
    model.appearance.load_state_dict(headless)
    model.two_stream.load_state_dict(two_stream)
    torch.save(dict(state_dict=model.state_dict()), args.out)
    print(args.out)


if __name__ == "__main__":
    run_tool(main)
