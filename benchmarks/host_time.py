"""Host time of a small call of representation flow: what Python and PyTorch do.

    python benchmarks/host_time.py [--before CHECKOUT] [--rounds N]

Needs no GPU: nothing is compiled or launched, and tensors lie in the CPU's memory. With
--before, rounds alternate between both checkouts. Writes
benchmarks/results/repflow_host_time.json.
"""

import argparse
import contextlib
import functools
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

SHAPE, N_ITERS = (2, 8, 4, 14, 14), 20
CALLS = 200
_DEVICES = itertools.count(-2, -1)


@contextlib.contextmanager
def stubbed_launches(grids: list | None = None) -> Iterator[list[str]]:
    """Names of the kernels that calls within would launch, in order.

    grids: gets the programs of each launch along three axes.
    """
    from count_compiles import NoDriver
    from triton.runtime import driver
    from triton.runtime.jit import JITFunction

    launched = []

    def launch(name: str, *arguments) -> None:
        launched.append(name)
        if grids is not None:
            grids.append(arguments[:3])

    def compile_nothing(self, key, _signature, device, *_arguments):
        kernel = SimpleNamespace(
            launch_metadata=lambda *_arguments: None,
            run=functools.partial(launch, self.fn.__name__),
            function=None,
            packed_metadata=None,
        )
        self.device_caches[device][0][key] = kernel
        return kernel

    stub = NoDriver()
    number = next(_DEVICES)  # what others compiled is no business of this one
    stub.get_current_device = lambda: number
    active = mock.patch.object(driver, "_active", stub)
    with active, mock.patch.object(JITFunction, "_do_compile", compile_nothing):
        yield launched


def make_steps(variant: str) -> dict[str, Callable[[], object]]:
    """A forward call of the operator, and one with gradients of all that is learned."""
    import torch
    from repflow_inputs import make_maps, make_parameters

    from flowzoo_kernels.repflow import op

    x = make_maps(SHAPE).requires_grad_()
    parameters = make_parameters(variant, SHAPE[1])
    for name in ("div_kernel", "theta", "lam", "tau"):
        parameters[name].requires_grad_()
    arguments = (x, *parameters.values(), None, N_ITERS, variant, "triton")
    leaves = [a for a in arguments[:7] if a.requires_grad]
    grad = torch.ones_like(op._forward(*arguments))

    def forward():
        with torch.no_grad():
            return op._forward(*arguments)

    def forward_and_backward():
        return torch.autograd.grad(op._forward(*arguments), leaves, grad)

    return {"forward": forward, "forward and backward": forward_and_backward}


def measure() -> dict[str, float]:
    """Milliseconds of a call; the median of many."""
    import statistics

    import torch

    torch.set_num_threads(1)
    result = {}
    with stubbed_launches() as launched:
        for variant in ("paper", "tvl1"):
            for name, step in make_steps(variant).items():
                step()
                launched.clear()
                seconds = []
                for _ in range(CALLS):
                    start = time.perf_counter()
                    step()
                    seconds.append(time.perf_counter() - start)
                result[f"{variant}, {name}"] = 1000 * statistics.median(seconds)
    return result


def measure_in(checkout: Path) -> dict[str, float]:
    """The same in a process of its own, with the kernels of a checkout."""
    script = "import json, host_time; print(json.dumps(host_time.measure()))"
    # One module that imports the checkout's kernels under their public name.
    install = (
        "import importlib.util, sys; s = importlib.util.spec_from_file_location("
        f"'flowzoo_kernels', {str(checkout / 'kernels/__init__.py')!r}, "
        f"submodule_search_locations=[{str(checkout / 'kernels')!r}]); "
        "m = importlib.util.module_from_spec(s); sys.modules[s.name] = m; "
        "s.loader.exec_module(m); "
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", install + script]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    )
    return json.loads(done.stdout)


def main() -> None:
    import timing

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--before", type=Path, help="checkout to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    checkouts = {"after": Path(__file__).parents[1]}
    if args.before:
        checkouts = {"before": args.before} | checkouts
    rows = {name: [] for name in checkouts}
    for _ in range(args.rounds):
        for name, checkout in checkouts.items():
            rows[name].append(measure_in(checkout))
    result = timing.environment("cpu", "triton") | {"shape": SHAPE}
    result["milliseconds"] = {
        name: timing.medians({k: [m[k] for m in measured] for k in measured[0]})
        for name, measured in rows.items()
    }
    print(json.dumps(result["milliseconds"], indent=1))
    timing.write(timing.RESULTS / "repflow_host_time.json", result)


if __name__ == "__main__":
    main()
