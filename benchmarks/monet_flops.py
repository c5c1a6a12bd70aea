"""Cost of two streams of I3D against I3D with imagined flow (MoNet, section 4.2).

usage: python benchmarks/monet_flops.py

Counts convolutions and matrix products, as tools/zoo/count_flops.py does, for a clip of
64 frames, as in the released code, and for ten seconds, and writes
benchmarks/results/monet_flops.json. The paper gives 425 GFLOPs for two streams and 224
with imagined flow.
"""

import json
from pathlib import Path

import torch
from mmengine.config import Config

import flowzoo  # noqa: F401
from flowzoo.config_lookup import find_config
from flowzoo.zoo.complexity import complexity

OUT = Path(__file__).parent / "results" / "monet_flops.json"
RGB, FLOW = "i3d_inception_kinetics", "i3d_inception_kinetics_flow"
E2E = "monet_i3d_kinetics_e2e"
FRAMES = {"clip": 64, "ten seconds": 250}


def measure(name: str, channels: int, frames: int, **neck) -> dict[str, float]:
    config = Config.fromfile(find_config(f"{name}.py"))
    if neck:
        config.merge_from_dict(dict(model=dict(two_stream=dict(neck=neck))))
    parameters, count = complexity(config, (1, channels, frames, 224, 224))
    return {
        "M parameters": round(parameters / 1e6, 2),
        "10^9 multiply-adds": round(count / 1e9, 2),
        "GFLOPs": round(2 * count / 1e9, 1),
    }


def main() -> None:
    rows = {}
    for clip, frames in FRAMES.items():
        rgb, flow = measure(RGB, 3, frames), measure(FLOW, 2, frames)
        rows[clip] = {
            "frames": frames,
            "I3D, RGB": rgb,
            "I3D, flow": flow,
            "two-stream": {key: round(rgb[key] + flow[key], 2) for key in rgb},
            "hallucinated two-stream": measure(E2E, 3, frames),
            "hallucinated two-stream, released MoNet": measure(
                E2E, 3, frames, variant="released"
            ),
        }
    report = {
        "paper, GFLOPs": {"two-stream": 425, "hallucinated two-stream": 224},
        "not counted": "estimation of optical flow, which two streams need",
        "torch": torch.__version__,
        **rows,
    }
    text = json.dumps(report, indent=1)
    OUT.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
