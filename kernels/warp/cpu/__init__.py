"""Backward bilinear warp on the CPU: launch of the kernels in rows.py."""

import torch
from torch import Tensor

from ..._common.precision import compute_dtype
from ..._common.sampling import flat_image, flat_memory
from ..._common.threads import run_tasks
from .rows import PLANES, flow_gradient_rows, forward_rows, image_gradient_planes

PIXELS = 1 << 15  # of a task, about


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
    n, *size = image.shape
    images, flows = flat_image(image, dtype), _array(flow, dtype)
    out = torch.empty(image.shape, dtype=dtype)
    args = images, flows, out.view(-1).numpy(), tuple(size), border
    _run(forward_rows, n * size[1], size[2], *args)
    return out.to(image.dtype)


def backward(
    grad: Tensor, image: Tensor, flow: Tensor, padding: str, needs: list[bool]
) -> tuple[Tensor, Tensor]:
    """Gradients of image and flow, in their types; empty where not needed."""
    dtype, border = compute_dtype(image), padding == "border"
    n, *size = image.shape
    c, h, w = size
    grads, flows = _array(grad, dtype), _array(flow, dtype)
    image_grad = torch.empty(0, dtype=image.dtype)
    flow_grad = torch.empty(flow.shape if needs[1] else 0, dtype=dtype)
    if needs[0]:
        memory, image_grad = flat_memory(image.shape, dtype)
        memory.zero_()
        args = grads, flows, memory.numpy(), tuple(size), border
        groups = -(-c // PLANES)
        _run(image_gradient_planes, n * groups, PLANES * h * w, *args)
    if needs[1]:
        images = flat_image(image, dtype)
        args = grads, images, flows, flow_grad.numpy(), tuple(size), border
        _run(flow_gradient_rows, n * h, w, *args)
    return image_grad.to(image.dtype), flow_grad.to(flow.dtype)
