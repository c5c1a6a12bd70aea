"""Backward bilinear warp on the CPU, in Numba.

The flow's gradient is a gather. The image's is a scatter that one thread does for a
whole plane in the order of its pixels: results repeat bit by bit.

a, b, d, e are the pixels above left, above right, below left and below right; fx, fy
the weights of the right and of the lower ones; u, v the flow, gu, gv its gradient.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from .._common.precision import compute_dtype
from .._common.simd import INLINE, cached_njit
from .._common.threads import run_tasks

PIXELS = 1 << 15  # of a task, about


@njit(**INLINE)
def _sources(flow, y, w, h, border, places, weights):
    """Row y of a flow (2, H, W): the four pixels that each of its pixels samples.

    places (4, W): above left, above right, below left, below right, indices in a plane
    of H * W pixels, -1 outside. weights (2, W): of the right and the lower ones.
    """
    one, zero = np.int32(1), np.int32(0)
    width, height = np.int32(w), np.int32(h)
    wide, high = flow.dtype.type(w + 1), flow.dtype.type(h + 1)
    for x in range(w):
        u, v = flow[0, y, x], flow[1, y, x]
        iu, iv = np.floor(u), np.floor(v)
        weights[0, x] = u - iu
        weights[1, x] = v - iv
        # far outside is outside; NaN as well, whose weights are NaN
        iu = iu if iu > -wide else -wide
        iu = iu if iu < wide else wide
        iv = iv if iv > -high else -high
        iv = iv if iv < high else high
        x0 = np.int32(x) + np.int32(iu)
        y0 = np.int32(y) + np.int32(iv)
        x1, y1 = x0 + one, y0 + one
        if border:
            x0, x1 = min(max(x0, zero), width - one), min(max(x1, zero), width - one)
            y0, y1 = min(max(y0, zero), height - one), min(max(y1, zero), height - one)
        left, right = (x0 >= 0) & (x0 < width), (x1 >= 0) & (x1 < width)
        above, below = (y0 >= 0) & (y0 < height), (y1 >= 0) & (y1 < height)
        upper, lower = y0 * width, y1 * width
        places[0, x] = upper + x0 if left & above else -one
        places[1, x] = upper + x1 if right & above else -one
        places[2, x] = lower + x0 if left & below else -one
        places[3, x] = lower + x1 if right & below else -one


@njit(**INLINE)
def _pixel(plane, place):
    """The pixel at an index of a plane, 0 at -1."""
    value = plane[max(place, np.int32(0))]
    return value if place >= 0 else plane.dtype.type(0)


@cached_njit
def _forward_rows(images, flows, outs, border, start, stop):
    """Rows start..stop of outs, counted through all examples.

    images, outs: (N, C, H, W); flows: (N, 2, H, W).
    """
    _, channels, h, w = images.shape
    one = images.dtype.type(1)
    places, weights = np.empty((4, w), np.int32), np.empty((2, w), images.dtype)
    for row in range(start, stop):
        n, y = divmod(row, h)
        _sources(flows[n], y, w, h, border, places, weights)
        for c in range(channels):
            plane, out = images[n, c].reshape(h * w), outs[n, c, y]
            for x in range(w):
                fx, fy = weights[0, x], weights[1, x]
                a, b = _pixel(plane, places[0, x]), _pixel(plane, places[1, x])
                d, e = _pixel(plane, places[2, x]), _pixel(plane, places[3, x])
                top, bottom = (one - fx) * a + fx * b, (one - fx) * d + fx * e
                out[x] = (one - fy) * top + fy * bottom


@cached_njit
def _flow_gradient_rows(grads, images, flows, flow_grads, border, start, stop):
    """Rows start..stop of flow_grads (N, 2, H, W), counted through all examples.

    grads, images: (N, C, H, W).
    """
    _, channels, h, w = images.shape
    one = images.dtype.type(1)
    places, weights = np.empty((4, w), np.int32), np.empty((2, w), images.dtype)
    for row in range(start, stop):
        n, y = divmod(row, h)
        _sources(flows[n], y, w, h, border, places, weights)
        gu, gv = flow_grads[n, 0, y], flow_grads[n, 1, y]
        gu[:] = 0
        gv[:] = 0
        for c in range(channels):
            plane, grad = images[n, c].reshape(h * w), grads[n, c, y]
            for x in range(w):
                fx, fy, g = weights[0, x], weights[1, x], grad[x]
                a, b = _pixel(plane, places[0, x]), _pixel(plane, places[1, x])
                d, e = _pixel(plane, places[2, x]), _pixel(plane, places[3, x])
                gu[x] += g * ((one - fy) * (b - a) + fy * (e - d))
                gv[x] += g * ((one - fx) * (d - a) + fx * (e - b))


@cached_njit
def _image_gradient_planes(grads, flows, image_grads, border, start, stop):
    """Planes start..stop of image_grads (N, C, H, W), counted through all examples."""
    _, channels, h, w = grads.shape
    one = grads.dtype.type(1)
    places, weights = np.empty((4, w), np.int32), np.empty((2, w), grads.dtype)
    for plane in range(start, stop):
        n, c = divmod(plane, channels)
        image_grad = image_grads[n, c].reshape(h * w)
        image_grad[:] = 0
        for y in range(h):
            _sources(flows[n], y, w, h, border, places, weights)
            for x in range(w):
                fx, fy, g = weights[0, x], weights[1, x], grads[n, c, y, x]
                if places[0, x] >= 0:
                    image_grad[places[0, x]] += (one - fy) * (one - fx) * g
                if places[1, x] >= 0:
                    image_grad[places[1, x]] += (one - fy) * fx * g
                if places[2, x] >= 0:
                    image_grad[places[2, x]] += fy * (one - fx) * g
                if places[3, x] >= 0:
                    image_grad[places[3, x]] += fy * fx * g


def _array(t: Tensor, dtype: torch.dtype):
    """A NumPy view; other types and layouts are copied."""
    return t.detach().to(dtype).contiguous().numpy()


def _run(function, parts: int, pixels: int, *args) -> None:
    """Call function(*args, first, last + 1) for all parts, rows or planes."""
    step = max(1, PIXELS // pixels)

    def worker(task: int) -> None:
        function(*args, task * step, min(parts, (task + 1) * step))

    run_tasks(lambda: worker, -(-parts // step))


def forward(image: Tensor, flow: Tensor, padding: str) -> Tensor:
    """See :func:`flowzoo_kernels.backward_warp`."""
    dtype, border = compute_dtype(image), padding == "border"
    n, _, h, w = image.shape
    images, flows = _array(image, dtype), _array(flow, dtype)
    out = torch.empty(image.shape, dtype=dtype)
    _run(_forward_rows, n * h, w, images, flows, out.numpy(), border)
    return out.to(image.dtype)


def backward(
    grad: Tensor, image: Tensor, flow: Tensor, padding: str, needs: list[bool]
) -> tuple[Tensor, Tensor]:
    """Gradients of image and flow, in their types; empty where not needed."""
    dtype, border = compute_dtype(image), padding == "border"
    n, c, h, w = image.shape
    grads, flows = _array(grad, dtype), _array(flow, dtype)
    image_grad = torch.empty(image.shape if needs[0] else 0, dtype=dtype)
    flow_grad = torch.empty(flow.shape if needs[1] else 0, dtype=dtype)
    if needs[0]:
        args = grads, flows, image_grad.numpy(), border
        _run(_image_gradient_planes, n * c, h * w, *args)
    if needs[1]:
        args = grads, _array(image, dtype), flows, flow_grad.numpy(), border
        _run(_flow_gradient_rows, n * h, w, *args)
    return image_grad.to(image.dtype), flow_grad.to(flow.dtype)
