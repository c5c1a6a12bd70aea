"""Run Triton kernels on the emulator: they are compiled as for a GPU of their own."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from unittest import mock

import torch
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from triton.runtime import driver
from triton.runtime.jit import JITFunction

from flowzoo_kernels._common import checks

from .findings import Findings
from .launch import launch
from .program import Program

ARCHITECTURE = 90
NEW = "empty", "empty_like"  # functions of torch that make tensors

_compiled = {}  # kernels by Triton's key


class _Driver:
    """What a launch asks a GPU's driver. Device -2 shares no cache with another."""

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", ARCHITECTURE, 32)

    def get_current_device(self) -> int:
        return -2

    def get_current_stream(self, device: int) -> int:
        return 0


class Emulator:
    """findings: what was wrong; launches: the names of the kernels that ran.

    seed: see :func:`launch`. change: a function of PTX, which plants a defect.
    """

    def __init__(
        self, seed: int | None = None, change: Callable[[str], str] | None = None
    ) -> None:
        self.findings, self.launches = Findings(), []
        self.seed, self.change = seed, change

    def launch(
        self, name: str, compiled, grid: tuple[int, int, int], arguments: dict
    ) -> None:
        ptx = compiled.asm["ptx"]
        if self.change is not None:
            ptx = self.change(ptx)
        shared = compiled.metadata.shared
        self.launches.append(name)
        launch(_program(ptx), grid, arguments, shared, self.findings, self.seed)


@functools.lru_cache(maxsize=256)
def _program(ptx: str) -> Program:
    return Program(ptx)


class _Kernel:
    """In place of a compiled kernel, in Triton's cache of them."""

    function = packed_metadata = None

    def __init__(
        self, emulator: Emulator, name: str, compiled, signature: dict
    ) -> None:
        self.emulator, self.name, self.compiled = emulator, name, compiled
        self.signature = signature

    def launch_metadata(self, *_arguments) -> None:
        return None

    def run(self, x, y, z, stream, function, packed, metadata, enter, leave, *values):
        # What is constant, as arguments that are 1 are, is no parameter of the PTX.
        arguments = {
            name: value
            for (name, kind), value in zip(self.signature.items(), values, strict=True)
            if kind != "constexpr"
        }
        self.emulator.launch(self.name, self.compiled, (x, y, z), arguments)


@contextlib.contextmanager
def emulated(
    seed: int | None = None, change: Callable[[str], str] | None = None
) -> Iterator[Emulator]:
    """Triton kernels that are launched within run on the emulator, on CPU tensors.

    New tensors of floating-point numbers are full of NaN, so that what a kernel leaves
    out shows.
    """
    emulator = Emulator(seed, change)
    target = _Driver().get_current_target()

    def do_compile(self, key, signature, device, constants, options, attributes, *_):
        if (self, key) not in _compiled:
            source = ASTSource(self, signature, constants, attributes)
            options = options.__dict__
            _compiled[self, key] = compile(source, target=target, options=options)
        return _Kernel(emulator, self.fn.__name__, _compiled[self, key], signature)

    with contextlib.ExitStack() as stack:
        for owner, name, value in (
            (driver, "_active", _Driver()),
            (JITFunction, "_do_compile", do_compile),
            (checks, "interpreted", lambda: True),
            *((torch, name, _full_of_nan(getattr(torch, name))) for name in NEW),
            (torch.Tensor, "new_empty", _full_of_nan(torch.Tensor.new_empty)),
        ):
            stack.enter_context(mock.patch.object(owner, name, value))
        yield emulator


def _full_of_nan(function):
    @functools.wraps(function)
    def filled(*arguments, **options):
        tensor = function(*arguments, **options)
        if tensor.is_floating_point() and tensor.device.type == "cpu":
            tensor.fill_(torch.nan)
        return tensor

    return filled
