"""Representation flow: argument checks, choice of the backend, public function."""

from torch import Tensor

from .._common import checks
from .reference import VARIANTS, representation_flow_reference

# The variants each backend offers.
_BACKENDS_OF = {
    "paper": {"reference"},
    "tvl1": {"reference"},
    "released": {"reference"},
}


def _kernel_shapes(variant: str, channels: int) -> tuple[tuple[int, ...], ...]:
    if variant == "paper":
        return (2, 3, 3), (2, 3, 3), (2, 2)
    if variant == "tvl1":
        return (channels, 2, 3), (channels, 2, 2), (channels, 2, 2)
    dense = (2, channels, channels)
    return (*dense, 3), (*dense, 2), (*dense, 2)


def _check(
    x: Tensor,
    kernels: dict[str, Tensor],
    scalars: dict[str, Tensor],
    n_iters: int,
    variant: str,
) -> None:
    checks.check_choice("variant", variant, VARIANTS)
    if x.ndim != 5:
        raise ValueError(
            f"x has {x.ndim} dimensions, shape {tuple(x.shape)}; a sequence of feature "
            f"maps (N, C, T, H, W) is needed"
        )
    checks.check_floating("x", x)
    _, c, t, h, w = x.shape
    if t < 2:
        raise ValueError(
            f"x has T={t} frames, shape {tuple(x.shape)}; flow needs at least 2 "
            f"frames along dimension 2"
        )
    if min(c, h, w) < 1:
        raise ValueError(f"x has an empty channel or map, shape {tuple(x.shape)}")
    if n_iters < 1:
        raise ValueError(f"n_iters={n_iters}, but at least 1 iteration is needed")
    shapes = _kernel_shapes(variant, c)
    for (name, kernel), shape in zip(kernels.items(), shapes, strict=True):
        why = f"variant {variant!r} with C={c} channels"
        checks.check_shape(name, kernel, shape, why)
        checks.check_floating(name, kernel)
        checks.check_device(name, kernel, x.device)
        checks.check_finite(name, kernel)
    for name, scalar in scalars.items():
        checks.check_floating(name, scalar)
        checks.check_device(name, scalar, x.device)
        checks.check_positive_scalar(name, scalar)


def representation_flow(
    x: Tensor,
    image_kernel: Tensor,
    flow_kernel: Tensor,
    div_kernel: Tensor,
    theta: Tensor,
    lam: Tensor,
    tau: Tensor,
    n_iters: int,
    variant: str,
    backend: str = "auto",
) -> Tensor:
    """Flow between the consecutive frames of a sequence of feature maps.

    For every channel and every pair of consecutive frames F1, F2, ``n_iters`` steps of
    the TV-L1 iteration at one scale, without warping, from u = 0 (Piergiovanni and
    Ryoo, "Representation Flow for Action Recognition", Algorithm 1, Eq. 2 to 6).

    Convention: x is dimension 4 (to the right), y is dimension 3 (down); u points from
    F1 to F2, in pixels per frame for ``tvl1``, and in units of 8 pixels for ``paper``,
    whose Sobel filters are not normalised. Outside a map everything is 0 (``paper``)
    or as ``reference.py`` says (``tvl1``, ``released``).

    Args:
        x: (N, C, T, H, W), T >= 2, any strides. The scalars' usual values suit maps in
            [0, 255]. float32, float16, bfloat16 (computed in float32) or float64.
        image_kernel: derivative of F2, in correlation form, x direction first.
            ``paper`` (2, 3, 3); ``tvl1`` (C, 2, 3); ``released`` (2, C, C, 3).
        flow_kernel: derivative of u. ``paper`` (2, 3, 3); ``tvl1`` (C, 2, 2);
            ``released`` (2, C, C, 2).
        div_kernel: divergence of p, taps (previous, own). ``paper`` (2, 2), rows wx,
            wy; ``tvl1`` (C, 2, 2); ``released`` (2, C, C, 2).
        theta, lam, tau: one positive number each, as a tensor; theta is the coupling of
            u and v, lam the weight of the data term, tau the time step.
        n_iters: iterations, at least 1.
        variant: 'paper', 'tvl1' or 'released'.
        backend: 'auto' (by the device of x), 'triton', 'cpu' or 'reference'.

    Returns:
        (N, 2C, T-1, H, W) of x's dtype: channels 0..C-1 are u1 (x direction),
        C..2C-1 are u2 (y direction). Differentiable in x and in all parameters.

    Raises:
        ValueError: wrong rank, T < 2, an empty map, a kernel whose shape does not
            match, tensors on different devices, n_iters < 1, an unknown variant or
            backend; on CPU also a kernel that is not finite and a theta, lam or tau
            that is not positive (on other devices, and while tracing, values are not
            read because that would wait for the device).
        TypeError: a tensor that is not floating point.
        NotImplementedError: a backend that does not offer the variant.
        RuntimeError: a backend whose package is not installed.
    """
    kernels = {
        "image_kernel": image_kernel,
        "flow_kernel": flow_kernel,
        "div_kernel": div_kernel,
    }
    scalars = {"theta": theta, "lam": lam, "tau": tau}
    _check(x, kernels, scalars, n_iters, variant)
    checks.resolve_backend(backend, x.device, _BACKENDS_OF[variant])
    return representation_flow_reference(
        x, *kernels.values(), *scalars.values(), n_iters, variant
    )
