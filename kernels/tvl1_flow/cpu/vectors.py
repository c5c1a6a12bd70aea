"""Vector operations of TV-L1 flow beyond those of all operators."""

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from ..._common.simd import _VECTOR_OF, LANES


def _select(builder, comparison, a, b):
    """Of each pair a where the comparison holds, else b, as LLVM code."""
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
def vfloor(typingctx, value):
    """The largest whole number that is not above each number."""

    def codegen(context, builder, sig, args):
        kind = args[0].type
        name = f"llvm.floor.v{LANES}f{sig.args[0].dtype.bitwidth}"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind]), name
        )
        return builder.call(function, args)

    return value(value), codegen


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


@intrinsic
def vhalves(typingctx, a, b):
    """a in the first half of the numbers, b in the second."""

    def codegen(context, builder, sig, args):
        kind = ir.VectorType(args[0].type, LANES)
        integer = ir.IntType(32)
        both = ir.Constant(kind, ir.Undefined)
        for place, value in enumerate(args):
            both = builder.insert_element(both, value, ir.Constant(integer, place))
        mask = ir.Constant(
            ir.VectorType(integer, LANES), [2 * i // LANES for i in range(LANES)]
        )
        return builder.shuffle_vector(both, ir.Constant(kind, ir.Undefined), mask)

    return _VECTOR_OF[a](a, b), codegen
