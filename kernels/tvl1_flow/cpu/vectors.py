"""Vector operations of TV-L1 flow beyond those of all operators."""

from llvmlite import ir
from numba.extending import intrinsic

from ..._common.simd import LANES


def _select(builder, comparison, a, b):
    return builder.select(builder.fcmp_ordered(comparison, a, b), a, b)


@intrinsic
def vmin(typingctx, a, b):
    """The smaller number of each pair."""

    def codegen(context, builder, sig, args):
        return _select(builder, "<", *args)

    return a(a, b), codegen


@intrinsic
def vmax(typingctx, a, b):
    """The larger number of each pair."""

    def codegen(context, builder, sig, args):
        return _select(builder, ">", *args)

    return a(a, b), codegen


@intrinsic
def vsum(typingctx, value):
    """The sum of the LANES numbers, added in pairs."""

    def codegen(context, builder, sig, args):
        total, lanes = args[0], LANES
        while lanes > 1:
            lanes //= 2
            undefined = ir.Constant(total.type, ir.Undefined)
            halves = [
                builder.shuffle_vector(
                    total,
                    undefined,
                    ir.Constant(
                        ir.VectorType(ir.IntType(32), lanes),
                        list(range(start, start + lanes)),
                    ),
                )
                for start in (0, lanes)
            ]
            total = builder.fadd(*halves)
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return value.dtype(value), codegen
