"""Merge an appearance network and MoNet with its classifiers.

usage: python tools/zoo/merge_hallucinated.py CONFIG NETWORK.pth TWO_STREAM.pth OUT.pth

CONFIG is of HallucinatedTwoStream, NETWORK.pth of the recognizer whose features MoNet
was trained on (its head is left out), and TWO_STREAM.pth of stage 3, the fusion; these
two by their paths or as flowzoo://NAME.
"""

import argparse
from pathlib import Path

from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from flowzoo.interrupts import run_tool
from flowzoo.io.checkpoint_io import read_state_dict, write_state_dict
from flowzoo.zoo.url_schemes import local_file


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("appearance")
    parser.add_argument("two_stream")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()

    try:
        appearance = read_state_dict(local_file(args.appearance))
        two_stream = read_state_dict(local_file(args.two_stream))
        config = Config.fromfile(args.config)
    except (OSError, ValueError, LookupError) as error:
        parser.error(str(error.args[0] if isinstance(error, KeyError) else error))
    init_default_scope(config.get("default_scope", "mmaction"))
    model = MODELS.build(config.model)
    headless = {k: v for k, v in appearance.items() if not k.startswith("cls_head.")}
    try:
        model.appearance.load_state_dict(headless)
        model.two_stream.load_state_dict(two_stream)
        write_state_dict(args.out, model.state_dict())
    except RuntimeError as error:
        parser.error(f"a checkpoint is not what {args.config} takes: {error}")
    except OSError as error:
        parser.error(f"cannot write {args.out}: {error.strerror}")
    print(args.out)


if __name__ == "__main__":
    run_tool(main)
