"""Rows that are copied, and pairs of neighbors, for the vectors of simd.py.

Indices count through an array of any shape, which is contiguous.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .simd import LANES, llvm_vector, pointer, vector_type


@intrinsic
def copy(typingctx, source, index, target, to, count):
    """target[to : to + count] = source[index : index + count], of one type."""
    if source.dtype != target.dtype:
        return None

    def codegen(context, builder, sig, args):
        source, index, target, to, count = args
        number = context.get_value_type(sig.args[0].dtype)
        begin = pointer(context, builder, sig.args[0], source, index, number)
        end = pointer(context, builder, sig.args[2], target, to, number)
        width = sig.args[0].dtype.bitwidth // 8
        cgutils.raw_memcpy(builder, end, begin, count, width)
        return context.get_dummy_value()

    whole = types.intp
    return types.void(source, whole, target, whole, whole), codegen


@intrinsic
def vpairs(typingctx, array, base, places, index):
    """array[p] and array[p + 1], for the LANES p = base + places[index ...]."""
    kind = vector_type(array.dtype)

    def codegen(context, builder, sig, args):
        array, base, places, index = args
        vector = llvm_vector(kind)
        pair = ir.VectorType(vector.element, 2)
        view = context.make_array(sig.args[2])(context, builder, places)
        first = builder.gep(view.data, [index])
        pairs = []
        for lane in range(LANES):
            place = builder.gep(first, [ir.Constant(ir.IntType(64), lane)])
            place = builder.zext(builder.load(place), ir.IntType(64))
            place = builder.add(base, place)
            place = pointer(context, builder, sig.args[0], array, place, pair)
            pairs.append(builder.load(place, align=kind.dtype.bitwidth // 8))
        while len(pairs) > 1:  # join neighbors
            count = 2 * pairs[0].type.count
            every = ir.Constant(
                ir.VectorType(ir.IntType(32), count), list(range(count))
            )
            pairs = [
                builder.shuffle_vector(a, b, every)
                for a, b in zip(pairs[::2], pairs[1::2], strict=True)
            ]
        (joined,) = pairs
        halves = []
        for side in range(2):
            chosen = list(range(side, 2 * LANES, 2))
            mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), chosen)
            halves.append(builder.shuffle_vector(joined, joined, mask))
        return context.make_tuple(builder, sig.return_type, halves)

    result = types.UniTuple(kind, 2)
    return result(array, types.intp, places, types.intp), codegen
