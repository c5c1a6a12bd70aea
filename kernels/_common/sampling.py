"""Where the pixels of a row sample an image, and what: for the CPU's warps, in Numba.

A pixel samples two pairs of neighbors, an upper and a lower one, each of a left and a
right pixel. Pairs lie inside the image whatever the flow: one that would begin before
the image or at its last pixel is moved by one, and the weights change places. Pixels
that count as 0 have a mask without bits.

``places`` says where the upper pairs begin in a plane. ``fields`` are rows of numbers,
each as long as ``places``, a multiple of LANES: WEIGHT + 0 to 3 of the upper left,
upper right, lower left and lower right pixels, MASK + 0 to 3, then the weights along
the axes and their derivatives with respect to the flow.

Images are flat, (N, C, H, W), with one more number at the end, which the last pair may
read or add 0 to where maps are one pixel wide; ``flat_image`` makes them. ``base`` is
where a plane begins, ``down`` how far a pixel's lower neighbor is.
"""

import numpy as np
import torch
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from torch import Tensor

from .simd import INLINE, LANES, pointer, vfloor, vlimit, vload, vsplat, vstore
from .vector_memory import copy, vpairs

WEIGHT, MASK, AXES = 0, 4, 8
X_WEIGHT, X_SLOPE, Y_WEIGHT, Y_SLOPE = range(AXES, AXES + 8, 2)
_COLUMN, _U, _V = range(AXES + 8, AXES + 11)  # of each pixel, and its flow
FIELDS = AXES + 11


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
def sample_row(flow, scale, y, size, border, places, fields):
    """Fill the memory for row y of a flow (2, H, W), times scale. size: H, W.

    What is behind the row has no flow: without ``border`` it lies outside, and is 0.
    """
    h, w = size
    pitch = len(places)
    high, wide = flow.dtype.type(h), flow.dtype.type(w)
    own_y = vsplat(flow.dtype.type(y))
    one = vsplat(flow.dtype.type(1))
    u, v = _U * pitch, _V * pitch
    copy(flow, y * w, fields, u, w)
    copy(flow, (h + y) * w, fields, v, w)
    for x in range(0, pitch, LANES):
        own_x = vload(fields, _COLUMN * pitch + x)
        column, x_weights, x_slopes, x_masks = _axis(
            scale * vload(fields, u + x), own_x, wide, border, one
        )
        row, y_weights, y_slopes, y_masks = _axis(
            scale * vload(fields, v + x), own_y, high, border, one
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


@njit(**INLINE)
def _pixels(images, base, down, places, fields, x):
    """The four pixels that LANES pixels at x sample, 0 outside."""
    mask, pitch = MASK * len(places) + x, len(places)
    a, b = vpairs(images, base, places, x)
    d, e = vpairs(images, base + down, places, x)
    return (
        vand(a, vload(fields, mask)),
        vand(b, vload(fields, mask + pitch)),
        vand(d, vload(fields, mask + 2 * pitch)),
        vand(e, vload(fields, mask + 3 * pitch)),
    )


@njit(**INLINE)
def samples(images, base, down, places, fields, x):
    """What LANES pixels at x sample."""
    a, b, d, e = _pixels(images, base, down, places, fields, x)
    pitch = len(places)
    i = WEIGHT * pitch + x
    top = vload(fields, i) * a + vload(fields, i + pitch) * b
    i += 2 * pitch
    return top + (vload(fields, i) * d + vload(fields, i + pitch) * e)


@njit(**INLINE)
def samples_and_slopes(images, base, down, places, fields, x):
    """What LANES pixels at x sample, and its derivatives along the axes."""
    a, b, d, e = _pixels(images, base, down, places, fields, x)
    pitch = len(places)
    x0, x1 = X_WEIGHT * pitch + x, (X_WEIGHT + 1) * pitch + x
    dx0, dx1 = X_SLOPE * pitch + x, (X_SLOPE + 1) * pitch + x
    y0, y1 = Y_WEIGHT * pitch + x, (Y_WEIGHT + 1) * pitch + x
    dy0, dy1 = Y_SLOPE * pitch + x, (Y_SLOPE + 1) * pitch + x
    top = vload(fields, x0) * a + vload(fields, x1) * b
    bottom = vload(fields, x0) * d + vload(fields, x1) * e
    top_slope = vload(fields, dx0) * a + vload(fields, dx1) * b
    bottom_slope = vload(fields, dx0) * d + vload(fields, dx1) * e
    return (
        vload(fields, y0) * top + vload(fields, y1) * bottom,
        vload(fields, y0) * top_slope + vload(fields, y1) * bottom_slope,
        vload(fields, dy0) * top + vload(fields, dy1) * bottom,
    )


@njit(**INLINE)
def below(h, w):
    """From a pixel to the one below, as far as there is one."""
    return w if h > 1 else 0


def flat_memory(size: torch.Size, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Memory with one more number at its end, which is 0, and the tensor in it."""
    memory = torch.empty(size.numel() + 1, dtype=dtype)
    memory[-1] = 0
    return memory, memory[:-1].view(size)


def flat_image(image: Tensor, dtype: torch.dtype) -> np.ndarray:
    """An image (..., H, W); only maps that are one pixel wide need the copy."""
    image = image.detach().to(dtype)
    if image.shape[-1] > 1:
        return image.contiguous().view(-1).numpy()
    memory, view = flat_memory(image.shape, dtype)
    view.copy_(image)
    return memory.numpy()
