"""Inputs shared by the tests of the representation-flow operator."""

import torch
from torch import Tensor

from flowzoo_kernels import representation_flow
from flowzoo_kernels.repflow.reference import default_kernels

PARAMETERS = ("image_kernel", "flow_kernel", "div_kernel", "theta", "lam", "tau")


def make_parameters(
    variant: str, channels: int, dtype: torch.dtype = torch.float32, seed: int = 0
) -> dict[str, Tensor]:
    """The variant's parameters, moved off their symmetric start by up to 10 %."""
    g = torch.Generator().manual_seed(seed)
    kernels = default_kernels(variant, channels)
    if variant == "released":  # channels add up: keep the sum of order one
        kernels = tuple(k / channels for k in kernels)
    values = [*kernels, torch.tensor(0.3), torch.tensor(0.15), torch.tensor(0.25)]

    def jitter(v: Tensor) -> Tensor:
        noise = torch.rand(v.shape, generator=g, dtype=torch.float64)
        return (v * (0.95 + 0.1 * noise)).to(dtype)

    return {name: jitter(v) for name, v in zip(PARAMETERS, values, strict=True)}


def make_maps(
    shape: tuple[int, ...], dtype: torch.dtype = torch.float32, seed: int = 0
) -> Tensor:
    """Smooth moving blobs and noise in [0, 255], (N, C, T, H, W).

    Neighboring frames differ little enough that both cases of the clamp occur.
    """
    n, c, t, h, w = shape
    g = torch.Generator().manual_seed(seed)

    def rand(*size: int) -> Tensor:
        return torch.rand(*size, generator=g, dtype=torch.float64)

    phase = 6.3 * rand(n, c, 1, 1, 1)
    speed = 2 * rand(n, c, 1, 1, 1) - 1
    time = torch.arange(t, dtype=torch.float64).view(t, 1, 1)
    y = torch.arange(h, dtype=torch.float64).view(h, 1)
    x = torch.arange(w, dtype=torch.float64)
    waves = torch.sin(0.9 * x - 0.3 * speed * time + phase) + torch.cos(
        0.7 * y + 0.4 * speed * time - phase
    )
    return (127 + 50 * waves + 8 * rand(n, c, t, h, w)).to(dtype)


# What a result may be off by where the eager one happens to be exact, relative to the
# largest value.
ATOL = {
    torch.float64: 1e-12,
    torch.float32: 1e-6,
    torch.float16: 1e-3,
    torch.bfloat16: 8e-3,
}


def assert_as_exact_as_eager(
    name: str, result: Tensor, eager: Tensor, exact: Tensor
) -> None:
    """|result - exact| <= 2 |eager - exact| + atol, in the largest value."""
    assert result.dtype == eager.dtype, (name, result.dtype, eager.dtype)
    assert result.shape == eager.shape == exact.shape, name
    exact = exact.double()
    if exact.numel() == 0:
        return
    error = (result.double() - exact).abs().max()
    allowed = 2 * (eager.double() - exact).abs().max()
    allowed = allowed + ATOL[result.dtype] * exact.abs().max()
    assert error <= allowed, f"{name}: error {error:.2e}, allowed {allowed:.2e}"


def run_flow(
    backend: str,
    x: Tensor,
    params: dict[str, Tensor],
    grad: Tensor,
    n_iters: int,
    variant: str,
    dtype: torch.dtype | None = None,
) -> dict[str, Tensor]:
    """The result and every gradient; in ``dtype`` where given."""

    def leaf(t: Tensor) -> Tensor:
        return t.detach().to(dtype or t.dtype).requires_grad_()

    x, params = leaf(x), {name: leaf(p) for name, p in params.items()}
    arguments = (x, *params.values(), n_iters, variant, backend)
    out = representation_flow(*arguments)
    grads = torch.autograd.grad(
        out, [x, *params.values()], grad.to(out.dtype), materialize_grads=True
    )
    return {"out": out.detach(), **dict(zip(("x", *params), grads, strict=True))}


# The eager error of one number is a matter of luck: it is taken as the largest over so
# many more inputs like the first.
DRAWS = 5


def scalar_errors(values: dict[str, Tensor], exact: dict[str, Tensor]) -> dict:
    """How far off the gradients of theta, lam and tau are, each for itself."""
    names = PARAMETERS[3:]
    return {name: abs(float(values[name].double() - exact[name])) for name in names}


def check_against_reference(
    backend: str, x: Tensor, variant: str, n_iters: int
) -> None:
    """Result and gradients by the rule, on inputs of x's type and device."""
    params = make_parameters(variant, x.shape[1])
    if x.dtype == torch.float64:
        params = {name: p.double() for name, p in params.items()}
    params = {name: p.to(x.device) for name, p in params.items()}
    n, c, t, h, w = x.shape
    g = torch.Generator().manual_seed(3)
    grad = torch.randn(n, 2 * c, t - 1, h, w, generator=g).to(x)
    arguments = x, params, grad, n_iters, variant
    result = run_flow(backend, *arguments)
    eager = run_flow("reference", *arguments)
    exact = run_flow("reference", *arguments, dtype=torch.float64)
    eager_errors = scalar_errors(eager, exact)
    for seed in range(DRAWS):
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
        similar = (x * (1 + 0.01 * noise.to(x.device))).to(x.dtype)
        draw = similar, *arguments[1:]
        values = run_flow("reference", *draw)
        more = scalar_errors(values, run_flow("reference", *draw, dtype=torch.float64))
        eager_errors = {name: max(e, more[name]) for name, e in eager_errors.items()}
    for name, error in scalar_errors(result, exact).items():
        atol = ATOL[result[name].dtype] * abs(float(exact.pop(name)))
        allowed = 2 * eager_errors[name] + atol
        assert error <= allowed, f"{name}: error {error:.2e}, allowed {allowed:.2e}"
        assert result[name].dtype == eager[name].dtype
        assert result[name].shape == eager[name].shape
    for name, value in exact.items():
        assert_as_exact_as_eager(name, result[name], eager[name], value)
