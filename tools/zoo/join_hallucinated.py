"""Join an appearance network and MoNet with its classifiers for HallucinatedTwoStream.

usage: python tools/zoo/join_hallucinated.py CONFIG NETWORK.pth TWO_STREAM.pth OUT.pth

CONFIG is of HallucinatedTwoStream, NETWORK.pth of the recognizer whose features MoNet
was trained on (its head is left out), and TWO_STREAM.pth of stage 3, the fusion.
"""

import argparse
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

import flowzoo  # noqa: F401


def read_state(path: Path) -> dict:
    state = torch.load(path, map_location="cpu", weights_only=True)
    return state.get("state_dict", state)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("appearance", type=Path)
    parser.add_argument("two_stream", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()

    config = Config.fromfile(args.config)
    init_default_scope(config.get("default_scope", "mmaction"))
    model = MODELS.build(config.model)
    state = read_state(args.appearance)
    headless = {k: v for k, v in state.items() if not k.startswith("cls_head.")}
    model.appearance.load_state_dict(headless)
    model.two_stream.load_state_dict(read_state(args.two_stream))
    torch.save(dict(state_dict=model.state_dict()), args.out)
    print(args.out)


if __name__ == "__main__":
    main()
