import pytest
import torch
from repflow_inputs import PARAMETERS, make_maps

from flowzoo_kernels import RepresentationFlow
from flowzoo_kernels.modules import normalize_maps

GROUPS = ("image", "flow", "divergence", "theta", "lam", "tau")


@pytest.mark.parametrize("variant", ["paper", "tvl1", "released"])
def test_forward_and_parameters(variant):
    module = RepresentationFlow(3, n_iters=4, variant=variant)
    assert set(module.state_dict()) == set(PARAMETERS)
    trained = {n for n, p in module.named_parameters() if p.requires_grad}
    assert trained == {"div_kernel", "theta", "lam", "tau"}
    out = module(make_maps((2, 3, 4, 7, 5)))
    assert out.shape == (2, 6, 3, 7, 5)
    out.square().mean().backward()
    for name, parameter in module.named_parameters():
        assert (parameter.grad is not None) == (name in trained)
    copy = RepresentationFlow(3, n_iters=4, variant=variant)
    copy.load_state_dict(module.state_dict())


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_alone(group):
    # small values: the data term reaches its limits, which lam sets
    module = RepresentationFlow(2, n_iters=3, learn=(group,), normalize=None)
    torch.manual_seed(0)
    module(torch.rand(1, 2, 3, 6, 5)).square().mean().backward()
    grads = [p.grad for p in module.parameters() if p.grad is not None]
    assert len(grads) == 1
    assert grads[0].abs().sum() > 0


def test_errors_name_the_choices():
    with pytest.raises(ValueError, match="'clip', 'batch', 'legacy', None"):
        RepresentationFlow(2, normalize="layer")
    with pytest.raises(ValueError, match="'paper', 'tvl1', 'released'"):
        RepresentationFlow(2, variant="farneback")
    with pytest.raises(ValueError, match="'image', 'flow', 'divergence'"):
        RepresentationFlow(2, learn=("sobel",))
    with pytest.raises(ValueError, match="sequence of groups"):
        RepresentationFlow(2, learn="theta")
    with pytest.raises(ValueError, match="n_iters=0"):
        RepresentationFlow(2, n_iters=0)
    module = RepresentationFlow(2)
    for shape in ((4, 2, 5, 5), (1, 2, 1, 5, 5), (1, 3, 4, 5, 5)):
        with pytest.raises(ValueError, match="C=2 and T >= 2"):
            module(torch.rand(shape))
    with pytest.raises(TypeError, match="floating"):
        module(torch.ones(1, 2, 3, 4, 4, dtype=torch.uint8))


def test_extra_repr():
    assert "n_iters=20, variant='paper'" in repr(RepresentationFlow(2))


def test_normalize_per_clip():
    x = make_maps((2, 2, 3, 4, 5))
    x[1] = 3 * x[1] - 400
    scaled = normalize_maps(x, "clip")
    for clip in scaled:
        assert clip.min() == 0
        assert clip.max() == 255
    alone = normalize_maps(x[1:], "clip")
    torch.testing.assert_close(alone[0], scaled[1], rtol=0, atol=0)


def test_normalize_batch_and_legacy():
    x = make_maps((2, 2, 3, 4, 5))
    batch = normalize_maps(x, "batch")
    assert batch.min() == 0
    assert batch.max() == 255
    legacy = 255 * (x - x.min()) / (x.min() - x.max())
    torch.testing.assert_close(normalize_maps(x, "legacy"), legacy)
    assert normalize_maps(x, None) is x


@pytest.mark.parametrize("mode", ["clip", "batch", "legacy"])
def test_constant_clip_gives_zeros(mode):
    x = torch.full((2, 2, 3, 4, 5), 7.0, requires_grad=True)
    scaled = normalize_maps(x, mode)
    assert (scaled == 0).all()
    scaled.sum().backward()
    assert x.grad.isfinite().all()
    flow = RepresentationFlow(2, normalize=mode)(x)
    assert (flow == 0).all()


def test_nan_is_not_hidden():
    x = make_maps((2, 2, 3, 4, 5))
    x[1, 0, 0, 0, 0] = torch.nan
    out = RepresentationFlow(2)(x)
    assert out[0].isfinite().all()
    assert out[1].isnan().all()


def test_normalization_passes_gradcheck():
    x = make_maps((2, 1, 2, 3, 3), torch.float64).requires_grad_()
    for mode in ("clip", "batch", "legacy"):
        torch.autograd.gradcheck(lambda v, m=mode: normalize_maps(v, m), (x,))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_module_keeps_the_input_type(dtype):
    module = RepresentationFlow(2, n_iters=3)
    x = make_maps((1, 2, 3, 6, 5)).to(dtype).requires_grad_()
    out = module(x)
    assert out.dtype == dtype
    out.float().sum().backward()
    assert x.grad.dtype == dtype
