import pytest
import torch
from repflow_inputs import make_maps, make_parameters

from flowzoo_kernels import representation_flow


def call(x=None, n_iters=3, variant="paper", backend="auto", **changed):
    x = make_maps((1, 2, 3, 4, 5)) if x is None else x
    known = variant if variant in ("paper", "tvl1", "released") else "paper"
    params = make_parameters(known, 2) | changed
    return representation_flow(
        x, *params.values(), n_iters=n_iters, variant=variant, backend=backend
    )


def test_the_unchanged_call_works():
    assert call().shape == (1, 4, 2, 4, 5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": torch.rand(1, 2, 4, 5)}, ValueError, "4 dimensions"),
        ({"x": torch.rand(1, 2, 1, 4, 5)}, ValueError, "T=1"),
        ({"x": torch.rand(1, 2, 3, 0, 5)}, ValueError, "empty"),
        ({"x": torch.ones(1, 2, 3, 4, 5, dtype=torch.int)}, TypeError, "floating"),
        ({"x": torch.rand(1, 2, 3, 4, 5).numpy()}, TypeError, "a ndarray.*tensor"),
        ({"n_iters": 0}, ValueError, "n_iters=0"),
        ({"n_iters": 2.5}, TypeError, "n_iters=2.5.* whole number"),
        ({"variant": "brox"}, ValueError, "'paper', 'tvl1', 'released'"),
        ({"backend": "cuda"}, ValueError, "'auto', 'triton', 'cpu', 'reference'"),
        ({"image_kernel": torch.rand(2, 5, 5)}, ValueError, r"needs \(2, 3, 3\)"),
        (
            {"variant": "tvl1", "flow_kernel": torch.rand(3, 2, 2)},
            ValueError,
            r"flow_kernel .*C=2 channels needs \(2, 2, 2\)",
        ),
        ({"div_kernel": torch.full((2, 2), torch.nan)}, ValueError, "div_kernel.*NaN"),
        ({"theta": torch.tensor(torch.nan)}, ValueError, "theta is nan"),
        ({"lam": torch.tensor(0.0)}, ValueError, "lam is 0.0"),
        ({"tau": torch.tensor([-1.0])}, ValueError, "tau is -1.0"),
        ({"tau": torch.tensor([1.0, 2.0])}, ValueError, "one number"),
        ({"theta": torch.tensor(1)}, TypeError, "theta is torch.int64"),
        ({"theta": 0.3}, TypeError, "theta is a float, but a tensor"),
        ({"div_kernel": [[-1, 1]] * 2}, TypeError, "div_kernel is a list"),
        ({"theta": torch.rand(1, device="meta")}, ValueError, "theta is on meta"),
    ],
)
def test_errors_say_what_was_wrong(arguments, error, message):
    with pytest.raises(error, match=message):
        call(**arguments)


def test_initial_flow():
    x, params = make_maps((1, 2, 3, 4, 5)), make_parameters("tvl1", 2).values()
    flow = torch.zeros(1, 4, 2, 4, 5)
    with pytest.raises(ValueError, match="initial_flow"):
        representation_flow(x, *params, 3, "tvl1", initial_flow=flow[:, :2])


def test_triton_needs_a_gpu_tensor():
    with pytest.raises(ValueError, match="triton"):
        call(backend="triton")


def test_double_precision_is_rejected_by_triton():
    x = make_maps((1, 1, 2, 4, 4), torch.float64)
    params = make_parameters("tvl1", 1, torch.float64).values()
    with pytest.raises(NotImplementedError, match="triton"):
        representation_flow(x, *params, 3, "tvl1", "triton")


def test_released_is_eager_only():
    for backend in ("cpu", "triton"):
        with pytest.raises(NotImplementedError, match=r"'released'; use .*'reference'"):
            call(variant="released", backend=backend)
