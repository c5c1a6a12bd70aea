"""The energy that the representation-flow iteration lowers."""

import torch
from torch import Tensor

from flowzoo_kernels import RepresentationFlow
from flowzoo_kernels.modules import normalize_maps
from flowzoo_kernels.repflow.reference import LINEAR_PARTS, iterate


def flow_energy(
    x: Tensor,
    flow: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    lam: Tensor | float,
    variant: str,
) -> Tensor:
    """Total variation of the flow and the brightness that it leaves unexplained.

    Piergiovanni and Ryoo, "Representation Flow for Action Recognition", Eq. 7, as the
    iteration has it: a mean over the maps of

        |grad u1| + |grad u2| + lam * |F2 - F1 + grad F2 . u|

    that is, the brightness constancy is linearised as in rho of Eq. 2, for the layer
    does not warp. The derivatives are those of the variant, border quirks included.

    Args:
        x: (N, C, T, H, W), normalized as the operator takes it.
        flow: (N, 2C, T-1, H, W), as :func:`flowzoo_kernels.representation_flow`
            returns it.
        image_kernel, flow_kernel, lam, variant: as of the operator.

    The iteration need not lower it in every step, and with variant 'paper', whose Sobel
    filters are not normalized and whose divergence is not their adjoint, does not.

    Returns:
        (N, C, T-1), the energy of each pair of maps.
    """
    image_gradient, gradient, _ = LINEAR_PARTS[variant]
    f1, f2 = x[:, :, :-1], x[:, :, 1:]
    u1, u2 = flow.chunk(2, dim=1)
    gx, gy = image_gradient(f1, f2, image_kernel)
    data = (f2 - f1 + gx * u1 + gy * u2).abs()
    smoothness = sum(torch.hypot(*gradient(u, flow_kernel)) for u in (u1, u2))
    return (smoothness + lam * data).mean((3, 4))


@torch.no_grad()
def energy_by_iteration(
    layer: RepresentationFlow, x: Tensor, n_iters: int
) -> tuple[Tensor, Tensor]:
    """Energy after 0, 1, ..., n_iters iterations of a layer.

    Args:
        layer: gives variant, parameters and normalization; its own number of
            iterations does not matter.
        x: (N, C, T, H, W), T >= 2, before normalization.
        n_iters: at least 1.

    Returns:
        Energies (n_iters + 1, N, C, T-1), and the flow after the last iteration.
    """
    x = x.detach().float()
    maps = normalize_maps(x, layer.normalize)
    f1, f2 = maps[:, :, :-1], maps[:, :, 1:]
    gradient, rho_c = (
        LINEAR_PARTS[layer.variant][0](f1, f2, layer.image_kernel),
        f2 - f1,
    )
    kernels = layer.flow_kernel, layer.div_kernel
    # a learned one counts as at least so much
    scalars = tuple(layer.scalar(name) for name in ("theta", "lam", "tau"))
    zero = torch.zeros_like(rho_c)
    u, p = (zero, zero), (zero,) * 4
    energies = []
    for number in range(n_iters + 1):
        if number:
            u, p = iterate(u, p, (*gradient, rho_c), kernels, scalars, 1, layer.variant)
        flow = torch.cat(u, dim=1)
        energies.append(
            flow_energy(
                maps, flow, layer.image_kernel, kernels[0], scalars[1], layer.variant
            )
        )
    return torch.stack(energies), flow
