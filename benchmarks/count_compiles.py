"""Count the Triton kernels that representation flow compiles for many shapes.

    python benchmarks/count_compiles.py

Needs no GPU: a stub stands in for the driver, and nothing is compiled or launched.
Writes benchmarks/results/repflow_compile_counts.json.
"""

import contextlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import torch
import triton
from repflow_inputs import make_parameters
from triton.backends.compiler import GPUTarget
from triton.runtime import driver
from triton.runtime.jit import JITFunction

from flowzoo_kernels.repflow import gpu

RESULTS = Path(__file__).parent / "results" / "repflow_compile_counts.json"


class NoDriver:
    """What a launch asks a GPU's driver. Device -1 shares no cache with a real one."""

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", 90, 32)

    def get_current_device(self) -> int:
        return -1

    def get_current_stream(self, device: int) -> int:
        return 0


@contextlib.contextmanager
def counted_compiles() -> Iterator[dict[str, set]]:
    """Keys of the kernels that calls within would compile, by the kernel's name."""
    keys = {}

    def count(self, key, *_args, **_options):
        keys.setdefault(self.fn.__name__, set()).add(key)

    active = mock.patch.object(driver, "_active", NoDriver())
    with active, mock.patch.object(JITFunction, "_do_compile", count):
        yield keys


def call(shape: tuple[int, ...], variant: str) -> None:
    """One training step's kernels, of all gradients."""
    n, c, t, h, w = shape
    x, grad = torch.empty(shape), torch.empty(n, 2 * c, t - 1, h, w)
    parameters = make_parameters(variant, c).values()
    gpu.forward(x, *parameters, 20, variant)
    gpu.backward(grad, x, *parameters, 20, variant, [True] * 7)


def count(shapes: list[tuple[int, ...]], variants: tuple[str, ...]) -> dict[str, int]:
    """Kernels that these shapes compile."""
    with counted_compiles() as keys:
        for shape, variant in itertools.product(shapes, variants):
            call(shape, variant)
    return {name: len(found) for name, found in keys.items()}


def main() -> None:
    grid = itertools.product((1, 2, 8), (1, 16, 32, 33), (2, 3, 8, 16, 17), (7, 14, 56))
    rows = {
        "paper, (2, 32, T, 14, 14), T = 2 to 17": count(
            [(2, 32, t, 14, 14) for t in range(2, 18)], ("paper",)
        ),
        "N 1, 2, 8; C 1, 16, 32, 33; T 2, 3, 8, 16, 17; H = W = 7, 14, 56": count(
            [(n, c, t, s, s) for n, c, t, s in grid], ("paper", "tvl1")
        ),
    }
    for name, row in rows.items():
        print(name, row)
    result = {"triton": triton.__version__, "kernels compiled": rows}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
