"""Representation flow: argument checks, the fused operator, the public function."""

import importlib
from types import ModuleType

import torch
from torch import Tensor

from .._common import checks
from .reference import VARIANTS, representation_flow_reference

# The backends that offer each variant.
_BACKENDS_OF = {
    "paper": {"reference", "cpu", "triton"},
    "tvl1": {"reference", "cpu", "triton"},
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


def _implementation(backend: str) -> ModuleType:
    # Numba and Triton take long to import and are needed on first use only.
    name = {"cpu": "cpu", "triton": "gpu_launch"}[backend]
    return importlib.import_module(f".{name}", __package__)


_SCHEMA = (
    "Tensor x, Tensor image_kernel, Tensor flow_kernel, Tensor div_kernel, "
    "Tensor theta, Tensor lam, Tensor tau, int n_iters, str variant, str backend"
)
_GRADIENTS = ", ".join(["Tensor"] * 7)


@torch.library.custom_op(
    "flowzoo::representation_flow",
    mutates_args=(),
    schema=f"({_SCHEMA}) -> Tensor",
)
def _forward(x, *arguments):
    *arguments, backend = arguments
    return _implementation(backend).forward(x, *arguments)


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
    return _implementation(backend).backward(grad, x, *arguments, needs)


@_backward.register_fake
def _(grad, x, *arguments):
    parameters, needs = arguments[:6], arguments[-1]
    x_grad = torch.empty_like(x) if needs[0] else x.new_empty(0)
    return x_grad, *(p.new_empty(p.shape) for p in parameters)


def _save_for_backward(ctx, inputs, output) -> None:
    *tensors, ctx.n_iters, ctx.variant, ctx.backend = inputs
    ctx.save_for_backward(*tensors)


def _differentiate(ctx, grad):
    needs = list(ctx.needs_input_grad[:7])
    options = ctx.n_iters, ctx.variant, ctx.backend
    grads = _Backward.apply(grad, *ctx.saved_tensors, *options, needs)
    grads = (g if need else None for g, need in zip(grads, needs, strict=True))
    return *grads, None, None, None


def _save_nothing(ctx, inputs, output) -> None:
    pass


def _refuse(ctx, *grads):
    raise NotImplementedError(
        "the fused representation_flow has no second derivative; "
        "use backend='reference'"
    )


def _refuse_forward_mode(ctx, *tangents):
    raise NotImplementedError(
        "the fused representation_flow has no forward-mode derivative; use reverse "
        "mode (torch.func.jacrev) or backend='reference'"
    )


_forward.register_autograd(_differentiate, setup_context=_save_for_backward)
_backward.register_autograd(_refuse, setup_context=_save_nothing)


# torch.func differentiates a torch.autograd.Function that has a setup_context. What
# torch.library makes of register_autograd has none, and takes a forward-mode
# derivative to be 0.
class _Forward(torch.autograd.Function):
    generate_vmap_rule = True
    forward = staticmethod(lambda *arguments: _forward(*arguments))
    setup_context = staticmethod(_save_for_backward)
    backward = staticmethod(_differentiate)
    jvp = staticmethod(_refuse_forward_mode)


class _Backward(torch.autograd.Function):
    generate_vmap_rule = True
    forward = staticmethod(lambda *arguments: _backward(*arguments))
    setup_context = staticmethod(_save_nothing)
    backward = staticmethod(_refuse)
    jvp = staticmethod(_refuse_forward_mode)


def _one_by_one(operator, info, in_dims, args):
    """vmap by a loop: every tensor of one example, then the results stacked."""

    def example(i: int) -> list:
        pairs = zip(args, in_dims, strict=True)
        return [a if d is None else a.select(d, i) for a, d in pairs]

    return [operator(*example(i)) for i in range(info.batch_size)]


@_forward.register_vmap
def _(info, in_dims, *args):
    if in_dims[0] is not None and all(d is None for d in in_dims[1:]):
        x = args[0].movedim(in_dims[0], 0)
        out = _forward(x.flatten(0, 1), *args[1:])
        return out.unflatten(0, x.shape[:2]), 0
    return torch.stack(_one_by_one(_forward, info, in_dims, args)), 0


@_backward.register_vmap
def _(info, in_dims, *args):
    in_dims = [None if isinstance(d, list | tuple) else d for d in in_dims]
    results = _one_by_one(_backward, info, in_dims, args)
    return tuple(torch.stack(r) for r in zip(*results, strict=True)), (0,) * 7


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
    supported = _BACKENDS_OF[variant]
    if x.dtype == torch.float64:
        supported = supported - {"triton"}
    backend = checks.resolve_backend(backend, x.device, supported)
    arguments = x, *kernels.values(), *scalars.values(), n_iters, variant
    if backend == "reference":
        return representation_flow_reference(*arguments)
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        # which look for operators, not for what _Forward makes of them
        return _forward(*arguments, backend)
    return _Forward.apply(*arguments, backend)
