"""What leaves the process: exported programs, ONNX files and TorchScript.

Only plain torch operators can be there, so that whoever runs the result needs neither
this package nor Python: operators take their reference implementation.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_counting = ContextVar("counting", default=False)


@contextmanager
def operators_in_traces() -> Iterator[None]:
    """Trace the operators themselves, to count them: nothing leaves the process."""
    token = _counting.set(True)
    try:
        yield
    finally:
        _counting.reset(token)


def exporting_to_onnx() -> bool:
    """Whether an exporter to ONNX is at work.

    It has then loaded torch.onnx, which cannot be imported any more when the
    interpreter shuts down.
    """
    onnx = sys.modules.get("torch.onnx")
    return onnx is not None and onnx.is_in_onnx_export()


def tracing() -> bool:
    """Whether torch.jit.trace or an exporter to ONNX is at work."""
    # torch.compile cannot look at a ContextVar; it does not come that far
    return (torch.jit.is_tracing() and not _counting.get()) or exporting_to_onnx()


def exporting() -> bool:
    """Whether torch.export, torch.jit.trace or an exporter to ONNX is at work."""
    if not torch.compiler.is_compiling():
        return tracing()
    # What torch.compiler.is_exporting() returns, which torch.compile of 2.7 to 2.11
    # takes for true: compiled models had the reference instead of the operators.
    return torch.compiler._is_exporting_flag


def raise_on_script(name: str) -> Callable:
    """What torch.jit.script calls before it compiles, as ``__prepare_scriptable__``."""

    def raise_error(*_):
        raise NotImplementedError(
            f"torch.jit.script cannot compile {name}, whose implementation is chosen "
            f"in Python by device and type; use torch.jit.trace, torch.export or "
            f"torch.onnx.export, which take its reference implementation"
        )

    return raise_error


def not_scriptable(function: Callable) -> Callable:
    """Let torch.jit.script say what to use instead."""
    function.__prepare_scriptable__ = raise_on_script(function.__name__)
    return function
