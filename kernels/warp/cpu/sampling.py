"""Where the pixels of a row sample an image: memory and vectors of the CPU's warp.

A pixel samples two pairs of neighbors, an upper and a lower one, each of a left and a
right pixel. Pairs lie inside the image whatever the flow: one that would begin before
the image or at its last pixel is moved by one, and the weights change places. Pixels
that count as 0 have a mask without bits.

``places`` says where the upper pairs begin in a plane. ``fields`` are rows of numbers,
each as long as ``places``, a multiple of LANES: WEIGHT + 0 to 3 of the upper left,
upper right, lower left and lower right pixels, MASK + 0 to 3, then the weights along
the axes and their derivatives with respect to the flow.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from ..._common.simd import (
    INLINE,
    LANES,
    llvm_vector,
    pointer,
    vector_type,
    vfloor,
    vlimit,
    vload,
    vsplat,
    vstore,
)

WEIGHT, MASK, AXES = 0, 4, 8
X_WEIGHT, X_SLOPE, Y_WEIGHT, Y_SLOPE = range(AXES, AXES + 8, 2)
_COLUMN = AXES + 8  # the pixels' own coordinate
FIELDS = _COLUMN + 1


@intrinsic
def _store_places(typingctx, places, index, row, column, width):
    """places[index : index + LANES] = row * width + column, of whole numbers."""

    def codegen(context, builder, sig, args):
        places, index, row, column, width = args
        integers = ir.VectorType(ir.IntType(32), LANES)
        row, column = (builder.fptosi(value, integers) for value in (row, column))
        zero = ir.Constant(ir.IntType(32), 0)
        width = builder.insert_element(ir.Constant(integers, ir.Undefined), width, zero)
        every = ir.Constant(integers, [0] * LANES)
        width = builder.shuffle_vector(width, width, every)
        value = builder.add(builder.mul(row, width), column)
        place = pointer(context, builder, sig.args[0], places, index, integers)
        builder.store(value, place, align=4)
        return context.get_dummy_value()

    return types.void(places, index, row, column, types.int32), codegen


def _bits(vector: ir.VectorType) -> ir.VectorType:
    width = 32 if vector.element == ir.FloatType() else 64
    return ir.VectorType(ir.IntType(width), vector.count)


@intrinsic
def _where_equal(typingctx, value, other, then, otherwise):
    """then where value is other, else otherwise."""

    def codegen(context, builder, sig, args):
        value, other, then, otherwise = args
        return builder.select(builder.fcmp_ordered("==", value, other), then, otherwise)

    return value(value, value, value, value), codegen


@intrinsic
def _mask_of(typingctx, value, other, another):
    """All bits where value is one of the two, else none."""

    def codegen(context, builder, sig, args):
        value, *others = args
        one, two = (builder.fcmp_ordered("==", value, other) for other in others)
        bits = builder.sext(builder.or_(one, two), _bits(value.type))
        return builder.bitcast(bits, value.type)

    return value(value, value, value), codegen


@intrinsic
def vand(typingctx, value, mask):
    """value where the mask has all bits, 0 where it has none."""

    def codegen(context, builder, sig, args):
        value, mask = (builder.bitcast(arg, _bits(arg.type)) for arg in args)
        return builder.bitcast(builder.and_(value, mask), args[0].type)

    return value(value, mask), codegen


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


@njit(**INLINE)
def _axis(flow, own, size, border, one):
    """Along one axis: the pair's first coordinate, weights, slopes and masks.

    flow, own: displacements and the pixels' own coordinates, vectors. size: a number.
    """
    zero = one - one
    minus, last = zero - one, vsplat(size) - one
    whole = vfloor(flow)
    right = flow - whole  # NaN where the flow is not finite
    left = one - right
    at = own + whole
    moved_left, moved_right, slope = right, left, one
    if border:  # both are the image's nearest pixel
        at = vlimit(at, minus, last if size > 1 else minus)
        moved_left = moved_right = left + right
        slope = zero
    first = vlimit(at, zero, last - one if size > 1 else zero)
    shift = at - first
    weights = (
        _where_equal(shift, minus, moved_left, left),
        _where_equal(shift, one, moved_right, right),
    )
    slopes = (
        _where_equal(shift, minus, slope, minus),
        _where_equal(shift, one, zero - slope, one),
    )
    second = _mask_of(shift, zero, one)
    masks = _mask_of(shift, zero, minus), second if size > 1 else zero
    return first, weights, slopes, masks


@njit(**INLINE)
def new_samples(flow, w):
    """Memory for a row of w pixels: places and fields."""
    pitch = (w + LANES - 1) // LANES * LANES
    fields = np.zeros(FIELDS * pitch, flow.dtype)
    for x in range(pitch):
        fields[_COLUMN * pitch + x] = x
    return np.zeros(pitch, np.uint32), fields


@njit(**INLINE)
def sample_row(flow, y, size, border, places, fields):
    """Fill the memory for row y of a flow (2, H, W). size: H, W."""
    h, w = size
    pitch = len(places)
    high, wide = flow.dtype.type(h), flow.dtype.type(w)
    own_y = vsplat(flow.dtype.type(y))
    one = vsplat(flow.dtype.type(1))
    u, v = X_WEIGHT * pitch, Y_WEIGHT * pitch  # the flow, until it is overwritten
    for x in range(w):
        fields[u + x], fields[v + x] = flow[0, y, x], flow[1, y, x]
    for x in range(0, pitch, LANES):
        own_x = vload(fields, _COLUMN * pitch + x)
        column, x_weights, x_slopes, x_masks = _axis(
            vload(fields, u + x), own_x, wide, border, one
        )
        row, y_weights, y_slopes, y_masks = _axis(
            vload(fields, v + x), own_y, high, border, one
        )
        _store_places(places, x, row, column, np.int32(w))
        for k in range(2):
            vstore(fields, (X_WEIGHT + k) * pitch + x, x_weights[k])
            vstore(fields, (X_SLOPE + k) * pitch + x, x_slopes[k])
            vstore(fields, (Y_WEIGHT + k) * pitch + x, y_weights[k])
            vstore(fields, (Y_SLOPE + k) * pitch + x, y_slopes[k])
            for j in range(2):
                corner = (2 * k + j) * pitch + x
                vstore(fields, WEIGHT * pitch + corner, y_weights[k] * x_weights[j])
                vstore(fields, MASK * pitch + corner, vand(x_masks[j], y_masks[k]))
