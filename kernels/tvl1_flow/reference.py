"""Multi-scale TV-L1 flow in eager PyTorch: the definition of the operator.

Zach, Pock, Bischof, "A Duality Based Approach for Realtime TV-L1 Optical Flow", 2007;
Sanchez, Meinhardt-Llopis, Facciolo, "TV-L1 Optical Flow Estimation", IPOL 2013. Notes,
where implementations differ; OpenCV's DualTVL1OpticalFlow is followed:

1. The dual variables are set to 0 for each scale, not for each warp.
2. The gradient is the central one of the second frame, sampled after it was computed,
   not the gradient of the sampled frame. In the first and the last column (row) it is
   half of the one-sided difference.
3. Pixels outside the frame count as 0, in the frame and in its gradient: where the flow
   leaves the frame there is no data term.
4. Sampling is exact; OpenCV rounds the place to 1/32 of a pixel.
5. The median filter replicates the border.
6. The iterations of a warp end after the first one whose mean squared change of the
   flow is at most epsilon^2. Each pair ends for itself.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .options import Options, level_sizes

# Where the squared gradient is not above this there is no data term.
MIN_GRADIENT = 1.1920929e-07


def _linear_taps(size: int, new: int, ratio: float, like: Tensor):
    """Bilinear resizing of one axis: left neighbors, right neighbors, their weights.

    ratio: old pixels per new one.
    """
    place = (torch.arange(new, dtype=torch.float64) + 0.5) * ratio - 0.5
    place = place.clamp(0, size - 1)
    left = place.floor().long().clamp(max=max(size - 2, 0))
    right = (left + 1).clamp(max=size - 1)
    weight = (place - left).to(like.dtype)
    return left.to(like.device), right.to(like.device), weight.to(like.device)


def resize(images: Tensor, size: tuple[int, int], ratios: tuple[float, float]):
    """images (..., H, W) at ``size``; pixel centers correspond."""
    above, below, fy = _linear_taps(images.shape[-2], size[0], ratios[0], images)
    left, right, fx = _linear_taps(images.shape[-1], size[1], ratios[1], images)
    fy = fy.unsqueeze(1)
    rows = images[..., above, :] * (1 - fy) + images[..., below, :] * fy
    return rows[..., left] * (1 - fx) + rows[..., right] * fx


def central_gradient(images: Tensor) -> tuple[Tensor, Tensor]:
    """Along x and along y."""
    padded = F.pad(images.unsqueeze(1), (1, 1, 1, 1), "replicate").squeeze(1)
    gx = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
    gy = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
    return gx, gy


def _tap_weights(f: Tensor, interpolation: str) -> list[Tensor]:
    """Weights of the four pixels around a place at fraction ``f`` after the second."""
    if interpolation == "bilinear":
        zero = torch.zeros_like(f)
        return [zero, 1 - f, f, zero]
    a = -0.75
    first = ((a * (f + 1) - 5 * a) * (f + 1) + 8 * a) * (f + 1) - 4 * a
    second = ((a + 2) * f - (a + 3)) * f * f + 1
    g = 1 - f
    third = ((a + 2) * g - (a + 3)) * g * g + 1
    return [first, second, third, 1 - first - second - third]


def _sample(images: list[Tensor], u: Tensor, v: Tensor, interpolation: str):
    """Each of images (P, H, W) at (x + u, y + v)."""
    p, h, w = u.shape
    x0, y0 = u.floor(), v.floor()
    wx, wy = _tap_weights(u - x0, interpolation), _tap_weights(v - y0, interpolation)
    x0 = torch.arange(w, device=u.device) + x0.clamp(-w - 4, w + 4).long()
    y0 = torch.arange(h, device=u.device).view(-1, 1) + y0.clamp(-h - 4, h + 4).long()
    totals = [torch.zeros_like(u) for _ in images]
    for j in range(4):
        for i in range(4):
            x, y = x0 + (i - 1), y0 + (j - 1)
            inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
            place = (y.clamp(0, h - 1) * w + x.clamp(0, w - 1)).flatten(1)
            weight = torch.where(inside, wx[i] * wy[j], 0.0)
            for total, image in zip(totals, images, strict=True):
                total += weight * image.flatten(1).gather(1, place).view(p, h, w)
    return totals


def median_filter(images: Tensor, side: int) -> Tensor:
    """The median of side x side pixels around each of images (P, H, W)."""
    if side == 1:
        return images
    margin = side // 2
    padded = F.pad(images.unsqueeze(1), (margin,) * 4, "replicate").squeeze(1)
    windows = padded.unfold(1, side, 1).unfold(2, side, 1).flatten(3)
    return windows.median(dim=3).values


def _divergence(px: Tensor, py: Tensor) -> Tensor:
    return px - F.pad(px, (1, 0))[..., :-1] + py - F.pad(py, (0, 0, 1, 0))[..., :-1, :]


def _forward_gradient(u: Tensor) -> tuple[Tensor, Tensor]:
    """Along x and along y; 0 in the last column and the last row."""
    ux = F.pad(u[..., 1:] - u[..., :-1], (0, 1))
    uy = F.pad(u[..., 1:, :] - u[..., :-1, :], (0, 0, 0, 1))
    return ux, uy


def iteration(u, p, gx, gy, rho_c, options: Options) -> tuple[Tensor, Tensor]:
    """One inner iteration.

    u: (P, 2, H, W). p: (P, 2, 2, H, W), of each component of u along x and y. gx, gy,
    rho_c: (P, H, W), gradient and constant part of the residual.
    """
    squared = gx * gx + gy * gy
    inverse = torch.where(squared > MIN_GRADIENT, 1 / squared, 0.0)
    bound = options.lam * options.theta
    rho = rho_c + gx * u[:, 0] + gy * u[:, 1]
    step = (-rho * inverse).clamp(-bound, bound)
    v = u + torch.stack([step * gx, step * gy], dim=1)
    u = v + options.theta * _divergence(p[:, :, 0], p[:, :, 1])
    ratio = options.tau / options.theta
    ux, uy = _forward_gradient(u)
    length = torch.sqrt(ux * ux + uy * uy)
    gradient = torch.stack([ux, uy], dim=2)
    p = (p + ratio * gradient) / (1 + ratio * length).unsqueeze(2)
    return u, p


def _warp(i0, i1, u, p, options: Options) -> tuple[Tensor, Tensor]:
    """One warp: linearize at the flow u, iterate."""
    images = [i1, *central_gradient(i1)]
    i1w, gx, gy = _sample(images, u[:, 0], u[:, 1], options.interpolation)
    rho_c = i1w - gx * u[:, 0] - gy * u[:, 1] - i0
    limit = options.epsilon**2 * i0[0].numel()
    active = torch.ones(len(u), dtype=torch.bool, device=u.device)
    for n in range(options.outer_iterations * options.inner_iterations):
        if n % options.inner_iterations == 0:
            filtered = median_filter(u.flatten(0, 1), options.median).view_as(u)
            u = torch.where(active.view(-1, 1, 1, 1), filtered, u)
        new_u, new_p = iteration(u, p, gx, gy, rho_c, options)
        change = ((new_u - u) ** 2).sum(dim=(1, 2, 3), dtype=torch.float64)
        u = torch.where(active.view(-1, 1, 1, 1), new_u, u)
        p = torch.where(active.view(-1, 1, 1, 1, 1), new_p, p)
        active = active & (change > limit)
        if not active.any():
            break
    return u, p


def pyramid(images: Tensor, sizes, step: float) -> list[Tensor]:
    levels = [images]
    for size in sizes[1:]:
        levels.append(resize(levels[-1], size, (1 / step, 1 / step)))
    return levels


def tvl1_flow_reference(gray: Tensor, initial: Tensor | None, options: Options):
    """The flow (N, 2, T - 1, H, W) of gray frames (N, T, H, W) in [0, 255].

    See :func:`flowzoo_kernels.tvl1_flow`. initial: (N, 2, T - 1, H, W) or None.
    """
    n, t, h, w = gray.shape
    sizes = level_sizes(h, w, options)
    step = options.scale_step
    first = pyramid(gray[:, :-1].flatten(0, 1), sizes, step)
    second = pyramid(gray[:, 1:].flatten(0, 1), sizes, step)
    if initial is None:
        u = gray.new_zeros((n * (t - 1), 2, *sizes[-1]))
    else:
        u = initial.to(gray.dtype).transpose(1, 2).flatten(0, 1)
        u = pyramid(u, sizes, step)[-1] * step ** (len(sizes) - 1)
    for level in reversed(range(len(sizes))):
        size = sizes[level]
        if level < len(sizes) - 1:
            ratios = u.shape[-2] / size[0], u.shape[-1] / size[1]
            u = resize(u, size, ratios) / step
        p = u.new_zeros((len(u), 2, 2, *size))
        for _ in range(options.warps):
            u, p = _warp(first[level], second[level], u, p, options)
    return u.unflatten(0, (n, t - 1)).transpose(1, 2)
