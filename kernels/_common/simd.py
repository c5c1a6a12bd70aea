"""A SIMD vector type for Numba, so that CPU kernels vectorize by construction.

LLVM's loop vectorizer gives up on loops over a dozen arrays that may alias. Kernels
here hold LANES planes side by side instead, and compute on vectors of LANES numbers;
those whose layout does not depend on the number take WIDE, the processor's own.
Arithmetic works between vectors and between a vector and a scalar of its type.
"""

import operator

import llvmlite.binding as llvm
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import (
    intrinsic,
    lower_builtin,
    models,
    register_model,
)

from .jit import INLINE, JIT, cached_njit

LANES = 8


def _has_avx512() -> bool:
    """Whether Numba compiles for a processor with registers of 16 float32."""
    if config.CPU_FEATURES is not None:  # the user's NUMBA_CPU_FEATURES
        return "+avx512f" in config.CPU_FEATURES
    return bool(llvm.get_host_cpu_features().get("avx512f"))


WIDE = 16 if _has_avx512() else LANES  # for kernels that take any width


class Vector(types.Type):
    """Some numbers, LANES or WIDE, of one floating-point type."""

    def __init__(self, dtype: types.Float, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(name=f"Vector({dtype}, {count})")


_KINDS = types.float32, types.float64
_VECTORS = {(t, n): Vector(t, n) for t in _KINDS for n in {LANES, WIDE}}


def vector_type(dtype: types.Float, count: int = LANES) -> Vector:
    """Of LANES or WIDE numbers."""
    return _VECTORS[dtype, count]


def _llvm(dtype: types.Float) -> ir.Type:
    return ir.FloatType() if dtype == types.float32 else ir.DoubleType()


def llvm_vector(vector: Vector) -> ir.VectorType:
    """The type in LLVM code."""
    return ir.VectorType(_llvm(vector.dtype), vector.count)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, llvm_vector(fe_type))


def _splat(builder, value, count):
    vector = ir.VectorType(value.type, count)
    zero = ir.Constant(ir.IntType(32), 0)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), value, zero)
    mask = ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count)
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
            value
            if isinstance(kind, Vector)
            else _splat(builder, value, sig.return_type.count)
            for kind, value in zip(sig.args, args, strict=True)
        ]
        return getattr(builder, instruction)(*args)

    for pair in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
        lower_builtin(function, *pair)(lower)


for _function, _instruction in _ARITHMETIC.items():
    _register_arithmetic(_function, _instruction)


def pointer(context, builder, array_type, array, index, vector):
    """To array[index], as LLVM code, for a value of type ``vector``."""
    view = context.make_array(array_type)(context, builder, array)
    place = builder.gep(view.data, [index])
    return builder.bitcast(place, vector.as_pointer())


