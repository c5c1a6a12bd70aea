"""Launch the Triton kernels of the warp: the same face as cpu.py."""

import torch
from torch import Tensor

from .._common.launch import device_guard
from . import gpu
from .reference import image_gradient_reference

BLOCK = 256  # pixels of a program


def _grid(image: Tensor) -> tuple[int]:
    n, _, h, w = image.shape
    return (n * -(-h * w // BLOCK),)


def forward(image: Tensor, flow: Tensor, padding: str) -> Tensor:
    """See :func:`flowzoo_kernels.backward_warp`."""
    out = image.new_empty(image.shape)
    if out.numel() == 0:
        return out
    with device_guard(image):
        gpu.forward_kernel[_grid(image)](
            image,
            flow,
            out,
            *image.stride(),
            *flow.stride(),
            *image.shape[1:],
            BORDER=padding == "border",
            BLOCK=BLOCK,
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
            gpu.backward_kernel[_grid(image)](
                grad,
                image,
                flow,
                image_grad,
                flow_grad,
                *grad.stride(),
                *image.stride(),
                *flow.stride(),
                *image.shape[1:],
                IMAGE_GRAD=need_image,
                FLOW_GRAD=need_flow,
                BORDER=padding == "border",
                BLOCK=BLOCK,
            )
    return image_grad.to(image.dtype), flow_grad
