"""Backward bilinear warp on the CPU, in Numba.

The flow's gradient is a gather. The image's is a scatter that one thread does for a
whole plane in the order of its pixels: results repeat bit by bit.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor

from .._common.simd import INLINE, cached_njit
from .._common.threads import run_tasks

ROWS = 16  # of a task


@njit(**INLINE)
def _corner(place, whole, size, border):
    """Index of a sampled pixel and of the next one; -1 outside for zeros."""
    limit = size + 1
    if not -limit <= whole <= limit:  # NaN as well, whose weights are NaN
        whole = -limit if whole < 0 else limit
    first = place + int(whole)
    second = first + 1
    if border:
        return min(max(first, 0), size - 1), min(max(second, 0), size - 1)
    if not 0 <= first < size:
        first = -1
    if not 0 <= second < size:
        second = -1
    return first, second


@njit(**INLINE)
def _pixel(image, c, y, x):
    return image[c, y, x] if y >= 0 and x >= 0 else image.dtype.type(0)


@cached_njit
def _forward_rows(image, flow, out, border, start, stop):
    """Rows start..stop of out. image, out: (C, H, W); flow: (2, H, W)."""
    channels, h, w = image.shape
    one = image.dtype.type(1)
    for y in range(start, stop):
        for x in range(w):
            u, v = flow[0, y, x], flow[1, y, x]
            iu, iv = np.floor(u), np.floor(v)
            fx, fy = u - iu, v - iv
            x0, x1 = _corner(x, iu, w, border)
            y0, y1 = _corner(y, iv, h, border)
            for c in range(channels):
                top = (one - fx) * _pixel(image, c, y0, x0) + fx * _pixel(
                    image, c, y0, x1
                )
                bottom = (one - fx) * _pixel(image, c, y1, x0) + fx * _pixel(
                    image, c, y1, x1
                )
                out[c, y, x] = (one - fy) * top + fy * bottom


@cached_njit
def _flow_gradient_rows(grad, image, flow, flow_grad, border, start, stop):
    """Rows start..stop of flow_grad (2, H, W). grad, image: (C, H, W)."""
    channels, h, w = image.shape
    one = image.dtype.type(1)
    for y in range(start, stop):
        for x in range(w):
            u, v = flow[0, y, x], flow[1, y, x]
            iu, iv = np.floor(u), np.floor(v)
            fx, fy = u - iu, v - iv
            x0, x1 = _corner(x, iu, w, border)
            y0, y1 = _corner(y, iv, h, border)
            gu = gv = image.dtype.type(0)
            for c in range(channels):
                a, b = _pixel(image, c, y0, x0), _pixel(image, c, y0, x1)
                d, e = _pixel(image, c, y1, x0), _pixel(image, c, y1, x1)
                g = grad[c, y, x]
                gu += g * ((one - fy) * (b - a) + fy * (e - d))
                gv += g * ((one - fx) * (d - a) + fx * (e - b))
            flow_grad[0, y, x] = gu
            flow_grad[1, y, x] = gv


@cached_njit
def _image_gradient_plane(grad, flow, image_grad, border):
    """image_grad (H, W) of one channel. grad: (H, W); flow: (2, H, W)."""
    h, w = grad.shape
    one = grad.dtype.type(1)
    image_grad[:] = 0
    for y in range(h):
        for x in range(w):
            u, v = flow[0, y, x], flow[1, y, x]
            iu, iv = np.floor(u), np.floor(v)
            fx, fy = u - iu, v - iv
            x0, x1 = _corner(x, iu, w, border)
            y0, y1 = _corner(y, iv, h, border)
            g = grad[y, x]
            if y0 >= 0 and x0 >= 0:
                image_grad[y0, x0] += (one - fy) * (one - fx) * g
            if y0 >= 0 and x1 >= 0:
                image_grad[y0, x1] += (one - fy) * fx * g
            if y1 >= 0 and x0 >= 0:
                image_grad[y1, x0] += fy * (one - fx) * g
            if y1 >= 0 and x1 >= 0:
                image_grad[y1, x1] += fy * fx * g


def _state_dtype(image: Tensor) -> torch.dtype:
    return torch.float64 if image.dtype == torch.float64 else torch.float32


def _array(t: Tensor, dtype: torch.dtype):
    """A NumPy view; other types and layouts are copied."""
    return t.detach().to(dtype).contiguous().numpy()


def _run_rows(n: int, h: int, function) -> None:
    """Call function(example, first row, last row + 1) for all rows, on all threads."""
    per_example = -(-h // ROWS)

    def worker(task: int) -> None:
        example, chunk = divmod(task, per_example)
        function(example, chunk * ROWS, min(h, (chunk + 1) * ROWS))

    run_tasks(lambda: worker, n * per_example)


def forward(image: Tensor, flow: Tensor, padding: str) -> Tensor:
    """See :func:`flowzoo_kernels.backward_warp`."""
    dtype, border = _state_dtype(image), padding == "border"
    n, _, h, _ = image.shape
    images, flows = _array(image, dtype), _array(flow, dtype)
    out = torch.empty(image.shape, dtype=dtype)
    outs = out.numpy()
    _run_rows(
        n,
        h,
        lambda i, *rows: _forward_rows(images[i], flows[i], outs[i], border, *rows),
    )
    return out.to(image.dtype)


def backward(
    grad: Tensor, image: Tensor, flow: Tensor, padding: str, needs: list[bool]
) -> tuple[Tensor, Tensor]:
    """Gradients of image and flow, in their types; empty where not needed."""
    dtype, border = _state_dtype(image), padding == "border"
    n, c, h, _ = image.shape
    grads, flows = _array(grad, dtype), _array(flow, dtype)
    image_grad = torch.empty(image.shape if needs[0] else 0, dtype=dtype)
    flow_grad = torch.empty(flow.shape if needs[1] else 0, dtype=dtype)
    if needs[0]:
        image_grads = image_grad.numpy()

        def plane(task: int) -> None:
            i, j = divmod(task, c)
            _image_gradient_plane(grads[i, j], flows[i], image_grads[i, j], border)

        run_tasks(lambda: plane, n * c)
    if needs[1]:
        images, flow_grads = _array(image, dtype), flow_grad.numpy()
        _run_rows(
            n,
            h,
            lambda i, *rows: _flow_gradient_rows(
                grads[i], images[i], flows[i], flow_grads[i], border, *rows
            ),
        )
    return image_grad.to(image.dtype), flow_grad.to(flow.dtype)
