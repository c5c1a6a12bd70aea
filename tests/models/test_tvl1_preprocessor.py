import pytest
import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

import flowzoo  # noqa: F401
from flowzoo_kernels import tvl1_flow


def clips(views=2, frames=3, size=32):
    """(views, 3, T, H, W) uint8, moving by (2, -1) pixels a frame."""
    torch.manual_seed(0)
    noise = torch.rand(views, 3, 16, 16)
    scene = 255 * F.interpolate(noise, size=64, mode="bicubic").clamp(0, 1)
    corners = [(16 + k, 16 - 2 * k) for k in range(frames)]
    moved = [scene[..., y : y + size, x : x + size] for y, x in corners]
    return torch.stack(moved, dim=2).to(torch.uint8)


def preprocess(samples, **options):
    preprocessor = MODELS.build(dict(type="TVL1DataPreprocessor", **options))
    data = dict(inputs=samples, data_samples=[ActionDataSample() for _ in samples])
    return preprocessor(data)["inputs"]


def test_clips_become_flow():
    samples = [clips(), clips().flip(-1)]
    inputs = preprocess(samples, preset="opencv")
    assert inputs.shape == (2, 2, 2, 2, 32, 32)
    expected = tvl1_flow(samples[1]).clamp(-20, 20) / 20
    torch.testing.assert_close(inputs[1], expected, rtol=0, atol=1e-5)
    medians = inputs[0].transpose(0, 1).flatten(1).median(dim=1).values * 20
    torch.testing.assert_close(medians, torch.tensor([2.0, -1.0]), rtol=0, atol=0.1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_networks_in_half_precision_get_their_dtype(dtype):
    preprocessor = MODELS.build(dict(type="TVL1DataPreprocessor", preset="opencv"))
    found = preprocessor.to(dtype)(
        dict(inputs=[clips()], data_samples=[ActionDataSample()])
    )["inputs"]
    expected = preprocess([clips()], preset="opencv")
    torch.testing.assert_close(found, expected.to(dtype))


def test_stacked_as_channels():
    inputs = preprocess([clips()], format_shape="NCHW", bound=1.5)
    apart = preprocess([clips()], format_shape="NCTHW", bound=1.5)
    assert inputs.shape == (1, 2, 4, 32, 32)
    assert inputs.abs().max() <= 1
    torch.testing.assert_close(inputs[0, :, 2], apart[0, :, 0, 1])
    torch.testing.assert_close(inputs[0, :, 3], apart[0, :, 1, 1])


def test_flow_of_flow():
    once, twice = (preprocess([clips()], times=times)[0] for times in (1, 2))
    assert twice.shape == (2, 4, 1, 32, 32)
    for component in (0, 1):  # the images of each are videos of their own
        video = 127.5 * (once[:, component] + 1)
        flow = tvl1_flow(video, "fast", data_range=255).clamp(-20, 20) / 20
        torch.testing.assert_close(twice[:, 2 * component :][:, :2], flow)


def test_frames_instead_of_clips():
    with pytest.raises(ValueError, match="NCTHW"):
        preprocess([torch.zeros(8, 3, 20, 20)])


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(bound=0), "bound=0"),
        (dict(bound=float("nan")), "bound=nan"),
        (dict(times=0), "times=0"),
        (dict(preset="best"), "preset='best'"),
        (dict(parameters=dict(warps=0)), "warps=0"),
    ],
)
def test_bad_parameters_are_refused_when_it_is_built(options, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(dict(type="TVL1DataPreprocessor", **options))


def test_clips_that_are_too_short():
    with pytest.raises(ValueError, match="2 frames, but 3 are needed"):
        preprocess([clips(frames=2)], times=2)
