"""Representation flow: argument checks, the fused operator, the public function."""

import torch
from torch import Tensor

from .._common import checks, operators
from .._common.exporting import not_scriptable
from .reference import VARIANTS, representation_flow_reference


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
    checks.check_maps("x", x, "(N, C, T, H, W)")
    _, c, t, h, w = x.shape
    if t < 2:
        raise ValueError(
            f"x has T={t} frames, shape {tuple(x.shape)}; flow needs at least 2 "
            f"frames along dimension 2"
        )
    if min(c, h, w) < 1:
        raise ValueError(f"x has an empty channel or map, shape {tuple(x.shape)}")
    checks.check_positive_int("n_iters", n_iters, "iteration")
    shapes = _kernel_shapes(variant, c)
    for (name, kernel), shape in zip(kernels.items(), shapes, strict=True):
        why = f"variant {variant!r} with C={c} channels"
        checks.check_floating(name, kernel)
        checks.check_shape(name, kernel, shape, why)
        checks.check_device(name, kernel, x.device)
        checks.check_finite(name, kernel)
    for name, scalar in scalars.items():
        checks.check_floating(name, scalar)
        checks.check_device(name, scalar, x.device)
        checks.check_positive_scalar(name, scalar)


def _check_initial_flow(initial_flow: Tensor, x: Tensor) -> None:
    n, c, t, h, w = x.shape
    why = f"x of shape {tuple(x.shape)}"
    checks.check_floating("initial_flow", initial_flow)
    checks.check_shape("initial_flow", initial_flow, (n, 2 * c, t - 1, h, w), why)
    checks.check_device("initial_flow", initial_flow, x.device)


_SCHEMA = (
    "Tensor x, Tensor image_kernel, Tensor flow_kernel, Tensor div_kernel, "
    "Tensor theta, Tensor lam, Tensor tau, Tensor? initial_flow, int n_iters, "
    "str variant, str backend"
)
_GRADIENTS = ", ".join(["Tensor"] * 8)


@torch.library.custom_op(
    "flowzoo::representation_flow",
    mutates_args=(),
    schema=f"({_SCHEMA}) -> Tensor",
)
def _forward(x, *arguments):
    *arguments, backend = arguments
    if backend == "triton":  # imported when first used: Numba and Triton take long
        from . import gpu

        return gpu.forward(x, *arguments)
    from . import cpu

    return cpu.forward(x, *arguments)


@_forward.register_fake
def _(x, *arguments):
    n, c, t, h, w = x.shape
    return x.new_empty((n, 2 * c, t - 1, h, w))


@torch.library.custom_op(
    "flowzoo::representation_flow_backward",
    mutates_args=(),
    schema=f"(Tensor grad, {_SCHEMA}, bool[] needs) -> ({_GRADIENTS})",
)
def _backward(grad, x, *arguments):
    *arguments, backend, needs = arguments
    if backend == "triton":
        from . import gpu

        return gpu.backward(grad, x, *arguments, needs)
    from . import cpu

    return cpu.backward(grad, x, *arguments, needs)


@_backward.register_fake
def _(grad, x, *arguments):
    need_x, *needs, need_initial = arguments[-1]
    x_grad = torch.empty_like(x) if need_x else x.new_empty(0)
    each = zip(arguments[:6], needs, strict=True)
    grads = [p.new_empty(p.shape if need else 0) for p, need in each]
    like = arguments[6] if need_initial else x.new_empty(0, dtype=torch.float32)
    return x_grad, *grads, like.new_empty(like.shape)


_function = operators.differentiable(
    "representation_flow", _forward, _backward, tensors=8
)


@_forward.register_vmap
def _(info, in_dims, *args):
    alone = all(d is None for d in in_dims[1:]) and args[7] is None
    if in_dims[0] is not None and alone:  # as if there were more clips
        x = args[0].movedim(in_dims[0], 0)
        out = _forward(x.flatten(0, 1), *args[1:])
        return out.unflatten(0, x.shape[:2]), 0
    return torch.stack(operators.vmap_loop(_forward, info, in_dims, args)), 0


@_backward.register_vmap
def _(info, in_dims, *args):
    results = operators.vmap_loop(_backward, info, in_dims, args)
    return tuple(torch.stack(r) for r in zip(*results, strict=True)), (0,) * 8


@not_scriptable
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
    initial_flow: Tensor | None = None,
) -> Tensor:
    """Flow between the consecutive frames of a sequence of feature maps.

    For every channel and every pair of consecutive frames F1, F2, ``n_iters`` steps of
    the TV-L1 iteration at one scale, without warping, from u = 0 or an initial flow
    (Piergiovanni and Ryoo, "Representation Flow for Action Recognition", Algorithm 1,
    Eq. 2 to 6).

    Convention: x is dimension 4 (to the right), y is dimension 3 (down); u points from
    F1 to F2, in pixels per frame for ``tvl1``, and in units of 8 pixels for ``paper``,
    whose Sobel filters are not normalized. Outside a map everything is 0 (``paper``)
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
        initial_flow: u to begin with, of the result's shape; 0 if None.

    Returns:
        (N, 2C, T-1, H, W) of x's dtype: channels 0..C-1 are u1 (x direction),
        C..2C-1 are u2 (y direction). Differentiable in x, in all parameters and in
        initial_flow.

    Raises:
        ValueError: wrong rank, T < 2, an empty map, a kernel whose shape does not
            match, tensors on different devices, n_iters < 1, an unknown variant or
            backend; on CPU also a kernel that is not finite and a theta, lam or tau
            that is not positive (on other devices, and while tracing, values are not
            read because that would wait for the device).
        TypeError: a tensor that is not floating point.
        NotImplementedError: a backend that does not offer the variant; a second or a
            forward-mode derivative of a fused backend.
        RuntimeError: a backend whose package is not installed.
    """
    kernels = {
        "image_kernel": image_kernel,
        "flow_kernel": flow_kernel,
        "div_kernel": div_kernel,
    }
    scalars = {"theta": theta, "lam": lam, "tau": tau}
    _check(x, kernels, scalars, n_iters, variant)
    excluded = {}
    if x.dtype == torch.float64:
        excluded["triton"] = "float64"
    if variant == "released":
        excluded["cpu"] = excluded["triton"] = "variant='released'"
    if initial_flow is not None:
        _check_initial_flow(initial_flow, x)
    backend = checks.resolve_backend(backend, x.device, excluded)
    parameters = *kernels.values(), *scalars.values()
    if backend == "reference":
        return representation_flow_reference(
            x, *parameters, n_iters, variant, initial_flow
        )
    arguments = *parameters, initial_flow, n_iters, variant, backend
    if operators.needs_function("representation_flow", (x, *arguments[:7])):
        return _function(x, *arguments)
    return _forward(x, *arguments)
