"""Merge the checkpoints of two streams into one for TwoStreamRecognizer.

usage: python tools/zoo/merge_streams.py SPATIAL.pth TEMPORAL.pth OUT.pth
"""

import argparse
from pathlib import Path

import torch

from flowzoo.interrupts import run_tool
from flowzoo.io.checkpoint_io import read_state_dict


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spatial", type=Path)
    parser.add_argument("temporal", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    merged = {}
    for name in ("spatial", "temporal"):
        path = getattr(args, name)
        try:
            state = read_state_dict(path)
        except (OSError, ValueError) as error:
            parser.error(str(error))
        if not any(key.startswith("cls_head.") for key in state):
            parser.error(f"{path} is not the checkpoint of a recognizer: no cls_head")
        merged |= {f"{name}.{key}": value for key, value in state.items()}
    torch.save(dict(state_dict=merged), args.out)
    print(args.out)


if __name__ == "__main__":
    run_tool(main)
