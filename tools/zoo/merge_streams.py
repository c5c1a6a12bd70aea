"""Merge the checkpoints of two streams into one for TwoStreamRecognizer.

usage: python tools/zoo/merge_streams.py SPATIAL TEMPORAL OUT.pth

SPATIAL and TEMPORAL are checkpoints, by their paths or as flowzoo://NAME, and go with
the config's ``spatial`` and ``temporal``: nothing here knows the config, and a test
with another one's says which names did not match. Both have to be of the same split.
"""

import argparse
from pathlib import Path

from flowzoo.compat.atomic_checkpoints import split_of
from flowzoo.interrupts import run_tool
from flowzoo.io.checkpoint_io import read_weights, write_state_dict
from flowzoo.zoo.url_schemes import local_file


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spatial")
    parser.add_argument("temporal")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    merged, classes, configs = {}, {}, {}
    for name in ("spatial", "temporal"):
        checkpoint = getattr(args, name)
        try:
            state, meta = read_weights(local_file(checkpoint))
        except (OSError, ValueError, LookupError) as error:
            parser.error(str(error.args[0] if isinstance(error, KeyError) else error))
        head = {k: v for k, v in state.items() if k.startswith("cls_head.")}
        if not head:
            parser.error(
                f"{checkpoint} is not the checkpoint of a recognizer: no cls_head"
            )
        classes[name] = {len(v) for k, v in head.items() if k.endswith("bias")}
        if found := split_of(meta):
            configs.setdefault(found[1], str(meta.get("cfg") or meta["config"]))
        merged |= {f"{name}.{key}": value for key, value in state.items()}
    if all(classes.values()) and classes["spatial"].isdisjoint(classes["temporal"]):
        parser.error(
            "the streams' scores cannot be averaged: "
            f"{args.spatial} has {max(classes['spatial'])} classes, "
            f"{args.temporal} {max(classes['temporal'])}"
        )
    if len(configs) > 1:
        first, second = configs
        parser.error(
            f"{args.spatial} was trained on split {first}, {args.temporal} on split "
            f"{second}: each has learned from clips that the other is tested on"
        )
    try:
        # of which split the streams are, so that a test on another one says so
        write_state_dict(args.out, merged, dict(cfg="".join(configs.values())))
    except OSError as error:
        parser.error(f"cannot write {args.out}: {error.strerror}")
    print(args.out)


if __name__ == "__main__":
    run_tool(main)
