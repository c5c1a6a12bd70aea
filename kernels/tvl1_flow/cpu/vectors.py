"""Vector operations of TV-L1 flow beyond those of all operators."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..._common.simd import LANES, WIDE, llvm_vector, pointer, vector_type


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
        name = f"llvm.floor.v{value.count}f{value.dtype.bitwidth}"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind]), name
        )
        return builder.call(function, args)

    return value(value), codegen


@intrinsic
def vsum(typingctx, value):
    """The sum of the numbers, added in pairs."""

    def codegen(context, builder, sig, args):
        total, lanes = args[0], value.count
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
def load(typingctx, array, index):
    """array[index], without what Numba does for indices below 0."""

    def codegen(context, builder, sig, args):
        kind = context.get_value_type(sig.return_type)
        return builder.load(pointer(context, builder, sig.args[0], *args, kind))

    return array.dtype(array, types.intp), codegen


@intrinsic
def vload_fourth(typingctx, array, index):
    """array[index], array[index + 4] and so on, WIDE numbers."""
    result = vector_type(array.dtype, WIDE)

    def codegen(context, builder, sig, args):
        kind = ir.VectorType(llvm_vector(result).element, 4 * WIDE)
        place = pointer(context, builder, sig.args[0], *args, kind)
        value = builder.load(place, align=result.dtype.bitwidth // 8)
        mask = ir.Constant(
            ir.VectorType(ir.IntType(32), WIDE), list(range(0, 4 * WIDE, 4))
        )
        return builder.shuffle_vector(value, ir.Constant(kind, ir.Undefined), mask)

    return result(array, types.intp), codegen


@intrinsic
def vstore_sum_of_halves(typingctx, array, index, value):
    """array[index : index + LANES // 2] = first half of the numbers + second half"""

    def codegen(context, builder, sig, args):
        array, index, value = args
        kind = ir.VectorType(value.type.element, LANES // 2)
        lanes = ir.VectorType(ir.IntType(32), LANES // 2)
        undefined = ir.Constant(value.type, ir.Undefined)
        halves = (
            builder.shuffle_vector(
                value,
                undefined,
                ir.Constant(lanes, list(range(start, start + LANES // 2))),
            )
            for start in (0, LANES // 2)
        )
        place = pointer(context, builder, sig.args[0], array, index, kind)
        builder.store(
            builder.fadd(*halves), place, align=sig.args[2].dtype.bitwidth // 8
        )
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def vhalves(typingctx, a, b):
    """a in the first half of the numbers, b in the second."""

    def codegen(context, builder, sig, args):
        kind = llvm_vector(vector_type(a))
        integer = ir.IntType(32)
        both = ir.Constant(kind, ir.Undefined)
        for place, value in enumerate(args):
            both = builder.insert_element(both, value, ir.Constant(integer, place))
        mask = ir.Constant(
            ir.VectorType(integer, LANES), [2 * i // LANES for i in range(LANES)]
        )
        return builder.shuffle_vector(both, ir.Constant(kind, ir.Undefined), mask)

    return vector_type(a)(a, b), codegen
