"""From the sums that a backward pass makes to the gradients of the parameters."""

from torch import Tensor

# Layout of the sums: gradient of tau / theta, gradient of lam * theta, the four taps of
# theta * divergence, then the taps of the flow kernel, then those of the image kernel.
DIV, FLOW = 2, 6


def parameter_gradients(
    sums: Tensor,
    kernels: tuple[Tensor, ...],
    scalars: tuple[Tensor, ...],
    variant: str,
    needs: list[bool],
) -> list[Tensor]:
    """Gradients of image, flow and divergence kernel, theta, lam and tau.

    Args:
        sums: (C, at least all taps), float64.
        kernels, scalars: the parameters, whose types and shapes the gradients get.
        variant: 'paper' or 'tvl1'.
        needs: of x, these six and possibly others; others get an empty one.
    """
    image, flow, div = kernels
    theta, lam, tau = (s.detach().double().reshape(()) for s in scalars)
    step_sum, bound_sum = sums[:, 0].sum(), sums[:, 1].sum()
    if variant == "paper":
        sums = sums.sum(0, keepdim=True)
    image_taps, flow_taps = (k.numel() // len(sums) for k in (image, flow))
    div_sum = sums[:, DIV:FLOW].reshape(div.shape)
    through_div = (div_sum * div.detach()).sum()
    image_begin = FLOW + flow_taps
    gradients = (
        sums[:, image_begin : image_begin + image_taps],
        sums[:, FLOW:image_begin],
        theta * div_sum,
        through_div + lam * bound_sum - tau / theta**2 * step_sum,
        theta * bound_sum,
        step_sum / theta,
    )
    return [
        p.new_empty(p.shape).copy_(g.reshape(p.shape)) if need else p.new_empty(0)
        for g, p, need in zip(gradients, (*kernels, *scalars), needs[1:7], strict=True)
    ]
