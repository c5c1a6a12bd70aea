"""Powers of the vectors of simd.py."""

import math

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .simd import LANES

# log(1 + x) = x - x^2 / 2 + x^3 * polynomial, for 1 + x in [sqrt(1/2), sqrt(2)], and
# 2^x for x in [-1/2, 1/2]: the first are those of Cephes, the second Taylor's.
_LOG = (
    *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1),
    *(1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1),
    3.3333331174e-1,
)
_EXP2 = tuple(math.log(2) ** i / math.factorial(i) for i in range(7, -1, -1))


def _pow_float32(builder, value, exponent):
    """2 ** (exponent * log2(value)) with the product of the whole parts kept exact."""
    floats, ints = value.type, ir.VectorType(ir.IntType(32), LANES)

    def number(x):
        return ir.Constant(floats, [x] * LANES)

    def integer(x):
        return ir.Constant(ints, [x] * LANES)

    def call(name, *args):
        kind = ir.FunctionType(floats, [floats] * len(args))
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(function, args)

    def fma(a, b, c):
        return call(f"llvm.fma.v{LANES}f32", a, b, c)

    def rint(a):
        return call(f"llvm.rint.v{LANES}f32", a)

    def polynomial(coefficients, x):
        total = number(coefficients[0])
        for c in coefficients[1:]:
            total = fma(total, x, number(c))
        return total

    # value = mantissa * 2 ** whole, mantissa in [sqrt(1/2), sqrt(2)]
    bits = builder.bitcast(value, ints)
    shifted = builder.sub(bits, integer(0x3F3504F3))
    whole = builder.ashr(shifted, integer(23))
    mantissa = builder.bitcast(
        builder.sub(bits, builder.shl(whole, integer(23))), floats
    )
    whole = builder.sitofp(whole, floats)
    x = builder.fsub(mantissa, number(1.0))
    square = builder.fmul(x, x)
    log = builder.fmul(builder.fmul(x, square), polynomial(_LOG, x))
    log = builder.fadd(x, fma(square, number(-0.5), log))
    log2 = builder.fmul(log, number(1 / math.log(2)))
    power = rint(builder.fmul(exponent, whole))
    rest = fma(exponent, whole, builder.fneg(power))
    rest = fma(exponent, log2, rest)
    again = rint(rest)
    power, rest = builder.fadd(power, again), builder.fsub(rest, again)
    limits = f"llvm.minnum.v{LANES}f32", f"llvm.maxnum.v{LANES}f32"
    for limit, bound in zip(limits, (127.0, -126.0), strict=True):
        power = call(limit, power, number(bound))
    scale = builder.add(builder.fptosi(power, ints), integer(127))
    scale = builder.bitcast(builder.shl(scale, integer(23)), floats)
    result = builder.fmul(polynomial(_EXP2, rest), scale)
    finite = builder.fcmp_ordered("<", value, number(float("inf")))
    return builder.select(finite, result, value)


@intrinsic
def vpow(typingctx, value, exponent):
    """value ** exponent for normal value > 0; NaN and infinity stay. Both vectors.

    In float32 to about 2e-7, between 2^-126 and 2^127.
    """

    def codegen(context, builder, sig, args):
        if sig.args[0].dtype == types.float32:
            return _pow_float32(builder, *args)
        kind = args[0].type
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind] * 2), f"llvm.pow.v{LANES}f64"
        )
        return builder.call(function, args)

    return value(value, exponent), codegen
