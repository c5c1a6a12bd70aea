"""Argument checks shared by the operators: what was wrong, and what to do."""

import importlib.util
import os
import sys
import weakref
from collections.abc import Sequence
from numbers import Integral, Real

import torch
from torch import Tensor

from .exporting import exporting, exporting_to_onnx
from .launch import interpreted

BACKENDS = ("auto", "triton", "cpu", "reference")
# Numba itself reads the variable as a whole number.
_NUMBA_IS_OFF = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
HAS_NUMBA = importlib.util.find_spec("numba") is not None and not _NUMBA_IS_OFF
HAS_TRITON = importlib.util.find_spec("triton") is not None


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise ValueError naming the choices unless ``value`` is one of them."""
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name}={value!r} is not known; choose one of {listed}")


def check_floating(name: str, tensor: Tensor) -> None:
    """Raise TypeError unless ``tensor`` is a tensor, of real floating point."""
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"{name} is a {type(tensor).__name__}, but a tensor is needed; "
            f"torch.as_tensor makes one of numbers and arrays"
        )
    if not tensor.is_floating_point():
        raise TypeError(
            f"{name} is {tensor.dtype}, but a floating-point tensor is needed; "
            f"convert it first, for example with {name}.float()"
        )


def check_maps(name: str, tensor: Tensor, layout: str) -> None:
    """Raise unless ``tensor`` is floating point, with axes like '(N, C, H, W)'."""
    check_floating(name, tensor)
    if tensor.ndim != layout.count(",") + 1:
        raise ValueError(
            f"{name} has {tensor.ndim} dimensions, shape {tuple(tensor.shape)}; "
            f"{layout} is needed"
        )


def check_integer(name: str, value: object) -> None:
    """Raise TypeError unless ``value`` is an integer, of Python or NumPy."""
    # a tuple: torch.compile of 2.7 knows no unions
    if not isinstance(value, (Integral, torch.SymInt)):
        raise TypeError(f"{name}={value!r}, but a whole number is needed")


def check_positive_int(name: str, value: int, unit: str) -> None:
    """Raise unless ``value`` is an integer of at least 1."""
    check_integer(name, value)
    if value < 1:
        raise ValueError(f"{name}={value}, but at least 1 {unit} is needed")


def check_number(name: str, value: object) -> None:
    """Raise TypeError unless ``value`` is a number, of Python or NumPy."""
    if not isinstance(value, (Real, torch.SymInt, torch.SymFloat)):
        raise TypeError(f"{name}={value!r}, but a number is needed")


def check_finite_number(name: str, value: object) -> None:
    """Raise unless ``value`` is a number, and not NaN or infinite."""
    check_number(name, value)
    if not value - value == 0:
        raise ValueError(f"{name}={value}, but a finite number is needed")


def check_positive_number(name: str, value: object) -> None:
    """Raise unless ``value`` is a positive number."""
    check_number(name, value)
    if not 0 < value < float("inf"):
        raise ValueError(f"{name}={value}, but it must be a positive number")


def check_shape(name: str, tensor: Tensor, shape: Sequence[int], why: str) -> None:
    """Raise ValueError unless ``tensor`` has exactly ``shape``."""
    if tuple(tensor.shape) != tuple(shape):
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}, but {why} needs {tuple(shape)}"
        )


def check_device(name: str, tensor: Tensor, device: torch.device) -> None:
    """Raise ValueError unless ``tensor`` lies on ``device``."""
    if tensor.device != device:
        raise ValueError(
            f"{name} is on {tensor.device}, the input is on {device}; "
            f"move them to one device"
        )


def _has_value(tensor: Tensor) -> bool:
    # Reading a value on an accelerator waits for it, and while tracing there is
    # none. A subclass may be a fake tensor.
    return (
        not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
        and tensor.device.type == "cpu"
        and type(tensor) in (Tensor, torch.nn.Parameter)
    )


def has_nonfinite(tensor: Tensor) -> bool:
    """True if a CPU tensor holds NaN or infinity.

    False on other devices, where reading the value would wait for the device, and where
    there is no value (tracing, vmap).
    """
    if not _has_value(tensor):
        return False
    try:
        return not torch.isfinite(tensor).all()
    except RuntimeError:  # under vmap
        return False


def check_finite(name: str, tensor: Tensor) -> None:
    """Raise ValueError if a CPU tensor holds NaN or infinity.

    Skipped where :func:`has_nonfinite` cannot read the value.
    """
    if has_nonfinite(tensor):
        raise ValueError(
            f"{name} holds NaN or infinity; the training diverged earlier, or it was "
            f"set so: lower its learning rate or load an older checkpoint"
        )


def check_positive_scalar(name: str, tensor: Tensor) -> None:
    """Raise ValueError unless a one-element CPU tensor is finite and positive.

    Values are not read on other devices; see :func:`check_finite`.
    """
    if tensor.numel() != 1:
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}, but one number is needed"
        )
    if not _has_value(tensor):
        return
    try:
        value = float(tensor.detach())
    except RuntimeError:  # under vmap
        return
    if not 0 < value < float("inf"):
        raise ValueError(
            f"{name} is {value}, but it must be a positive number; lower its learning "
            f"rate, freeze it, or load an older checkpoint"
        )


def check_plane(name: str, h: int, w: int, backend: str) -> None:
    """Raise ValueError where an int32 does not count the pixels of a plane."""
    if h * w >= 1 << 31:
        raise ValueError(
            f"{name} has {h} x {w} pixels; backend={backend!r} takes fewer than 2^31, "
            f"use backend='reference'"
        )


def check_coordinates(name: str, h: int, w: int, dtype: torch.dtype) -> None:
    """Raise ValueError where float32 does not hold all coordinates of a plane."""
    if dtype == torch.float32 and max(h, w) > 1 << 24:
        raise ValueError(
            f"{name} has {h} x {w} pixels; backend='cpu' takes sides of up to 2^24, "
            f"except in float64, use backend='reference'"
        )


# PyTorch removes custom operators at exit, among the callbacks of weakref.finalize, of
# which this is one. Callbacks of atexit that are older than PyTorch's come later.
_operators = weakref.finalize(check_plane, lambda: None)


def _has_operators() -> bool:
    if sys.is_finalizing():
        raise RuntimeError(
            "Python is shutting down (is this called in __del__?) and PyTorch does not "
            "work any more; call it earlier, for example with atexit.register"
        )
    return _operators.alive


def resolve_backend(
    backend: str,
    device: torch.device,
    excluded: dict[str, str],
    export_reference: bool = True,
) -> str:
    """Turn ``backend`` into the implementation to use, or say why it cannot be.

    Args:
        backend: one of :data:`BACKENDS`.
        device: where the input lies.
        excluded: the backends that do not take the given arguments, and why.
        export_reference: whether 'auto' is the reference in what leaves the process.
    """
    check_choice("backend", backend, BACKENDS)
    has_operators = torch.compiler.is_compiling() or _has_operators()
    if backend == "auto":
        if (export_reference and exporting()) or not has_operators:
            return "reference"
        if device.type == "cpu" and "cpu" not in excluded and HAS_NUMBA:
            return "cpu"
        if device.type == "cuda" and "triton" not in excluded and HAS_TRITON:
            return "triton"
        return "reference"
    if backend in excluded:
        others = ", ".join(repr(b) for b in BACKENDS if b not in excluded)
        raise NotImplementedError(
            f"backend={backend!r} does not take {excluded[backend]}; use one of "
            f"{others}"
        )
    if backend != "reference" and not has_operators:
        raise RuntimeError(
            f"backend={backend!r} is called at exit, after PyTorch has removed all "
            f"custom operators; register the callback with atexit after importing "
            f"torch, or use 'auto' or 'reference'"
        )
    if backend != "reference" and exporting_to_onnx():
        raise NotImplementedError(
            f"backend={backend!r} cannot be written to an ONNX file; use 'auto' or "
            f"'reference'"
        )
    if backend == "cpu":
        if device.type != "cpu":
            raise ValueError(
                f"backend='cpu' needs CPU tensors, the input is on {device}; "
                f"use backend='auto'"
            )
        if not HAS_NUMBA:
            raise RuntimeError(
                "backend='cpu' needs numba, which is not installed or is switched off "
                "by NUMBA_DISABLE_JIT; pip install numba, unset the variable, or use "
                "backend='reference'"
            )
    if backend == "triton":
        if device.type != "cuda" and not interpreted():
            raise ValueError(
                f"backend='triton' needs GPU tensors, the input is on {device}; "
                f"use backend='auto'"
            )
        if not HAS_TRITON:
            raise RuntimeError(
                "backend='triton' needs triton, which is not installed; "
                "pip install triton, or use backend='reference'"
            )
    return backend
