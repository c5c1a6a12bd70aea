"""Convert weights that the authors of a paper have published.

usage: python tools/zoo/convert.py KIND IN OUT [--layer NAME]

OUT is a state_dict of ours. KIND says whose weights IN has:

repflow             the Kinetics network of representation flow (models/rep_flow.pt in
                    their repository), for repflow_r50_kinetics_released.py; the (2+1)D
                    network of their training code, for
                    repflow_r2plus1d50_*_fcf_authors.py; or their first flow layer, for
                    flowzoo_kernels.RepresentationFlow(C, n_iters=..., variant='tvl1',
                    normalize='legacy'). With --layer, the layer of that name in a
                    larger network (`flow_layer` in their (2+1)D network).
hidden_two_stream   their MotionNet (.caffemodel), for motionnet_*.py, or MotionNet with
                    VGG-16 behind it, for hidden2s_vgg16_*.py. Needs protobuf: pip
                    install 'flowzoo[caffe]'.
i3d                 Inception-I3D, for i3d_inception_kinetics*.py: a checkpoint of
                    kinetics-i3d or of MoNet, or a state_dict of pytorch-i3d (.pt,
                    .pth), such as its rgb_imagenet.pt.
monet               MoNet, for flowzoo.models.necks.MoNet(1024, variant='released'): a
                    checkpoint of theirs. In a config:
                    neck=dict(type='MoNet', in_channels=1024, variant='released',
                              init_cfg=dict(type='Pretrained', checkpoint=OUT))

A TensorFlow checkpoint is given by its path without .index and .data (TensorFlow is not
needed), or as a .npz of its variables.
"""

import argparse
from pathlib import Path

import torch

from flowzoo.interrupts import run_tool
from flowzoo.zoo import (
    convert_hidden_two_stream,
    convert_i3d,
    convert_monet,
    convert_repflow,
)

CONVERTERS = {
    "repflow": convert_repflow,
    "hidden_two_stream": convert_hidden_two_stream,
    "i3d": convert_i3d,
    "monet": convert_monet,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=CONVERTERS, metavar="KIND")
    parser.add_argument("file", type=Path, metavar="IN")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--layer", metavar="NAME", help="name of a layer within IN")
    args = parser.parse_args()
    if args.layer and args.kind != "repflow":
        parser.error("--layer is of the kind repflow")
    options = dict(layer=args.layer) if args.layer else {}
    try:
        ours, use = CONVERTERS[args.kind].convert_file(args.file, **options)
        torch.save(ours, args.out)
    except (ImportError, OSError, ValueError) as error:
        parser.error(str(error))
    print(f"{args.out}: {use.format(out=args.out)}")


if __name__ == "__main__":
    run_tool(main)
