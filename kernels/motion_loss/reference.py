"""The unsupervised losses of MotionNet in eager PyTorch: the definition.

Zhu et al., "Hidden Two-Stream Convolutional Networks for Action Recognition", section
3.2. Constants are those of the authors' network definition and layers.

Notes on what the paper does not say, or says differently from the released layers:

1. The smoothness term takes differences of the flow as predicted and multiplies them by
   the scale's flow factor inside the Charbonnier function. The difference across the
   last column or row is 0, and is counted where the border mask leaves it.
2. The border mask leaves out round(0.1 * shorter side) pixels on every side, in the
   photometric and the smoothness term. The SSIM term has no mask.
3. SSIM windows have weights centered at index window / 2, so half a pixel off the
   middle. Windows that reach over the right or lower border keep their weights and miss
   the pixels outside; the weights there add up to less than 1.
4. The SSIM term is a sum over windows and channels divided by the batch size.
5. The authors divide both Charbonnier terms by batch x (sum of the mask) and fix the
   mask's batch to 16 and its channels to 30, for any input and for the 20 channels of
   the flow too: ``caffe``. ``elements`` divides by the number of elements.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .._common.precision import compute_dtype, without_autocast
from ..warp.reference import backward_warp_reference
from .options import Options


def border_width(h: int, w: int, ratio: float) -> int:
    """Pixels that the mask leaves out on each side, rounded half up."""
    return math.floor(min(h, w) * ratio + 0.5)


def ssim_table(
    window: int, sigma: float, center: float
) -> tuple[tuple[float, ...], ...]:
    """Weights of a window, rows of columns, with sum 1. sigma=inf: all the same."""
    line = [math.exp(-(((i - center) / sigma) ** 2) / 2) for i in range(window)]
    total = sum(line) ** 2
    return tuple(tuple(a * b / total for a in line) for b in line)


def ssim_windows(size: int, window: int, stride: int) -> int:
    """Windows along a side: the last may reach over the border (ceil mode)."""
    return max(0, -(-(size - window) // stride)) + 1


def divisors(
    shape: tuple[int, ...], pairs: int, options: Options
) -> tuple[float, float, float]:
    """What the sums of the three terms are divided by. shape: (N, C, H, W)."""
    n, c, h, w = shape
    n = max(n, 1)
    border = border_width(h, w, options.border)
    pixels = (h - 2 * border) * (w - 2 * border)
    if options.normalization == "caffe":
        elements = n * math.prod(options.caffe_mask) * pixels
        return elements, elements, n
    # the differences of one flow component, in two directions
    return n * c * pixels, n * 2 * pairs * pixels, n


def charbonnier(x: Tensor, alpha: float, beta: float, epsilon: float) -> Tensor:
    """((beta x)^2 + epsilon^2)^alpha, elementwise."""
    return ((beta * x).square() + epsilon**2) ** alpha


def ssim(x: Tensor, y: Tensor, options: Options) -> tuple[Tensor, int]:
    """Sum of luminance * contrast-structure over windows and channels; their number.

    x, y: (N, C, H, W).
    """
    window, stride = options.ssim_window, options.ssim_stride
    n, c, h, w = x.shape
    rows, columns = (ssim_windows(size, window, stride) for size in (h, w))
    below = (rows - 1) * stride + window - h
    right = (columns - 1) * stride + window - w
    table = ssim_table(window, options.ssim_sigma, options.ssim_center)
    table = torch.tensor(table, dtype=x.dtype, device=x.device)

    def mean(values: Tensor) -> Tensor:
        padded = F.pad(values, (0, right, 0, below))
        planes = padded.reshape(n * c, 1, h + below, w + right)
        return F.conv2d(planes, table.view(1, 1, window, window), stride=stride)

    mx, my = mean(x), mean(y)
    mxx, myy, mxy = mx * mx, my * my, mx * my
    sx, sy, sxy = mean(x * x) - mxx, mean(y * y) - myy, mean(x * y) - mxy
    luminance = (2 * mxy + options.ssim_c1) / (mxx + myy + options.ssim_c1)
    structure = (2 * sxy + options.ssim_c2) / (sx + sy + options.ssim_c2)
    return (luminance * structure).sum(), n * c * rows * columns


def motion_loss_reference(
    target: Tensor,
    source: Tensor,
    flow: Tensor,
    options: Options,
    warp: Callable[[Tensor, Tensor, str], Tensor] = backward_warp_reference,
) -> tuple[Tensor, Tensor]:
    """The weighted loss and the three parts, (3,): photometric, smoothness, ssim.

    See :func:`flowzoo_kernels.motion_loss`. warp: another function for the same step.
    """
    dtype = compute_dtype(flow)
    n, c, h, w = target.shape
    pairs = flow.shape[1] // 2
    with without_autocast(flow.device):
        target, source, flow = (t.to(dtype) for t in (target, source, flow))
        # one pair after another along the batch
        frames = source.unflatten(1, (pairs, -1)).flatten(0, 1)
        vectors = options.flow_scale * flow.unflatten(1, (pairs, 2)).flatten(0, 1)
        warped = warp(frames, vectors, "zeros").view(n, c, h, w)

        border = border_width(h, w, options.border)
        inner = ..., slice(border, h - border), slice(border, w - border)
        photometric_by, smoothness_by, ssim_by = divisors(target.shape, pairs, options)
        photometric = charbonnier(
            (target - warped)[inner],
            options.photometric_alpha,
            options.photometric_beta,
            options.epsilon,
        )
        dx = F.pad(flow[..., 1:] - flow[..., :-1], (0, 1))
        dy = F.pad(flow[..., 1:, :] - flow[..., :-1, :], (0, 0, 0, 1))
        smoothness = charbonnier(
            torch.stack([dx, dy])[inner],
            options.smoothness_alpha,
            options.smoothness_beta,
            options.epsilon,
        )
        similar, count = ssim(warped, target, options)
        parts = torch.stack(
            [
                photometric.sum() / photometric_by,
                smoothness.sum() / smoothness_by,
                (count - similar) / ssim_by,
            ]
        )
        return sum(w * p for w, p in zip(options.weights, parts, strict=True)), parts
