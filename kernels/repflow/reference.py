"""Representation flow in eager PyTorch: the definition of the operator.

Piergiovanni and Ryoo, "Representation Flow for Action Recognition", section 3.2 and
Algorithm 1. Three variants of its linear parts; the iteration is the same.

Notes on where the variants come from and where they differ:

1. ``paper`` follows Eq. 6, 8, 9, 10. The paper *convolves* with Sobel filters, which
   flips them; here kernels are correlated, as everywhere in PyTorch, and stored
   flipped, so that a map that grows toward +x has a positive x derivative. Divergence
   then is minus the adjoint of the gradient up to scale; with the other sign the
   scheme would amplify noise instead of smoothing it.
2. ``tvl1`` is the authors' first public layer: each channel has its own 1D kernels. In
   the border columns and rows the image gradient is half the one-sided difference *of
   F1*, not F2. This is theirs and is kept. Where the map is one pixel wide it is 0.
3. ``released`` is the authors' last public layer, which made the published Kinetics
   weights: as ``tvl1``, with dense channel-mixing kernels, and with the gradient of u
   and the divergence taken vertically in both directions. Kept as well.
4. The three cases of Eq. 3 are one clamp of -rho / |grad F2|^2 to +-lambda*theta. Its
   gradient is that of the cases: to rho inside, to lambda*theta outside.
5. |grad F2|^2 and the square root have 1e-12 added, as in the authors' code. It is a
   tensor of one axis: the exporter to ONNX leaves out a number that is nearly 0.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .._common.precision import compute_dtype, without_autocast

VARIANTS = ("paper", "tvl1", "released")
EPS = 1e-12

Pair = tuple[Tensor, Tensor]


def default_kernels(variant: str, channels: int) -> tuple[Tensor, Tensor, Tensor]:
    """The image, flow and divergence kernels that a variant starts from.

    Returns float32 tensors: ``paper`` (2, 3, 3), (2, 3, 3), (2, 2); ``tvl1``
    (C, 2, 3), (C, 2, 2), (C, 2, 2); ``released`` (2, C, C, 3), (2, C, C, 2),
    (2, C, C, 2). The axis of length 2 that is no tap is the direction, x first.
    """
    difference = torch.tensor([-1.0, 1.0])
    central = torch.tensor([-0.5, 0.0, 0.5])
    if variant == "paper":
        sobel_x = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
        sobel = torch.stack([sobel_x, sobel_x.T])
        return sobel, sobel.clone(), difference.repeat(2, 1)
    if variant == "tvl1":
        shape = (channels, 2, 1)
    else:
        shape = (2, channels, channels, 1)
    return central.repeat(shape), difference.repeat(shape), difference.repeat(shape)


def _paper_gradient(u: Tensor, kernel: Tensor) -> Pair:
    planes = u.flatten(0, 2).unsqueeze(1)
    gx, gy = F.conv2d(planes, kernel.unsqueeze(1), padding=1).unbind(1)
    return gx.reshape(u.shape), gy.reshape(u.shape)


def _paper_image_gradient(_f1: Tensor, f2: Tensor, kernel: Tensor) -> Pair:
    return _paper_gradient(f2, kernel)


def _paper_divergence(px: Tensor, py: Tensor, kernel: Tensor) -> Tensor:
    wx, wy = kernel
    left, up = F.pad(px, (1, -1)), F.pad(py, (0, 0, 1, -1))
    return wx[0] * left + wx[1] * px + wy[0] * up + wy[1] * py


def _tap(weight: Tensor, u: Tensor) -> Tensor:
    """Scale the channels of u (N, C, T, H, W) by (C,), or mix them by (C, C)."""
    if weight.ndim == 2:
        return torch.einsum("oc,ncthw->nothw", weight, u)
    return weight.view(-1, 1, 1, 1) * u


def _central_difference(f1: Tensor, f2: Tensor, kernel: Tensor) -> Tensor:
    """Three taps of F2 along the last axis, one-sided difference of F1 at its ends."""
    k0, k1, k2 = kernel.unbind(-1)
    size = f2.shape[-1]
    if size == 1:
        return torch.zeros_like(f2)
    border = 0.5 * (f1[..., 1:] - f1[..., :-1])
    if size == 2:
        return border.expand_as(f2)
    inside = _tap(k0, f2[..., :-2]) + _tap(k1, f2[..., 1:-1]) + _tap(k2, f2[..., 2:])
    return torch.cat([border[..., :1], inside, border[..., -1:]], dim=-1)


def _forward_difference(u: Tensor, kernel: Tensor) -> Tensor:
    """Two taps along the last axis, 0 in its last place."""
    k0, k1 = kernel.unbind(-1)
    return F.pad(_tap(k0, u[..., :-1]) + _tap(k1, u[..., 1:]), (0, 1))


def _backward_difference(p: Tensor, kernel: Tensor) -> Tensor:
    """Two taps along the last axis, p taken as 0 before its first and at its last."""
    k0, k1 = kernel.unbind(-1)
    padded = F.pad(p[..., :-1], (1, 1))
    return _tap(k0, padded[..., :-1]) + _tap(k1, padded[..., 1:])


def _along_y(function: Callable[..., Tensor], *args: Tensor) -> Tensor:
    *maps, kernel = args
    return function(*(m.transpose(-1, -2) for m in maps), kernel).transpose(-1, -2)


def _tvl1_image_gradient(f1: Tensor, f2: Tensor, kernel: Tensor) -> Pair:
    kx, ky = kernel.unbind(1 if kernel.ndim == 3 else 0)
    gx = _central_difference(f1, f2, kx)
    return gx, _along_y(_central_difference, f1, f2, ky)


def _tvl1_gradient(u: Tensor, kernel: Tensor) -> Pair:
    kx, ky = kernel.unbind(1)
    return _forward_difference(u, kx), _along_y(_forward_difference, u, ky)


def _tvl1_divergence(px: Tensor, py: Tensor, kernel: Tensor) -> Tensor:
    kx, ky = kernel.unbind(1)
    return _backward_difference(px, kx) + _along_y(_backward_difference, py, ky)


def _released_gradient(u: Tensor, kernel: Tensor) -> Pair:
    kx, ky = kernel
    along_y = _along_y(_forward_difference, u, kx)
    return along_y, _along_y(_forward_difference, u, ky)


def _released_divergence(px: Tensor, py: Tensor, kernel: Tensor) -> Tensor:
    kx, ky = kernel
    along_y = _along_y(_backward_difference, px, kx)
    return along_y + _along_y(_backward_difference, py, ky)


# Of each variant: gradient of F2, gradient of u, divergence of p.
LINEAR_PARTS = {
    "paper": (_paper_image_gradient, _paper_gradient, _paper_divergence),
    "tvl1": (_tvl1_image_gradient, _tvl1_gradient, _tvl1_divergence),
    "released": (_tvl1_image_gradient, _released_gradient, _released_divergence),
}


def iterate(
    u: Pair,
    p: tuple[Tensor, ...],
    linearized: tuple[Tensor, Tensor, Tensor],
    kernels: Pair,
    scalars: tuple[Tensor, Tensor, Tensor],
    n_iters: int,
    variant: str,
) -> tuple[Pair, tuple[Tensor, ...]]:
    """Iterations from any state; returns u and p after them.

    Args:
        u: u1 and u2, (N, C, T, H, W) each.
        p: p11, p12, p21, p22, of the same shape.
        linearized: gx, gy and rho_c, so that the residual is rho_c + gx u1 + gy u2.
        kernels: flow and divergence kernels.
        scalars: theta, lam, tau.
    """
    _, gradient, divergence = LINEAR_PARTS[variant]
    (u1, u2), (p11, p12, p21, p22), (gx, gy, rho_c) = u, p, linearized
    flow_kernel, div_kernel = kernels
    theta, lam, tau = scalars
    eps = rho_c.new_full((1,), EPS)
    g2 = gx * gx + gy * gy + eps
    bound = lam * theta
    step = tau / theta
    for _ in range(n_iters):
        rho = rho_c + gx * u1 + gy * u2
        k = torch.clamp(-rho / g2, -bound, bound)
        v1, v2 = u1 + k * gx, u2 + k * gy
        u1 = v1 + theta * divergence(p11, p12, div_kernel)
        u2 = v2 + theta * divergence(p21, p22, div_kernel)
        u1x, u1y = gradient(u1, flow_kernel)
        u2x, u2y = gradient(u2, flow_kernel)
        d1 = 1 + step * torch.sqrt(u1x * u1x + u1y * u1y + eps)
        d2 = 1 + step * torch.sqrt(u2x * u2x + u2y * u2y + eps)
        p11, p12 = (p11 + step * u1x) / d1, (p12 + step * u1y) / d1
        p21, p22 = (p21 + step * u2x) / d2, (p22 + step * u2y) / d2
    return (u1, u2), (p11, p12, p21, p22)


def representation_flow_reference(
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    n_iters: int,
    variant: str,
    initial_flow: Tensor | None = None,
) -> Tensor:
    """See :func:`flowzoo_kernels.representation_flow`."""
    image_gradient = LINEAR_PARTS[variant][0]
    dtype = compute_dtype(x)
    with without_autocast(x.device):
        image_kernel = image_kernel.to(dtype)
        flow_kernel = flow_kernel.to(dtype)
        div_kernel = div_kernel.to(dtype)
        theta, lam, tau = (s.to(dtype).reshape(()) for s in (theta, lam, tau))

        frames = x.to(dtype)
        f1, f2 = frames[:, :, :-1], frames[:, :, 1:]
        gx, gy = image_gradient(f1, f2, image_kernel)
        rho_c = f2 - f1
        zero = torch.zeros_like(rho_c)
        u = zero, zero
        if initial_flow is not None:
            u = initial_flow.to(dtype).chunk(2, dim=1)
        linearized, kernels = (gx, gy, rho_c), (flow_kernel, div_kernel)
        scalars = theta, lam, tau
        u, _ = iterate(u, (zero,) * 4, linearized, kernels, scalars, n_iters, variant)
        return torch.cat(u, dim=1).to(x.dtype)
