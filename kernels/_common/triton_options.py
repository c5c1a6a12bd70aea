"""How Triton compiles the kernels, whatever its version."""

import inspect
from collections.abc import Callable

import triton

# Names of the strides between neighboring pixels of a row end so.
INNERMOST = ("stride_w", "sw")
# Of every launch. Said outright, because Triton's default for a * b + c changes.
LAUNCH_OPTIONS = {"enable_fp_fusion": True}


def compile_once(kernel: Callable) -> triton.JITFunction:
    """Compile the kernel for all sizes, where triton.jit does so for kinds of them.

    It makes constants of integers that are 1 and compiles anew for multiples of 16.
    Only of the innermost strides is that of use: wide loads need it.
    """
    names = inspect.signature(kernel).parameters
    sizes = [n for n in names if n.islower() and not n.endswith(("_ptr", *INNERMOST))]
    return triton.jit(do_not_specialize=sizes)(kernel)