def _make_load(count: int):
    @intrinsic
    def load(typingctx, array, index):
        """The next numbers at array[index:]; array is one-dimensional, contiguous."""
        result = vector_type(array.dtype, count)

        def codegen(context, builder, sig, args):
            place = pointer(context, builder, sig.args[0], *args, llvm_vector(result))
            return builder.load(place, align=result.dtype.bitwidth // 8)

        return result(array, types.intp), codegen

    return load


vload, vload_wide = _make_load(LANES), _make_load(WIDE)


@intrinsic
def vstore(typingctx, array, index, value):
    """array[index : index + LANES] = value"""

    def codegen(context, builder, sig, args):
        array, index, value = args
        place = pointer(context, builder, sig.args[0], array, index, value.type)
        builder.store(value, place, align=sig.args[2].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def vaccumulate(typingctx, array, index, value):
    """array[index : index + LANES] += value, in the array's float64."""

    def codegen(context, builder, sig, args):
        array, index, value = args
        double = llvm_vector(vector_type(types.float64))
        place = pointer(context, builder, sig.args[0], array, index, double)
        if value.type != double:
            value = builder.fpext(value, double)
        total = builder.fadd(builder.load(place, align=8), value)
        builder.store(total, place, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


def _make_splat(count: int):
    @intrinsic
    def splat(typingctx, value):
        """A vector of this value."""

        def codegen(context, builder, sig, args):
            return _splat(builder, args[0], count)

        return vector_type(value, count)(value), codegen

    return splat


vsplat, vsplat_wide = _make_splat(LANES), _make_splat(WIDE)


def _transpose(builder, vectors: list) -> list:
    """The columns of LANES vectors."""
    index = ir.VectorType(ir.IntType(32), LANES)
    block = LANES // 2
    while block:  # swap the off-diagonal blocks of each square of 2 x 2 blocks
        low = [j if not j & block else LANES + j - block for j in range(LANES)]
        high = [j + block if not j & block else LANES + j for j in range(LANES)]
        for i in range(LANES):
            if not i & block:
                rows = vectors[i], vectors[i | block]
                for k, mask in ((i, low), (i | block, high)):
                    vectors[k] = builder.shuffle_vector(*rows, ir.Constant(index, mask))
        block //= 2
    return vectors


@intrinsic
def vtranspose(typingctx, source, rows, target, columns):
    """Copy a square of LANES x LANES numbers, and transpose it.

    rows: where each row begins in ``source``; columns: where each column goes in
    ``target``. Both are tuples of an array of LANES indices and a number added to them.
    """
    kind = vector_type(target.dtype)

    def codegen(context, builder, sig, args):
        vector = llvm_vector(kind)
        align = kind.dtype.bitwidth // 8

        def pointers(array, places):
            array_type, (indices_type, _) = sig.args[array], sig.args[places].types
            indices, added = cgutils.unpack_tuple(builder, args[places])
            view = context.make_array(indices_type)(context, builder, indices)
            for k in range(LANES):
                place = builder.gep(view.data, [ir.Constant(ir.IntType(64), k)])
                index = builder.add(builder.load(place), added)
                yield pointer(context, builder, array_type, args[array], index, vector)

        vectors = [builder.load(p, align=align) for p in pointers(0, 1)]
        stored = zip(_transpose(builder, vectors), pointers(2, 3), strict=True)
        for value, place in stored:
            builder.store(value, place, align=align)
        return context.get_dummy_value()

    return types.void(source, rows, target, columns), codegen


def _call(builder, name: str, *args):
    """LLVM's function of this name for vectors of the type of args."""
    kind = args[0].type
    width = "f32" if kind.element == ir.FloatType() else "f64"
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(kind, [kind] * len(args)),
        f"llvm.{name}.v{kind.count}{width}",
    )
    return builder.call(function, args)


@intrinsic
def vsqrt(typingctx, value):
    """The square root of each number."""

    def codegen(context, builder, sig, args):
        return _call(builder, "sqrt", *args)

    return value(value), codegen


@intrinsic
def vlength(typingctx, squared):
    """The square root of each number, or of almost that; NaN stays.

    With AVX-512 in float32 that of x + 2^-100, from an estimate and a Newton step, in
    fewer cycles than the instruction takes: to 2 ulp from x = 2^-76, NaN for infinity.
    """
    if (squared.dtype, squared.count) != (types.float32, 16):
        return squared(squared), lambda context, builder, sig, args: _call(
            builder, "sqrt", *args
        )

    def codegen(context, builder, sig, args):
        (x,) = args
        estimate = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(x.type, [x.type, x.type, ir.IntType(16)]),
            "llvm.x86.avx512.rsqrt14.ps.512",
        )

        def number(value):
            return ir.Constant(x.type, [value] * squared.count)

        x = builder.fadd(x, number(2.0**-100))  # the estimate of 0 is infinite
        every = ir.Constant(ir.IntType(16), -1)
        root = builder.call(estimate, [x, number(0.0), every])
        length = builder.fmul(x, root)
        newton = builder.fmul(length, number(-0.5))
        newton = _call(builder, "fma", newton, root, number(1.5))
        return builder.fmul(length, newton)

    return squared(squared), codegen


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


@intrinsic
def vfloor(typingctx, value):
    """The largest whole number that is not above each number."""

    def codegen(context, builder, sig, args):
        return _call(builder, "floor", *args)

    return value(value), codegen


@intrinsic
def vlimit(typingctx, value, low, high):
    """value limited to [low, high]; NaN becomes low. low, high are vectors."""

    def codegen(context, builder, sig, args):
        value, low, high = args
        value = builder.select(builder.fcmp_ordered(">", value, low), value, low)
        return builder.select(builder.fcmp_ordered("<", value, high), value, high)

    return value(value, low, high), codegen


@intrinsic
def vwiden(typingctx, value):
    """The same numbers in float64."""

    def codegen(context, builder, sig, args):
        double = llvm_vector(vector_type(types.float64))
        if args[0].type == double:
            return args[0]
        return builder.fpext(args[0], double)

    return vector_type(types.float64)(value), codegen


__all__ = [
    "INLINE",
    "JIT",
    "LANES",
    "WIDE",
    "cached_njit",
    "vaccumulate",
    "vclamp",
    "vfloor",
    "vlength",
    "vlimit",
    "vload",
    "vload_wide",
    "vsplat",
    "vsplat_wide",
    "vsqrt",
    "vstore",
    "vtranspose",
    "vwhere_inside",
    "vwhere_outside",
    "vwiden",
]
