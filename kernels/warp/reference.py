"""Backward bilinear warp in eager PyTorch: the definition of the operator.

Notes, with the authors of the hidden two-stream network as the source of ``zeros``
(their flow transformer layer):

1. Of the four pixels around the sampled place, those outside the image count as 0, and
   the weights of the others stay as they are: within one pixel of the border the result
   fades to 0 instead of jumping. ``border`` takes the nearest pixel of the image.
2. At an exact integer the derivative is that to the right (downwards).
3. The flow is split into its floor and its fraction before the pixel's own place is
   added, so that the weights are as exact as the flow.
4. Where the flow is NaN or infinite, the result is NaN.
"""

import torch
from torch import Tensor

from .._common.precision import compute_dtype

PADDINGS = ("zeros", "border")


def _split(flow: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Whole pixels, limited to what matters in an image of ``size``, and the rest."""
    whole = flow.detach().floor()
    limited = whole.nan_to_num(0.0).clamp(-size - 1, size + 1)
    return limited.long(), flow - whole


def backward_warp_reference(image: Tensor, flow: Tensor, padding: str) -> Tensor:
    """See :func:`flowzoo_kernels.backward_warp`."""
    n, c, h, w = image.shape
    dtype = compute_dtype(image)
    planes = image.to(dtype).flatten(2)
    right, fx = _split(flow[:, 0].to(dtype), w)
    down, fy = _split(flow[:, 1].to(dtype), h)
    x0 = torch.arange(w, device=image.device) + right
    y0 = torch.arange(h, device=image.device).view(-1, 1) + down

    def pixel(y: Tensor, x: Tensor) -> Tensor:
        place = (y.clamp(0, h - 1) * w + x.clamp(0, w - 1)).reshape(n, 1, h * w)
        value = planes.gather(2, place.expand(-1, c, -1)).view(n, c, h, w)
        if padding == "border":
            return value
        inside = (y >= 0) & (y < h) & (x >= 0) & (x < w)
        return torch.where(inside.unsqueeze(1), value, 0.0)

    fx, fy = fx.unsqueeze(1), fy.unsqueeze(1)
    top = (1 - fx) * pixel(y0, x0) + fx * pixel(y0, x0 + 1)
    bottom = (1 - fx) * pixel(y0 + 1, x0) + fx * pixel(y0 + 1, x0 + 1)
    return ((1 - fy) * top + fy * bottom).to(image.dtype)


def image_gradient_reference(grad: Tensor, flow: Tensor, padding: str) -> Tensor:
    """The gradient of image, explicitly, as far as the operators below are repeatable.

    ``index_add_`` is on GPUs too under ``torch.use_deterministic_algorithms(True)``.
    """
    n, c, h, w = grad.shape
    dtype = compute_dtype(grad)
    grad = grad.to(dtype)
    right, fx = _split(flow[:, 0].to(dtype), w)
    down, fy = _split(flow[:, 1].to(dtype), h)
    x0 = torch.arange(w, device=grad.device) + right
    y0 = torch.arange(h, device=grad.device).view(-1, 1) + down
    first = torch.arange(n, device=grad.device).view(-1, 1, 1) * (h * w)
    total = grad.new_zeros(c, n * h * w)
    for y, weight_y in ((y0, 1 - fy), (y0 + 1, fy)):
        for x, weight_x in ((x0, 1 - fx), (x0 + 1, fx)):
            weight = weight_y * weight_x
            if padding == "zeros":
                inside = (y >= 0) & (y < h) & (x >= 0) & (x < w)
                weight = torch.where(inside, weight, 0.0)
            place = first + y.clamp(0, h - 1) * w + x.clamp(0, w - 1)
            part = (weight.unsqueeze(1) * grad).transpose(0, 1).flatten(1)
            total.index_add_(1, place.flatten(), part)
    return total.view(c, n, h, w).transpose(0, 1).contiguous()
