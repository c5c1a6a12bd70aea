import inspect
import math

import pytest
import torch

from flowzoo_kernels import motion_loss, multiscale_motion_loss


def call(**changed):
    g = torch.Generator().manual_seed(0)
    arguments = {
        "target": torch.rand(2, 6, 9, 10, generator=g),
        "source": torch.rand(2, 6, 9, 10, generator=g),
        "flow": torch.rand(2, 4, 9, 10, generator=g, requires_grad=True),
        "flow_scale": 2.0,
    }
    return motion_loss(**arguments | changed)


def test_the_unchanged_call_works():
    loss, parts = call()
    assert loss.isfinite()
    assert set(parts) == {"photometric", "smoothness", "ssim"}


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"target": torch.rand(6, 9, 10)}, ValueError, "target has 3 dimensions"),
        ({"source": torch.rand(2, 6, 9, 9)}, ValueError, "source has shape"),
        ({"flow": torch.rand(2, 4, 9, 9)}, ValueError, r"needs \(2, 4, 9, 10\)"),
        ({"flow": torch.rand(1, 4, 9, 10)}, ValueError, r"needs \(2, 4, 9, 10\)"),
        ({"flow": torch.rand(2, 3, 9, 10)}, ValueError, "flow has 3 channels"),
        ({"flow": torch.rand(2, 0, 9, 10)}, ValueError, "flow has 0 channels"),
        ({"flow": torch.rand(2, 8, 9, 10)}, ValueError, "6 channels.* 4 pairs"),
        ({"flow": torch.ones(2, 4, 9, 10).long()}, TypeError, "floating"),
        ({"source": torch.rand(2, 6, 9, 10, device="meta")}, ValueError, "on meta"),
        (
            {"target": torch.rand(2, 6, 9, 10, requires_grad=True)},
            ValueError,
            "target requires grad.*detach",
        ),
        (
            {"source": torch.rand(2, 6, 9, 10, requires_grad=True)},
            ValueError,
            "source requires grad",
        ),
        ({"target": torch.rand(2, 6, 9, 10).numpy()}, TypeError, "a ndarray.*tensor"),
        ({"weights": (1, 1)}, ValueError, "three are needed"),
        ({"weights": 1.0}, ValueError, "three are needed"),
        ({"weights": (1, math.nan, 1)}, ValueError, "smoothness_weight=nan"),
        ({"weights": (1, None, 1)}, TypeError, "weights=None.* number"),
        ({"flow_scale": math.inf}, ValueError, "flow_scale=inf"),
        ({"flow_scale": "two"}, TypeError, "flow_scale='two'.* number"),
        ({"border": None}, TypeError, "border=None.* number"),
        ({"photometric_alpha": math.nan}, ValueError, "photometric_alpha=nan"),
        ({"ssim_window": 8.0}, TypeError, "ssim_window=8.0.* whole number"),
        ({"caffe_mask": (16,)}, ValueError, "two are needed"),
        ({"epsilon": 0}, ValueError, "epsilon=0"),
        ({"ssim_c2": -1}, ValueError, "ssim_c2=-1"),
        ({"ssim_sigma": 0}, ValueError, "ssim_sigma=0"),
        ({"ssim_window": 0}, ValueError, "ssim_window=0"),
        ({"ssim_stride": 0}, ValueError, "ssim_stride=0"),
        ({"border": 0.5}, ValueError, "leaves nothing of 9 x 10"),
        ({"border": -0.2}, ValueError, "negative"),
        ({"normalization": "mean"}, ValueError, "'elements', 'caffe'"),
        (
            {"normalization": "caffe", "caffe_mask": (0, 30)},
            ValueError,
            "caffe_mask holds",
        ),
        ({"borders": 0.1}, TypeError, "no option borders; .*flow_scale.*border,"),
        (
            {
                "target": torch.rand(1, 1, 1, 1).expand(1, 3, (1 << 24) + 1, 1),
                "source": torch.rand(1, 1, 1, 1).expand(1, 3, (1 << 24) + 1, 1),
                "flow": torch.rand(1, 1, 1, 1).expand(1, 2, (1 << 24) + 1, 1),
            },
            ValueError,
            "flow has 16777217 x 1 pixels; backend='cpu' takes sides of up to",
        ),
        ({"epsilon": 1e-20, "backend": "cpu"}, NotImplementedError, "epsilon below"),
        ({"backend": "cuda"}, ValueError, "'auto', 'triton', 'cpu', 'reference'"),
        ({"backend": "triton"}, ValueError, "needs GPU tensors"),
    ],
)
def test_errors_say_what_was_wrong(changed, error, message):
    with pytest.raises(error, match=message):
        call(**changed)


@pytest.mark.parametrize("epsilon", [2.0**-63, 1e-20])
def test_tiny_epsilon(epsilon):
    """Its square times a negative power: the fused one, then the reference instead."""
    flow = 1e-20 * torch.rand(2, 4, 9, 10)
    options = {"flow": flow, "epsilon": epsilon, "smoothness_alpha": 0.05}
    (_, got), (_, expected) = call(**options), call(**options, backend="reference")
    torch.testing.assert_close(got["smoothness"], expected["smoothness"])


def test_signatures_show_the_options_and_their_defaults():
    shown = inspect.signature(motion_loss).parameters
    assert shown["flow_scale"].default is inspect.Parameter.empty
    assert shown["border"].default == 0.1
    several = inspect.signature(multiscale_motion_loss).parameters
    assert several["border"].default == 0.1
    assert not {"flow_scale", "weights", "options"} & several.keys()


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("name", ["target", "source", "flow"])
def test_not_a_number_is_named(name, bad, backend):
    g = torch.Generator().manual_seed(0)
    channels = 4 if name == "flow" else 6
    for place in ((1, 2, 4, 5), (0, 0, 0, 0), (1, 3, 8, 9)):
        tensor = torch.rand(2, channels, 9, 10, generator=g)
        tensor[place] = bad
        # a flow of zeros, so that every source pixel counts
        inputs = {"flow": torch.zeros(2, 4, 9, 10)} | {name: tensor}
        with pytest.raises(ValueError, match=f"{name} holds NaN or infinity"):
            call(**inputs, backend=backend)
