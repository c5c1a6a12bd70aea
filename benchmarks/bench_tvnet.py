"""TVNet's training step on the CPU: fused iterations and warps against eager PyTorch.

    python benchmarks/bench_tvnet.py [--rounds 5] [--threads 1]

Writes benchmarks/results/tvnet_cpu.json.
"""

import argparse

import timing
import torch

from flowzoo_kernels import TVNet

# (N, T, H, W), iterations, options. Ten pairs are what the TVNet paper stacks; with one
# pair, seven of a vector's eight lanes have nothing to do.
CASES = (
    ((1, 11, 112, 112), 20, {}),
    ((1, 2, 112, 112), 20, {}),
    ((4, 9, 64, 64), 10, {"scales": 2, "warps": 2}),
)
NAMES = {"fused": "auto", "eager": "reference"}


def make_step(shape: tuple[int, ...], n_iters: int, backend: str, options: dict):
    """A call that computes flow and the gradients of the frames and all parameters."""
    n, t, h, w = shape
    g = torch.Generator().manual_seed(0)
    frames = 255 * torch.rand(n, 1, t, h, w, generator=g)
    frames.requires_grad_()
    net = TVNet(n_iters, backend=backend, **options)

    def step():
        leaves = frames, *net.parameters()
        return torch.autograd.grad(net(frames).square().sum(), leaves)

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    result, rows = timing.environment("cpu", "numba"), []
    for shape, n_iters, options in CASES:
        steps = {
            name: make_step(shape, n_iters, backend, options)
            for name, backend in NAMES.items()
        }
        seconds = timing.alternate(steps, args.rounds)
        row = {"frames": shape, "iterations": n_iters} | options
        row["seconds"] = {k: timing.summary(v) for k, v in seconds.items()}
        row["speed-up"] = timing.speed_ups(row["seconds"])
        rows.append(row)
        print(row, flush=True)
        timing.write(
            timing.OUTPUT / "tvnet_cpu.json",
            result | {"load after": timing.load(), "rounds": args.rounds, "rows": rows},
        )


if __name__ == "__main__":
    main()
