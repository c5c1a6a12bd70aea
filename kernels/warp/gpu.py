"""Backward bilinear warp on GPUs, in Triton.

A program holds BLOCK neighboring pixels of one example and walks over the channels.
Offsets are int64; only the pixels of one plane have to be fewer than 2^31.

gsn .. fsw are strides of grad, image and flow. a, b, c, d are the pixels sampled above
left, above right, below left and below right; fx, fy the weights of the right and of
the lower ones; u, v the flow, gu, gv its gradient.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from .._common.launch import device_guard, named_strides
from .._common.triton_options import LAUNCH_OPTIONS, compile_once
from .reference import image_gradient_reference

BLOCK = 128  # pixels of a program, one for a thread


@triton.jit
def _floor(value):
    """Floor and its index, 0 for NaN and infinity; their fraction is NaN."""
    whole = tl.floor(value)
    return whole, tl.where(tl.abs(whole) < 1e9, whole, 0.0).to(tl.int32)


@triton.jit
def _weights_and_places(
    flow_ptr, sn, sc, sh, sw, n, pixel, h, w, inside, BORDER: tl.constexpr
):
    """Fractions of the flow, and y, x and validity of the pixels around."""
    y, x = pixel // w, pixel % w
    at = flow_ptr + n * sn + y.to(tl.int64) * sh + x.to(tl.int64) * sw
    u = tl.load(at, mask=inside, other=0.0).to(tl.float32)
    v = tl.load(at + sc, mask=inside, other=0.0).to(tl.float32)
    whole_u, iu = _floor(u)
    whole_v, iv = _floor(v)
    # far outside either way, without overflow of the sum
    x0 = x + tl.minimum(tl.maximum(iu, -w - 1), w + 1)
    y0 = y + tl.minimum(tl.maximum(iv, -h - 1), h + 1)
    x1, y1 = x0 + 1, y0 + 1
    if BORDER:
        # all lie in the image, also those of threads without a pixel
        ok_x0, ok_x1, ok_y0, ok_y1 = True, True, True, True
        x0 = tl.minimum(tl.maximum(x0, 0), w - 1)
        x1 = tl.minimum(tl.maximum(x1, 0), w - 1)
        y0 = tl.minimum(tl.maximum(y0, 0), h - 1)
        y1 = tl.minimum(tl.maximum(y1, 0), h - 1)
    else:
        ok_x0 = inside & (x0 >= 0) & (x0 < w)
        ok_x1 = inside & (x1 >= 0) & (x1 < w)
        ok_y0 = inside & (y0 >= 0) & (y0 < h)
        ok_y1 = inside & (y1 >= 0) & (y1 < h)
    return u - whole_u, v - whole_v, x0, x1, y0, y1, ok_x0, ok_x1, ok_y0, ok_y1


@triton.jit
def _place(y, x, sh, sw):
    """Offset of pixel (y, x) in a plane."""
    return y.to(tl.int64) * sh + x.to(tl.int64) * sw


@triton.jit
def _pixel(ptr, y, x, sh, sw, ok):
    """The pixels at (y, x) of a plane in float32, 0 where not ok."""
    return tl.load(ptr + _place(y, x, sh, sw), mask=ok, other=0.0).to(tl.float32)


@triton.jit
def _add(ptr, value, mask):
    """Add to float32 in memory; nothing is read before the kernel has ended."""
    tl.atomic_add(ptr, value, mask=mask, sem="relaxed")


@compile_once
def forward_kernel(
    image_ptr,  # (N, C, H, W), any strides
    flow_ptr,  # (N, 2, H, W), any strides
    out_ptr,  # (N, C, H, W), contiguous
    isn,
    isc,
    ish,
    isw,
    fsn,
    fsc,
    fsh,
    fsw,
    channels,
    h,
    w,
    BORDER: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Warp BLOCK pixels of every channel of one example."""
    blocks = tl.cdiv(h * w, BLOCK)
    n = (tl.program_id(0) // blocks).to(tl.int64)
    pixel = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < h * w
    fx, fy, x0, x1, y0, y1, ok_x0, ok_x1, ok_y0, ok_y1 = _weights_and_places(
        flow_ptr, fsn, fsc, fsh, fsw, n, pixel, h, w, inside, BORDER
    )
    # of channel 0: with offsets from a plane instead, some versions spilled registers
    image_ptr += n * isn
    a_ptr = image_ptr + _place(y0, x0, ish, isw)
    b_ptr = image_ptr + _place(y0, x1, ish, isw)
    c_ptr = image_ptr + _place(y1, x0, ish, isw)
    d_ptr = image_ptr + _place(y1, x1, ish, isw)
    out = out_ptr + n * channels * h * w + pixel
    for channel in range(channels):
        plane = tl.cast(channel, tl.int64) * isc
        a = tl.load(a_ptr + plane, mask=ok_y0 & ok_x0, other=0.0).to(tl.float32)
        b = tl.load(b_ptr + plane, mask=ok_y0 & ok_x1, other=0.0).to(tl.float32)
        c = tl.load(c_ptr + plane, mask=ok_y1 & ok_x0, other=0.0).to(tl.float32)
        d = tl.load(d_ptr + plane, mask=ok_y1 & ok_x1, other=0.0).to(tl.float32)
        value = (1 - fy) * ((1 - fx) * a + fx * b) + fy * ((1 - fx) * c + fx * d)
        tl.store(out, value.to(out_ptr.dtype.element_ty), mask=inside)
        out += h * w


@compile_once
def backward_kernel(
    grad_ptr,  # (N, C, H, W), any strides
    image_ptr,  # (N, C, H, W), any strides
    flow_ptr,  # (N, 2, H, W), any strides
    image_grad_ptr,  # (N, C, H, W), contiguous, float32, zeros; or empty
    flow_grad_ptr,  # (N, 2, H, W), contiguous; or empty
    gsn,
    gsc,
    gsh,
    gsw,
    isn,
    isc,
    ish,
    isw,
    fsn,
    fsc,
    fsh,
    fsw,
    channels,
    h,
    w,
    IMAGE_GRAD: tl.constexpr,
    FLOW_GRAD: tl.constexpr,
    BORDER: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The flow's gradient of BLOCK pixels, and what they add to the image's."""
    blocks = tl.cdiv(h * w, BLOCK)
    n = (tl.program_id(0) // blocks).to(tl.int64)
    pixel = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < h * w
    fx, fy, x0, x1, y0, y1, ok_x0, ok_x1, ok_y0, ok_y1 = _weights_and_places(
        flow_ptr, fsn, fsc, fsh, fsw, n, pixel, h, w, inside, BORDER
    )
    gu = tl.zeros((BLOCK,), tl.float32)
    gv = tl.zeros((BLOCK,), tl.float32)
    grad_plane, plane = grad_ptr + n * gsn, image_ptr + n * isn
    image_grad = image_grad_ptr + n * channels * h * w
    for _ in range(channels):
        g = _pixel(grad_plane, pixel // w, pixel % w, gsh, gsw, inside)
        if FLOW_GRAD:
            a = _pixel(plane, y0, x0, ish, isw, ok_y0 & ok_x0)
            b = _pixel(plane, y0, x1, ish, isw, ok_y0 & ok_x1)
            c = _pixel(plane, y1, x0, ish, isw, ok_y1 & ok_x0)
            d = _pixel(plane, y1, x1, ish, isw, ok_y1 & ok_x1)
            gu += g * ((1 - fy) * (b - a) + fy * (d - c))
            gv += g * ((1 - fx) * (c - a) + fx * (d - b))
        if IMAGE_GRAD:
            top, bottom = (1 - fy) * g, fy * g
            at0, at1 = image_grad + y0 * w, image_grad + y1 * w
            _add(at0 + x0, (1 - fx) * top, inside & ok_y0 & ok_x0)
            _add(at0 + x1, fx * top, inside & ok_y0 & ok_x1)
            _add(at1 + x0, (1 - fx) * bottom, inside & ok_y1 & ok_x0)
            _add(at1 + x1, fx * bottom, inside & ok_y1 & ok_x1)
        grad_plane += gsc
        plane += isc
        image_grad += h * w
    if FLOW_GRAD:
        kind = flow_grad_ptr.dtype.element_ty
        out = flow_grad_ptr + n * 2 * h * w + pixel
        tl.store(out, gu.to(kind), mask=inside)
        tl.store(out + h * w, gv.to(kind), mask=inside)


def _grid(image: Tensor) -> tuple[int]:
    n, _, h, w = image.shape
    return (n * -(-h * w // BLOCK),)


def forward(image: Tensor, flow: Tensor, padding: str) -> Tensor:
    """See :func:`flowzoo_kernels.backward_warp`."""
    out = image.new_empty(image.shape)
    if out.numel() == 0:
        return out
    with device_guard(image):
        forward_kernel[_grid(image)](
            image,
            flow,
            out,
            **named_strides("i", image),
            **named_strides("f", flow),
            channels=image.shape[1],
            h=image.shape[2],
            w=image.shape[3],
            BORDER=padding == "border",
            BLOCK=BLOCK,
            **LAUNCH_OPTIONS,
        )
    return out


def backward(
    grad: Tensor, image: Tensor, flow: Tensor, padding: str, needs: list[bool]
) -> tuple[Tensor, Tensor]:
    """Gradients of image and flow, in their types; empty where not needed."""
    need_image, need_flow = needs
    if need_image and torch.are_deterministic_algorithms_enabled():
        image_grad = image_gradient_reference(grad, flow, padding)
        need_image = False
    else:
        shape = image.shape if need_image else (0,)
        image_grad = image.new_zeros(shape, dtype=torch.float32)
    flow_grad = flow.new_empty(flow.shape if need_flow else 0)
    if image.numel() == 0:
        return image_grad.to(image.dtype), flow_grad.zero_()
    if need_image or need_flow:
        with device_guard(image):
            backward_kernel[_grid(image)](
                grad,
                image,
                flow,
                image_grad_ptr=image_grad,
                flow_grad_ptr=flow_grad,
                **named_strides("g", grad),
                **named_strides("i", image),
                **named_strides("f", flow),
                channels=image.shape[1],
                h=image.shape[2],
                w=image.shape[3],
                IMAGE_GRAD=need_image,
                FLOW_GRAD=need_flow,
                BORDER=padding == "border",
                BLOCK=BLOCK,
                **LAUNCH_OPTIONS,
            )
    return image_grad.to(image.dtype), flow_grad
