"""A SIMD vector type for Numba, so that CPU kernels vectorise by construction.

LLVM's loop vectoriser gives up on loops over a dozen arrays that may alias. Kernels
here hold LANES planes side by side instead, and compute on vectors of LANES numbers.
Arithmetic works between vectors and between a vector and a scalar of its type.
"""

import operator

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_model,
)

LANES = 8

# Options of every kernel. The fast-math flags keep NaN and infinity.
JIT = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "arcp", "nsz"},
}
INLINE = {**JIT, "forceinline": True}


def cached_njit(function):
    """njit that keeps the machine code on disk, where there is a place for it.

    Numba takes the package's __pycache__ or else the user's cache folder, and raises
    where it can write to neither. It does not see changes of functions in other files:
    after editing this one, touch the files that use it.
    """
    try:
        return njit(**JIT, cache=True)(function)
    except RuntimeError:
        return njit(**JIT)(function)


class Vector(types.Type):
    """LANES numbers of one floating-point type."""

    def __init__(self, dtype: types.Float) -> None:
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype}, {LANES})")


_VECTOR_OF = {t: Vector(t) for t in (types.float32, types.float64)}


def _llvm(dtype: types.Float) -> ir.Type:
    return ir.FloatType() if dtype == types.float32 else ir.DoubleType()


def _llvm_vector(dtype: types.Float) -> ir.VectorType:
    return ir.VectorType(_llvm(dtype), LANES)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _llvm_vector(fe_type.dtype))


def _splat(builder, value):
    vector = ir.VectorType(value.type, LANES)
    zero = ir.Constant(ir.IntType(32), 0)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), value, zero)
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(single, single, mask)


def _is_vector_and_scalar(a, b) -> bool:
    return isinstance(a, Vector) and a.dtype == b


_ARITHMETIC = {
    operator.add: "fadd",
    operator.sub: "fsub",
    operator.mul: "fmul",
    operator.truediv: "fdiv",
}


class _BinaryTemplate(AbstractTemplate):
    def generic(self, args, kws):
        if len(args) != 2:
            return None
        a, b = args
        if isinstance(a, Vector) and a == b:
            return signature(a, a, a)
        if _is_vector_and_scalar(a, b):
            return signature(a, a, b)
        if _is_vector_and_scalar(b, a):
            return signature(b, a, b)
        return None


def _register_arithmetic(function, instruction: str) -> None:
    infer_global(function)(type(f"_{instruction}", (_BinaryTemplate,), {}))

    def lower(context, builder, sig, args):
        args = [
            value if isinstance(kind, Vector) else _splat(builder, value)
            for kind, value in zip(sig.args, args, strict=True)
        ]
        return getattr(builder, instruction)(*args)

    for pair in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
        lower_builtin(function, *pair)(lower)


for _function, _instruction in _ARITHMETIC.items():
    _register_arithmetic(_function, _instruction)


def _pointer(context, builder, array_type, array, index, vector):
    view = context.make_array(array_type)(context, builder, array)
    place = builder.gep(view.data, [index])
    return builder.bitcast(place, vector.as_pointer())


@intrinsic
def vload(typingctx, array, index):
    """The LANES numbers at array[index:]; array is one-dimensional, contiguous."""
    result = _VECTOR_OF[array.dtype]

    def codegen(context, builder, sig, args):
        vector = _llvm_vector(result.dtype)
        place = _pointer(context, builder, sig.args[0], *args, vector)
        return builder.load(place, align=result.dtype.bitwidth // 8)

    return result(array, types.intp), codegen


@intrinsic
def vstore(typingctx, array, index, value):
    """array[index : index + LANES] = value"""

    def codegen(context, builder, sig, args):
        array, index, value = args
        place = _pointer(context, builder, sig.args[0], array, index, value.type)
        builder.store(value, place, align=sig.args[2].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def vaccumulate(typingctx, array, index, value):
    """array[index : index + LANES] += value, in the array's float64."""

    def codegen(context, builder, sig, args):
        array, index, value = args
        double = _llvm_vector(types.float64)
        place = _pointer(context, builder, sig.args[0], array, index, double)
        if value.type != double:
            value = builder.fpext(value, double)
        total = builder.fadd(builder.load(place, align=8), value)
        builder.store(total, place, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def vsplat(typingctx, value):
    """A vector of LANES times value."""

    def codegen(context, builder, sig, args):
        return _splat(builder, args[0])

    return _VECTOR_OF[value](value), codegen


@intrinsic
def vsqrt(typingctx, value):
    """The square root of each number."""

    def codegen(context, builder, sig, args):
        kind = args[0].type
        name = f"llvm.sqrt.v{LANES}f{sig.args[0].dtype.bitwidth}"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind]), name
        )
        return builder.call(function, args)

    return value(value), codegen


@intrinsic
def vclamp(typingctx, value, bound):
    """value limited to [-bound, bound]; NaN stays NaN. bound is a vector."""

    def codegen(context, builder, sig, args):
        value, bound = args
        minus = builder.fneg(bound)
        above = builder.fcmp_ordered(">", value, bound)
        value = builder.select(above, bound, value)
        below = builder.fcmp_ordered("<", value, minus)
        return builder.select(below, minus, value)

    return value(value, bound), codegen


@intrinsic
def vwhere_inside(typingctx, value, bound, then):
    """then where -bound <= value <= bound, else 0."""

    def codegen(context, builder, sig, args):
        value, bound, then = args
        not_above = builder.fcmp_unordered("<=", value, bound)
        not_below = builder.fcmp_unordered(">=", value, builder.fneg(bound))
        zero = ir.Constant(then.type, None)
        return builder.select(builder.and_(not_above, not_below), then, zero)

    return then(value, bound, then), codegen


@intrinsic
def vwhere_outside(typingctx, value, bound, then):
    """then where value > bound, -then where value < -bound, else 0."""

    def codegen(context, builder, sig, args):
        value, bound, then = args
        above = builder.fcmp_ordered(">", value, bound)
        below = builder.fcmp_ordered("<", value, builder.fneg(bound))
        zero = ir.Constant(then.type, None)
        negative = builder.select(below, builder.fneg(then), zero)
        return builder.select(above, then, negative)

    return then(value, bound, then), codegen


__all__ = [
    "INLINE",
    "JIT",
    "LANES",
    "cached_njit",
    "vaccumulate",
    "vclamp",
    "vload",
    "vsplat",
    "vsqrt",
    "vstore",
    "vwhere_inside",
    "vwhere_outside",
]
