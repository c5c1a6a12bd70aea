"""Backward warp: argument checks, the operator, the public function."""

import torch
from torch import Tensor

from .._common import checks, operators
from .._common.exporting import not_scriptable
from .._common.precision import compute_dtype
from .reference import PADDINGS, backward_warp_reference


def _check(image: Tensor, flow: Tensor, padding: str) -> None:
    checks.check_choice("padding", padding, PADDINGS)
    checks.check_maps("image", image, "(N, C, H, W)")
    checks.check_maps("flow", flow, "(N, 2, H, W)")
    n, _, h, w = image.shape
    if min(h, w) < 1:
        raise ValueError(f"image has no pixels, shape {tuple(image.shape)}")
    if flow.shape[1] != 2:
        raise ValueError(
            f"flow has {flow.shape[1]} channels, shape {tuple(flow.shape)}; 2 are "
            f"needed: x to the right, then y down"
        )
    checks.check_shape("flow", flow, (n, 2, h, w), f"image {tuple(image.shape)}")
    checks.check_device("flow", flow, image.device)


@torch.library.custom_op("flowzoo::backward_warp", mutates_args=())
def _forward(image: Tensor, flow: Tensor, padding: str, backend: str) -> Tensor:
    if backend == "triton":  # imported when first used: Numba and Triton take long
        from . import gpu

        return gpu.forward(image, flow, padding)
    from . import cpu

    return cpu.forward(image, flow, padding)


@_forward.register_fake
def _(image, flow, padding, backend) -> Tensor:
    return image.new_empty(image.shape)


@torch.library.custom_op(
    "flowzoo::backward_warp_backward",
    mutates_args=(),
    schema="(Tensor grad, Tensor image, Tensor flow, str padding, str backend, "
    "bool[] needs) -> (Tensor, Tensor)",
)
def _backward(grad, image, flow, padding, backend, needs):
    if backend == "triton":
        from . import gpu

        return gpu.backward(grad, image, flow, padding, needs)
    from . import cpu

    return cpu.backward(grad, image, flow, padding, needs)


@_backward.register_fake
def _(grad, image, flow, padding, backend, needs):
    return (
        image.new_empty(image.shape if needs[0] else 0),
        flow.new_empty(flow.shape if needs[1] else 0),
    )


_function = operators.differentiable("backward_warp", _forward, _backward, tensors=2)


def _merge(info, tensors, in_dims) -> list[Tensor]:
    """The batch of vmap joined with dimension 0; repeated where there is none."""
    merged = []
    for tensor, dim in zip(tensors, in_dims, strict=True):
        if dim is None:
            tensor = tensor.expand(info.batch_size, *tensor.shape)
        else:
            tensor = tensor.movedim(dim, 0)
        merged.append(tensor.flatten(0, 1))
    return merged


@_forward.register_vmap
def _(info, in_dims, *args):
    tensors = _merge(info, args[:2], in_dims[:2])
    out = _forward(*tensors, *args[2:])
    return out.unflatten(0, (info.batch_size, -1)), 0


@_backward.register_vmap
def _(info, in_dims, *args):
    tensors = _merge(info, args[:3], in_dims[:3])
    grads = _backward(*tensors, *args[3:])
    shape, needs = (info.batch_size, -1), args[-1]
    grads = (
        g.unflatten(0, shape) if need else g.expand(info.batch_size, 0)
        for g, need in zip(grads, needs, strict=True)
    )
    return tuple(grads), (0, 0)


@not_scriptable
def backward_warp(
    image: Tensor, flow: Tensor, padding: str = "zeros", backend: str = "auto"
) -> Tensor:
    """Rebuild a frame from the next one and the flow between them.

    out(n, c, y, x) = image(n, c) sampled bilinearly at (y + v, x + u), with u, v =
    flow(n, :, y, x).

    Convention: x is dimension 3 (to the right), y is dimension 2 (down), the center of
    the first pixel is (0, 0); flow is in pixels, channel 0 along x, 1 along y. With
    ``zeros`` pixels outside count as 0 and the others keep their weights, as in the
    flow transformer layer of Zhu et al., "Hidden Two-Stream Convolutional Networks for
    Action Recognition"; with ``border`` they count as the nearest pixel of the image.
    At whole numbers of pixels the flow's gradient is that to the right and downwards.

    Args:
        image: (N, C, H, W), any strides. float32, float16, bfloat16 (computed in
            float32) or float64.
        flow: (N, 2, H, W), any strides, any floating type; used in the precision in
            which image is computed.
        padding: 'zeros' or 'border'.
        backend: 'auto' (by the device of image), 'triton' (not for float64), 'cpu' or
            'reference'.

    Returns:
        (N, C, H, W) of image's dtype; NaN where flow is NaN or infinite.
        Differentiable in both; such a flow adds NaN or nothing to the gradient of
        image, by backend. On GPUs that gradient is summed with atomics, in an order
        that varies, except under
        ``torch.use_deterministic_algorithms(True)``, where it takes more memory.

    Raises:
        ValueError: wrong rank or shapes, no pixels, tensors on different devices, an
            unknown padding or backend.
        TypeError: a tensor that is not floating point.
        NotImplementedError: a backend that does not take the type; a second or a
            forward-mode derivative of a fused backend.
        RuntimeError: a backend whose package is not installed.
    """
    _check(image, flow, padding)
    excluded = {"triton": "float64"} if image.dtype == torch.float64 else {}
    backend = checks.resolve_backend(backend, image.device, excluded)
    if backend == "reference":
        return backward_warp_reference(image, flow, padding)
    checks.check_plane("image", *image.shape[2:], backend)
    if backend == "cpu":
        checks.check_coordinates("image", *image.shape[2:], compute_dtype(image))
    if operators.needs_function("backward_warp", (image, flow)):
        return _function(image, flow, padding, backend)
    return _forward(image, flow, padding, backend)
