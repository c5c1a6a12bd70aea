"""Checks shared by the tests of the representation-flow operator."""

import torch
from repflow_inputs import PARAMETERS, make_parameters
from torch import Tensor

from flowzoo_kernels import representation_flow
from flowzoo_kernels.repflow.reference import default_kernels

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
    frozen: str | None = None,
    initial_flow: Tensor | None = None,
) -> dict[str, Tensor]:
    """The result and gradients, but not that of ``frozen``; in ``dtype`` if given."""

    def leaf(t: Tensor, needed: bool = True) -> Tensor:
        return t.detach().to(dtype or t.dtype).requires_grad_(needed)

    x = leaf(x)
    params = {name: leaf(p, name != frozen) for name, p in params.items()}
    arguments = (x, *params.values(), n_iters, variant, backend)
    leaves = {"x": x, **params}
    if initial_flow is not None:
        leaves["initial_flow"] = leaf(initial_flow)
    out = representation_flow(*arguments, leaves.get("initial_flow"))
    leaves.pop(frozen, None)
    grads = torch.autograd.grad(
        out, list(leaves.values()), grad.to(out.dtype), materialize_grads=True
    )
    return {"out": out.detach(), **dict(zip(leaves, grads, strict=True))}


# The eager error of one number is a matter of luck: where it allows too little, it is
# taken as the largest over up to so many more inputs like the first.
DRAWS = 16


def scalar_errors(values: dict[str, Tensor], exact: dict[str, Tensor]) -> dict:
    """How far off the gradients of theta, lam and tau are, each for itself."""
    names = PARAMETERS[3:]
    return {name: abs(float(values[name].double() - exact[name])) for name in names}


def check_against_reference(
    backend: str,
    x: Tensor,
    variant: str,
    n_iters: int,
    initial: bool = False,
    sobel: bool = False,
) -> None:
    """Result and gradients by the rule, on inputs of x's type and device.

    initial: from a random initial flow, whose gradient is one more. sobel: with the
    flow kernel that `paper` starts from.
    """
    params = make_parameters(variant, x.shape[1])
    if sobel:
        params["flow_kernel"] = default_kernels(variant, x.shape[1])[1]
    if x.dtype == torch.float64:
        params = {name: p.double() for name, p in params.items()}
    params = {name: p.to(x.device) for name, p in params.items()}
    n, c, t, h, w = x.shape
    g = torch.Generator().manual_seed(3)
    grad = torch.randn(n, 2 * c, t - 1, h, w, generator=g).to(x)
    arguments = x, params, grad, n_iters, variant
    options = {}
    if initial:
        options["initial_flow"] = torch.randn(grad.shape, generator=g).to(x)
    result = run_flow(backend, *arguments, **options)
    eager = run_flow("reference", *arguments, **options)
    exact = run_flow("reference", *arguments, dtype=torch.float64, **options)
    errors, eager_errors = scalar_errors(result, exact), scalar_errors(eager, exact)

    def is_too_large(name: str) -> bool:
        atol = ATOL[result[name].dtype] * abs(float(exact[name]))
        return not errors[name] <= 2 * eager_errors[name] + atol

    for seed in range(DRAWS):
        if not any(map(is_too_large, errors)):
            break
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
        similar = (x * (1 + 0.01 * noise.to(x.device))).to(x.dtype)
        draw = similar, *arguments[1:]
        values = run_flow("reference", *draw, **options)
        wide = run_flow("reference", *draw, dtype=torch.float64, **options)
        more = scalar_errors(values, wide)
        eager_errors = {name: max(e, more[name]) for name, e in eager_errors.items()}
    for name, value in exact.items():
        if name in errors:
            assert not is_too_large(name), (name, errors[name], eager_errors[name])
            assert result[name].dtype == eager[name].dtype
            assert result[name].shape == eager[name].shape
        else:
            assert_as_exact_as_eager(name, result[name], eager[name], value)
