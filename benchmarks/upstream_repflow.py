"""The authors' first public layer, transcribed independently of the operator.

Its case distinction is written with boolean masks and index assignment, as theirs;
the third mask is `~` of the others (their `^ 1` makes an integer index today).
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def _forward_gradient(u: Tensor, kx: Tensor, ky: Tensor) -> tuple[Tensor, Tensor]:
    channels = u.shape[1]
    gx = F.conv2d(F.pad(u, (0, 1, 0, 0)), kx, groups=channels)
    gx[:, :, :, -1] = 0
    gy = F.conv2d(F.pad(u, (0, 0, 0, 1)), ky, groups=channels)
    gy[:, :, -1, :] = 0
    return gx, gy


def _divergence(px: Tensor, py: Tensor, kx: Tensor, ky: Tensor) -> Tensor:
    channels = px.shape[1]
    tx = F.pad(px[:, :, :, :-1], (1, 0, 0, 0))
    ty = F.pad(py[:, :, :-1, :], (0, 0, 1, 0))
    gx = F.conv2d(F.pad(tx, (0, 1, 0, 0)), kx, groups=channels)
    gy = F.conv2d(F.pad(ty, (0, 0, 0, 1)), ky, groups=channels)
    return gx + gy


def upstream_layer(
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    n_iters: int,
) -> Tensor:
    """Same arguments and result as the operator with variant 'tvl1'; H, W >= 2."""
    n, c, t, h, w = x.shape
    first = x[:, :, :-1].permute(0, 2, 1, 3, 4).reshape(n * (t - 1), c, h, w)
    second = x[:, :, 1:].permute(0, 2, 1, 3, 4).reshape(n * (t - 1), c, h, w)
    ix, iy = image_kernel[:, 0, None, None, :], image_kernel[:, 1, None, :, None]
    fx, fy = flow_kernel[:, 0, None, None, :], flow_kernel[:, 1, None, :, None]
    dx, dy = div_kernel[:, 0, None, None, :], div_kernel[:, 1, None, :, None]

    grad_x = F.conv2d(F.pad(second, (1, 1, 0, 0)), ix, groups=c)
    grad_x[:, :, :, 0] = 0.5 * (first[:, :, :, 1] - first[:, :, :, 0])
    grad_x[:, :, :, -1] = 0.5 * (first[:, :, :, -1] - first[:, :, :, -2])
    grad_y = F.conv2d(F.pad(second, (0, 0, 1, 1)), iy, groups=c)
    grad_y[:, :, 0, :] = 0.5 * (first[:, :, 1, :] - first[:, :, 0, :])
    grad_y[:, :, -1, :] = 0.5 * (first[:, :, -1, :] - first[:, :, -2, :])

    u1, u2 = torch.zeros_like(first), torch.zeros_like(first)
    p11, p12 = torch.zeros_like(first), torch.zeros_like(first)
    p21, p22 = torch.zeros_like(first), torch.zeros_like(first)
    squared = grad_x**2 + grad_y**2 + 1e-12
    constant = second - grad_x * u1 - grad_y * u2 - first
    bound = lam * theta
    step = tau / theta
    for _ in range(n_iters):
        rho = constant + grad_x * u1 + grad_y * u2 + 1e-12
        v1, v2 = torch.zeros_like(first), torch.zeros_like(first)
        low = (rho < -bound * squared).detach()
        v1[low] = (bound * grad_x)[low]
        v2[low] = (bound * grad_y)[low]
        high = (rho > bound * squared).detach()
        v1[high] = (-bound * grad_x)[high]
        v2[high] = (-bound * grad_y)[high]
        rest = (~low & ~high & (squared > 1e-12)).detach()
        v1[rest] = ((-rho / squared) * grad_x)[rest]
        v2[rest] = ((-rho / squared) * grad_y)[rest]
        v1 = v1 + u1
        v2 = v2 + u2
        u1 = v1 + theta * _divergence(p11, p12, dx, dy)
        u2 = v2 + theta * _divergence(p21, p22, dx, dy)
        u1x, u1y = _forward_gradient(u1, fx, fy)
        u2x, u2y = _forward_gradient(u2, fx, fy)
        d1 = 1.0 + step * torch.sqrt(u1x**2 + u1y**2 + 1e-12)
        d2 = 1.0 + step * torch.sqrt(u2x**2 + u2y**2 + 1e-12)
        p11, p12 = (p11 + step * u1x) / d1, (p12 + step * u1y) / d1
        p21, p22 = (p21 + step * u2x) / d2, (p22 + step * u2y) / d2
    flow = torch.cat([u1, u2], dim=1).reshape(n, t - 1, 2 * c, h, w)
    return flow.permute(0, 2, 1, 3, 4)
