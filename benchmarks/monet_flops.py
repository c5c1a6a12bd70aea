"""Multiply-adds of MoNet itself at the paper's width, by mmengine's counter.

usage: python benchmarks/monet_flops.py
"""

import torch
from mmengine.analysis import get_model_complexity_info

import flowzoo  # noqa: F401
from flowzoo.models.necks import MoNet

CHANNELS, LAYERS = 1024, 5
# steps of I3D: of 64 frames, the test clip of the released code, and of 10 s at 25 fps
STEPS = dict(clip=8, video=31)


def main() -> None:
    for variant in ("paper", "released"):
        net = MoNet(CHANNELS, num_layers=LAYERS, variant=variant).eval()
        for name, steps in STEPS.items():
            report = get_model_complexity_info(
                net, inputs=(torch.rand(1, steps, CHANNELS),), show_arch=False
            )
            print(
                f"{variant}, {name} of {steps} steps: {report['flops'] / 1e9:.2f} G "
                f"multiply-adds, {report['params'] / 1e6:.1f} M weights"
            )


if __name__ == "__main__":
    main()
