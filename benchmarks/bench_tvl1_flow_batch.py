"""TV-L1 flow of batches of pairs: pairs per second by the size of the batch.

    python benchmarks/bench_tvl1_flow_batch.py [--device cuda] [--batches 1,4,16,64]

Smooth noise of 340 x 256 that moves by a few pixels; all threads, or the GPU. Written
to benchmarks/results/tvl1_flow_batch_DEVICE.json.
"""

from __future__ import annotations

import argparse
import functools
import statistics

import timing
import torch
import torch.nn.functional as F

from flowzoo_kernels import tvl1_flow
from flowzoo_kernels.tvl1_flow.options import PRESETS


def moving_pairs(count: int, device: str) -> torch.Tensor:
    """(count, 2, 256, 340) uint8, each pair moving by (3, -2)."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(count, 1, 34, 44, generator=generator)
    scene = 255 * F.interpolate(noise, size=(264, 348), mode="bicubic").clamp(0, 1)
    pair = [scene[:, 0, 4:260, 4:344], scene[:, 0, 6:262, 1:341]]
    return torch.stack(pair, dim=1).to(torch.uint8).to(device)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batches", default="1,4,16")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    report = timing.environment(args.device, "numba", "triton")
    rows = report["rows"] = []
    for preset in PRESETS:
        for batch in map(int, args.batches.split(",")):
            pairs = moving_pairs(batch, args.device)
            flow = tvl1_flow(pairs, preset)
            motion = flow.new_tensor([3.0, -2.0]).view(1, 2, 1, 1, 1)
            error = (flow - motion)[..., 20:-20, 20:-20].norm(dim=1).mean().item()
            call = functools.partial(tvl1_flow, pairs, preset)
            seconds = [timing.seconds_of(call) for _ in range(args.runs)]
            rate = batch / statistics.median(seconds)
            row = {"preset": preset, "batch": batch, "error": round(error, 3)}
            row |= {"pairs per second": round(rate, 2), "load": timing.load()}
            rows.append(row)
            print(row, flush=True)
            timing.write(timing.OUTPUT / f"tvl1_flow_batch_{args.device}.json", report)


if __name__ == "__main__":
    main()
