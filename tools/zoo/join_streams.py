"""Join the checkpoints of two streams into one for TwoStreamRecognizer.

usage: python tools/zoo/join_streams.py SPATIAL.pth TEMPORAL.pth OUT.pth
"""

import argparse
from pathlib import Path

import torch

import flowzoo  # noqa: F401  lets torch.load read mmengine's checkpoints


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spatial", type=Path)
    parser.add_argument("temporal", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    joined = {}
    for name in ("spatial", "temporal"):
        path = getattr(args, name)
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("state_dict", state)
        if not any(key.startswith("cls_head.") for key in state):
            parser.error(f"{path} is not the checkpoint of a recognizer: no cls_head")
        joined.update({f"{name}.{key}": value for key, value in state.items()})
    torch.save(dict(state_dict=joined), args.out)
    print(args.out)


if __name__ == "__main__":
    main()
