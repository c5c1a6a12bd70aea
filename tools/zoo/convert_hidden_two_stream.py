"""Convert Caffe weights that the authors of hidden two-stream networks have published.

usage: python tools/zoo/convert_hidden_two_stream.py IN.caffemodel OUT

IN is their MotionNet, or MotionNet with VGG-16 behind it; OUT is a state_dict, of
configs/motionnet_*.py or of configs/hidden2s_vgg16_*.py. Needs protobuf:
pip install 'flowzoo[caffe]'.
"""

import argparse
from pathlib import Path

import torch

from flowzoo.io.caffemodel import read_caffemodel
from flowzoo.zoo.convert_hidden_two_stream import convert

CONFIGS = {"motionnet": "motionnet_*.py", "stacked": "hidden2s_vgg16_*.py"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="IN")
    parser.add_argument("out", type=Path, metavar="OUT")
    args = parser.parse_args()

    try:
        kind, ours = convert(read_caffemodel(args.file))
        torch.save(ours, args.out)
    except (ImportError, OSError, ValueError) as error:
        parser.error(str(error))
    print(f"{args.out}: weights for configs/{CONFIGS[kind]}")


if __name__ == "__main__":
    main()
