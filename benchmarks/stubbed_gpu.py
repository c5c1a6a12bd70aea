"""A GPU that is none, for dry runs of gpu_check.py: 'cuda' means the CPU.

After :func:`install`, launches of Triton's kernels are prepared up to the driver and
end there; results are those of the Numba kernels. Events read the clock, and a graph
runs the operations again that were captured. torch.compile generates no code.
"""

import contextlib
import functools
import importlib
import subprocess
import time
from types import SimpleNamespace

import host_time
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

OPERATORS = "frame_pyramid", "motion_loss", "repflow", "tvl1_flow", "warp"
NAME = "no GPU, launches are stubbed"
_STUBS = contextlib.ExitStack()  # never left


def _to_cpu(value: object) -> object:
    if isinstance(value, str | torch.device) and str(value).startswith("cuda"):
        return "cpu" if isinstance(value, str) else torch.device("cpu")
    return value


class _CudaIsCpu(TorchFunctionMode):
    """Every device that is passed to a function of PyTorch."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.cuda:
            return args[0]
        kwargs = {name: _to_cpu(value) for name, value in (kwargs or {}).items()}
        return function(*map(_to_cpu, args), **kwargs)


class _Event:
    def __init__(self, enable_timing: bool = False) -> None:
        self.seconds = 0.0

    def record(self, stream: object = None) -> None:
        self.seconds = time.perf_counter()

    def synchronize(self) -> None:
        pass

    def elapsed_time(self, end: "_Event") -> float:
        return 1000 * (end.seconds - self.seconds)


class _Graph(TorchDispatchMode):
    """A CUDA graph: the operations within it, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.calls.append((function, args, kwargs or {}, result))
        return result

    def replay(self) -> None:
        with torch.no_grad():
            for function, args, kwargs, captured in self.calls:
                again = function(*args, **kwargs)
                for old, new in zip(_flat(captured), _flat(again), strict=True):
                    if old is not new and old.numel():
                        old.copy_(new)


def _flat(result: object) -> list[torch.Tensor]:
    values = result if isinstance(result, tuple | list) else [result]
    return [value for value in values if isinstance(value, torch.Tensor)]


def _with_cpu_results(gpu, cpu, name: str) -> None:
    """Let a function of gpu prepare its launches and return what cpu computes."""
    launch, compute = getattr(gpu, name), getattr(cpu, name)

    def function(*args):
        launch(*args)
        return compute(*args)

    setattr(gpu, name, functools.wraps(launch)(function))


def _resolve_backend(backend: str, device, excluded: dict, **_options) -> str:
    """What checks.resolve_backend says of tensors on a GPU."""
    if backend == "auto":
        return "reference" if "triton" in excluded else "triton"
    if backend in excluded:
        raise NotImplementedError(excluded[backend])
    return backend


def _run(command, *args, **kwargs):
    if command[0] == "nvidia-smi":
        return SimpleNamespace(stdout="1000\n")
    return _run_process(command, *args, **kwargs)


_run_process = subprocess.run


def install() -> None:
    """Stub the GPU, for this process."""
    import torch._dynamo  # before the stubs, which it would look at

    from flowzoo_kernels._common import checks

    def nothing(*_args, **_options) -> None:
        return None

    def no_bytes(*_args, **_options) -> int:
        return 0

    @contextlib.contextmanager
    def context(*_args, **_options):
        yield

    @contextlib.contextmanager
    def graph(captured: _Graph, **_options):
        with captured:
            yield

    properties = SimpleNamespace(
        multi_processor_count=1, warp_size=32, total_memory=0, major=9, minor=0
    )
    stream = SimpleNamespace(wait_stream=nothing, synchronize=nothing)
    stubs = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "is_current_stream_capturing": lambda: False,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_name": lambda *_: NAME,
        "get_device_properties": lambda *_: properties,
        "get_device_capability": lambda *_: (9, 0),
        "mem_get_info": lambda *_: (0, 0),
        "get_rng_state": lambda *_: torch.get_rng_state(),
        "Event": _Event,
        "CUDAGraph": _Graph,
        "graph": graph,
        "Stream": lambda *_args, **_options: stream,
        "current_stream": lambda *_: stream,
        "stream": context,
        "device": context,
    }
    quiet = "synchronize", "manual_seed", "manual_seed_all", "empty_cache", "init"
    quiet += "reset_peak_memory_stats", "set_sync_debug_mode", "set_device"
    quiet += ("set_rng_state",)
    sizes = "memory_allocated", "max_memory_allocated", "memory_reserved"
    stubs |= dict.fromkeys(quiet, nothing) | dict.fromkeys(sizes, no_bytes)
    for name, stub in stubs.items():
        setattr(torch.cuda, name, stub)
    torch.accelerator.is_available = lambda: False
    # Inductor would write C++, which says nothing of a GPU.
    torch.compile = functools.partial(torch.compile, backend="aot_eager")
    subprocess.run = _run
    checks.resolve_backend = _resolve_backend
    checks._has_value = lambda _tensor: False  # of tensors on a GPU none is read
    for operator in OPERATORS:
        package = f"flowzoo_kernels.{operator}"
        gpu, cpu = (importlib.import_module(f"{package}.{n}") for n in ("gpu", "cpu"))
        for name in ("forward", "backward"):
            if hasattr(gpu, name):
                _with_cpu_results(gpu, cpu, name)
    _STUBS.enter_context(host_time.stubbed_launches())
    _STUBS.enter_context(_CudaIsCpu())
