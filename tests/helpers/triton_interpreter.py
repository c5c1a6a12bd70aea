"""Triton's interpreter made faster, and to round as a GPU does."""

import numpy as np


def patch_once(monkeypatch) -> None:
    """The interpreter patches Triton's language anew for every function that a kernel
    calls, which takes most of the time. The kernel's own call has done so already."""
    from triton.runtime.interpreter import InterpretedFunction

    call = InterpretedFunction.__call__

    def call_patched(self, *args, **kwargs):
        if self.fn.__module__.startswith("flowzoo_kernels"):
            return self.rewrite()(*args, **kwargs)
        return call(self, *args, **kwargs)

    monkeypatch.setattr(InterpretedFunction, "__call__", call_patched)


def fuse_multiply_adds(monkeypatch) -> None:
    """a * b + c is rounded once on a GPU (and in eager convolutions), not twice.

    A product of two float32 numbers is kept in float64, which is exact, up to an
    addition; everything else takes it rounded.
    """
    import triton.language as tl
    from triton.runtime.interpreter import InterpreterBuilder, TensorHandle

    def is_float32(value) -> bool:
        return isinstance(value, TensorHandle) and value.dtype.scalar == tl.float32

    def is_product(value) -> bool:
        return is_float32(value) and value.data.dtype == np.float64

    def rounded(value):
        if isinstance(value, list | tuple):
            return type(value)(rounded(v) for v in value)
        if is_product(value):
            return TensorHandle(value.data.astype(np.float32), value.dtype)
        return value

    def multiply(self, a, b):
        a, b = rounded(a), rounded(b)
        product = unfused["create_fmul"](self, a, b)
        if is_float32(a):
            product.data = a.data.astype(np.float64) * b.data
        return product

    def fused(name, add):
        def operation(self, a, b):
            if is_product(a):
                b = rounded(b)  # one of two products is fused
            result = unfused[name](self, rounded(a), rounded(b))
            if is_product(a) or is_product(b):
                result.data = add(a.data, b.data).astype(np.float32)
            return result

        return operation

    def with_rounded_arguments(create):
        def operation(self, *args, **kwargs):
            kwargs = {name: rounded(value) for name, value in kwargs.items()}
            return create(self, *map(rounded, args), **kwargs)

        return operation

    unfused = {
        name: create
        for name, create in vars(InterpreterBuilder).items()
        if name.startswith("create_") and callable(create)
    }
    patches = {name: with_rounded_arguments(c) for name, c in unfused.items()}
    patches["create_fmul"] = multiply
    patches["create_fadd"] = fused("create_fadd", np.add)
    patches["create_fsub"] = fused("create_fsub", np.subtract)
    for name, patched in patches.items():
        monkeypatch.setattr(InterpreterBuilder, name, patched)
