"""Count the Triton kernels that representation flow and motion losses compile.

    python benchmarks/count_compiles.py [--seconds [--variants tvl1] [--maps 56]]

Needs no GPU: a stub stands in for the driver, and nothing is compiled or launched.
Writes benchmarks/results/{repflow,motion_loss}_compile_counts.json. With --seconds, the
kernels of first training steps are compiled for sm_90 instead, which writes
benchmarks/results/repflow_compile_seconds.json.
"""

import argparse
import contextlib
import itertools
import json
from collections.abc import Callable, Container, Iterable, Iterator
from unittest import mock

import timing
import torch
import triton
from repflow_inputs import PARAMETERS, make_parameters
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime import driver
from triton.runtime.jit import JITFunction

from flowzoo_kernels.frame_pyramid import gpu as frames_gpu
from flowzoo_kernels.motion_loss import gpu as loss_gpu
from flowzoo_kernels.motion_loss.options import FLOW_SCALES, Options
from flowzoo_kernels.repflow import gpu
from flowzoo_kernels.warp import gpu as warp_gpu

# Of the network's layer (modules.py), which trains neither image nor flow kernel.
DEFAULT_LEARNED = PARAMETERS[2:]
SIZES = (224, 224), (256, 320), (240, 320), (128, 128)


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


@contextlib.contextmanager
def timed_compiles() -> Iterator[dict[str, list[float]]]:
    """CPU seconds of compiling each kernel of calls within, by the kernel's name."""
    seconds, keys = {}, set()

    def compile_kernel(self, key, signature, _device, constants, options, attrs, *_):
        if (self, key) in keys:
            return
        keys.add((self, key))
        source = ASTSource(self, signature, constants, attrs)
        target = NoDriver().get_current_target()
        start = timing.cpu_seconds()
        triton.compile(source, target=target, options=options.__dict__)
        passed = timing.cpu_seconds() - start
        seconds.setdefault(self.fn.__name__, []).append(round(passed, 1))

    with contextlib.ExitStack() as stack:
        knobs = triton.knobs.compilation
        for owner, name, value in (
            (driver, "_active", NoDriver()),
            (JITFunction, "_do_compile", compile_kernel),
            (knobs, "always_compile", True),
        ):
            stack.enter_context(mock.patch.object(owner, name, value))
        yield seconds


def call(
    shape: tuple[int, ...], variant: str, learn: Container[str] = PARAMETERS
) -> None:
    """One training step's kernels, of the gradients of x and what is learned."""
    n, c, t, h, w = shape
    x, grad = torch.empty(shape), torch.empty(n, 2 * c, t - 1, h, w)
    parameters = make_parameters(variant, c)
    needs = [name in learn for name in PARAMETERS]
    for parameter, need in zip(parameters.values(), needs, strict=True):
        parameter.requires_grad_(need)
    gpu.forward(x, *parameters.values(), None, 20, variant)
    gpu.backward(
        grad, x, *parameters.values(), None, 20, variant, [True, *needs, False]
    )


def call_losses(shape: tuple[int, ...]) -> None:
    """The pyramid, the losses of five scales, and the warp with both gradients."""
    n, c, t, h, w = shape
    sizes = tuple((h >> i, w >> i) for i in range(1, 6))
    frames_gpu.forward(torch.empty(shape), sizes, 9, 1.0, 0.7)
    images = [torch.empty(n, t * c, *size) for size in sizes]
    flows = [torch.empty(n, 2 * (t - 1), *size) for size in sizes]
    scales = [Options(scale) for scale in FLOW_SCALES]
    pairs = [i[:, :-c] for i in images], [i[:, c:] for i in images]
    loss_gpu.forward(*pairs, flows, scales, True)
    image, flow = torch.empty(n, c, h, w), torch.empty(n, 2, h, w)
    grad = warp_gpu.forward(image, flow, "zeros")
    warp_gpu.backward(grad, image, flow, "zeros", [True, True])


def count(function: Callable, calls: Iterable[tuple]) -> dict[str, int]:
    """Kernels that calls of the function with these arguments compile."""
    with counted_compiles() as keys:
        for arguments in calls:
            function(*arguments)
    return {name: len(found) for name, found in keys.items()}


def seconds_of_first_steps(variants: list[str], sizes: list[int]) -> None:
    """CPU seconds of compiling for a first training step, by what is learned.

    Rows of other variants and sizes stay in the file.
    """
    learned = {"as by default": DEFAULT_LEARNED, "everything": PARAMETERS}
    path = timing.RESULTS / "repflow_compile_seconds.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    for variant, size, learn in itertools.product(variants, sizes, learned):
        with timed_compiles() as seconds:
            call((2, 32, 8, size, size), variant, learned[learn])
        row = {"variant": variant, "map": size, "learned": learn, **seconds}
        row["seconds"] = round(sum(map(sum, seconds.values())), 1)
        print(row, flush=True)
        same = "variant", "map", "learned"
        rows = [r for r in rows if any(r[name] != row[name] for name in same)] + [row]
        versions = {"triton": triton.__version__, "torch": torch.__version__}
        timing.write(path, versions | {"rows": rows})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", action="store_true")
    parser.add_argument("--variants", default="paper,tvl1")
    parser.add_argument("--maps", default="14,28,56")
    args = parser.parse_args()
    if args.seconds:
        sizes = list(map(int, args.maps.split(",")))
        seconds_of_first_steps(args.variants.split(","), sizes)
        return
    grid = itertools.product((1, 2, 8), (1, 16, 32, 33), (2, 3, 8, 16, 17), (7, 14, 56))
    rows = {
        "paper, (2, 32, T, 14, 14), T = 2 to 17": count(
            call, [((2, 32, t, 14, 14), "paper") for t in range(2, 18)]
        ),
        "N 1, 2, 8; C 1, 16, 32, 33; T 2, 3, 8, 16, 17; H = W = 7, 14, 56": count(
            call,
            [((n, c, t, s, s), v) for n, c, t, s in grid for v in ("paper", "tvl1")],
        ),
    }
    write("repflow", rows)
    grid = itertools.product((1, 2, 16), (2, 3, 11), SIZES)
    rows = {
        "N 1, 2, 16; T 2, 3, 11; 224 x 224, 256 x 320, 240 x 320, 128 x 128": count(
            call_losses, [((n, 3, t, *size),) for n, t, size in grid]
        )
    }
    write("motion_loss", rows)


def write(name: str, rows: dict) -> None:
    for row in rows.items():
        print(*row)
    result = {"triton": triton.__version__, "kernels compiled": rows}
    timing.write(timing.RESULTS / f"{name}_compile_counts.json", result)


if __name__ == "__main__":
    main()
