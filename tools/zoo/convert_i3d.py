"""Convert published weights of Inception-I3D.

usage: python tools/zoo/convert_i3d.py IN OUT

IN is one of
- a TensorFlow checkpoint of kinetics-i3d, or MoNet's: the path without .index and
  .data (TensorFlow is not needed);
- a .npz of such a checkpoint's variables;
- a state_dict of pytorch-i3d (.pt, .pth), such as its rgb_imagenet.pt.
OUT is a state_dict of configs/i3d_inception_kinetics.py, or of
configs/i3d/i3d_inception_kinetics_flow.py.
"""

import argparse
from pathlib import Path

import torch

from flowzoo.io.tensorflow_variables import read_variables
from flowzoo.zoo.convert_i3d import convert_i3d, has_scales
from flowzoo.zoo.convert_repflow import read_state_dict


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="IN")
    parser.add_argument("out", type=Path, metavar="OUT")
    args = parser.parse_args()
    read = read_state_dict if args.file.suffix in (".pt", ".pth") else read_variables
    try:
        ours = convert_i3d(read(args.file))
        torch.save(ours, args.out)
    except (ImportError, OSError, ValueError) as error:
        parser.error(str(error))
    channels = ours["backbone.Conv3d_1a_7x7.conv.weight"].shape[1]
    classes = len(ours["cls_head.fc_cls.bias"])
    suffix = "_flow" if channels == 2 else ""
    print(f"{args.out}: Inception-I3D of {channels} channels, {classes} classes, for")
    options = [f"configs/i3d_inception_kinetics{suffix}.py"]
    changes = {}
    if classes != 400:
        changes["model.cls_head.num_classes"] = classes
    if has_scales(ours):
        norm = "model.backbone.norm_cfg"
        changes |= {f"{norm}.type": "BN3d", f"{norm}.eps": 0.001}
    if changes:
        options.append("--cfg-options")
        options += [f"{key}={value}" for key, value in changes.items()]
    print(" ".join(options))


if __name__ == "__main__":
    main()
