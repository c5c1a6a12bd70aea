"""Seconds of the first calls on a CPU, with nothing compiled and then from disk.

    python benchmarks/first_call.py

Every call is in a process of its own, with an empty folder for Numba's code first and
the same folder again afterward. Seconds are those of the processor, so that a busy
machine disturbs them little; imports are not counted, except those of torch._dynamo,
which PyTorch does at the first call of any custom operator. Writes
benchmarks/results/first_call.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import timing
import torch
from numba.core import event
from repflow_inputs import make_maps, make_parameters

from flowzoo_kernels import (
    backward_warp,
    motion_loss,
    representation_flow,
    tvl1_flow,
)
from flowzoo_kernels.frame_pyramid import frame_pyramid


def repflow(variant: str, train: bool) -> None:
    x = make_maps((1, 8, 4, 14, 14)).float().requires_grad_(train)
    parameters = make_parameters(variant, 8)
    flow = representation_flow(x, *parameters.values(), 5, variant, backend="cpu")
    if train:
        flow.sum().backward()


def warp(train: bool) -> None:
    image = torch.rand(1, 3, 16, 16).requires_grad_(train)
    flow = torch.rand(1, 2, 16, 16).requires_grad_(train)
    warped = backward_warp(image, flow, backend="cpu")
    if train:
        warped.sum().backward()


def loss() -> None:
    frames, flow = torch.rand(2, 1, 3, 16, 16), torch.rand(1, 2, 16, 16)
    motion_loss(*frames, flow.requires_grad_(), flow_scale=1.0, backend="cpu")


CALLS = {
    "representation_flow, tvl1": lambda: repflow("tvl1", False),
    "representation_flow, tvl1, with backward": lambda: repflow("tvl1", True),
    "representation_flow, paper, with backward": lambda: repflow("paper", True),
    "tvl1_flow": lambda: tvl1_flow(255 * torch.rand(1, 1, 2, 64, 64), backend="cpu"),
    "backward_warp": lambda: warp(False),
    "backward_warp, with backward": lambda: warp(True),
    "motion_loss": loss,
    "frame_pyramid": lambda: frame_pyramid(
        torch.rand(1, 3, 2, 16, 16), [(8, 8)], backend="cpu"
    ),
}


def measure(name: str) -> dict[str, float]:
    """Of the first call in this process."""
    torch.set_num_threads(1)
    with event.install_recorder("numba:compile") as recorder:
        start = time.process_time()
        CALLS[name]()
        seconds = time.process_time() - start
    compiled = sum(entry.is_start for _, entry in recorder.buffer)
    return {"seconds": round(seconds, 1), "functions compiled": compiled}


def in_a_process(name: str, folder: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--call", name],
        env={**os.environ, "NUMBA_CACHE_DIR": folder},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--call", choices=CALLS, help="only this, in this process")
    name = parser.parse_args().call
    if name:
        print(json.dumps(measure(name)))
        return
    rows = {}
    for name in CALLS:
        with tempfile.TemporaryDirectory() as folder:
            cold, warm = (in_a_process(name, folder) for _ in range(2))
        rows[name] = {"nothing compiled": cold, "from disk": warm}
        print(name, rows[name], flush=True)
    result = timing.environment("cpu", "numba") | {"calls": rows}
    timing.write(timing.OUTPUT / "first_call.json", result)


if __name__ == "__main__":
    main()
