"""Powers of the vectors of simd.py."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.polynomial import Chebyshev, Polynomial

from .simd import LANES


def _coefficients(function, degree: int, low: float, high: float) -> list[float]:
    """Of the polynomial that agrees with function at Chebyshev's points."""
    fit = Chebyshev.interpolate(function, degree, (low, high))
    return fit.convert(kind=Polynomial).coef.tolist()


# log2(x) = s * polynomial(s^2), s = (x - 1) / (x + 1), for x in [sqrt(1/2), sqrt(2)],
# and 2^x = 1 + x * polynomial(x) for x in [-1/2, 1/2]; to 2e-9 of the result.
_S2 = (np.sqrt(2) - 1) ** 4  # the largest s^2
_LOG2 = _coefficients(
    lambda s2: 2 * np.arctanh(np.sqrt(s2)) / np.sqrt(s2) / np.log(2), 3, 0, _S2
)
_EXP2 = _coefficients(lambda x: np.expm1(x * np.log(2)) / x, 5, -0.5, 0.5)


def _pow_float32(builder, value, exponent):
    """2 ** (exponent * log2(value)) with the product of the whole parts kept exact.

    How long its chain of operations is decides how fast it is: a division, which other
    units do meanwhile, and polynomials from the middle.
    """
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
        """Neighbors are joined, c0 + c1 x and so on, then those in x^2, in x^4."""
        terms = [number(c) for c in coefficients]
        while len(terms) > 1:
            joined = [
                fma(b, x, a) for a, b in zip(terms[::2], terms[1::2], strict=False)
            ]
            terms = joined + terms[2 * len(joined) :]
            x = builder.fmul(x, x)
        return terms[0]

    # value = mantissa * 2 ** whole, mantissa in [sqrt(1/2), sqrt(2)]
    bits = builder.bitcast(value, ints)
    shifted = builder.sub(bits, integer(0x3F3504F3))
    whole = builder.ashr(shifted, integer(23))
    mantissa = builder.bitcast(
        builder.sub(bits, builder.shl(whole, integer(23))), floats
    )
    whole = builder.sitofp(whole, floats)
    one = number(1.0)
    s = builder.fdiv(builder.fsub(mantissa, one), builder.fadd(mantissa, one))
    log2 = builder.fmul(s, polynomial(_LOG2, builder.fmul(s, s)))
    power = rint(builder.fmul(exponent, builder.fadd(whole, log2)))
    rest = fma(exponent, whole, builder.fneg(power))
    rest = fma(exponent, log2, rest)
    limits = f"llvm.minnum.v{LANES}f32", f"llvm.maxnum.v{LANES}f32"
    for limit, bound in zip(limits, (128.0, -127.0), strict=True):
        power = call(limit, power, number(bound))  # for a scale of infinity, of 0
    scale = builder.add(builder.fptosi(power, ints), integer(127))
    scale = builder.bitcast(builder.shl(scale, integer(23)), floats)
    result = builder.fmul(fma(polynomial(_EXP2, rest), rest, one), scale)
    infinity = number(float("inf"))
    falls = builder.fcmp_ordered("<", exponent, number(0.0))
    limit = builder.select(falls, number(0.0), infinity)  # once for all values
    not_above = builder.fcmp_unordered("<", value, limit)
    at_infinity = builder.select(not_above, value, limit)  # NaN stays
    finite = builder.fcmp_ordered("<", value, infinity)
    return builder.select(finite, result, at_infinity)


@intrinsic
def vpow(typingctx, value, exponent):
    """value ** exponent for normal value > 0; NaN stays. Both vectors.

    In float32 to (1 + |exponent|) 1e-7 from 2^-126 to 2^127; smaller results become 0,
    larger ones infinity.
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
