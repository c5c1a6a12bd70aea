import numpy as np
import pytest
import torch

from flowzoo.models.layers import FlowToImage


def transcription(flow, quantize=False):
    """The layers between predict_flow2 and conv1_1 of the released network."""
    image = flow.astype(np.float64) * 20
    image = np.maximum(image + 20, 0)  # clip from below
    image = 20 - np.maximum(40 - image, 0)  # and from above
    image = (image + 20) * 6.375
    if quantize:
        image = np.round(image)
    # Caffe's bilinear filler for a kernel of 4: factor 2, center 0.75
    line = 1 - np.abs(np.arange(4) / 2 - 0.75)
    kernel = np.outer(line, line)
    n, c, h, w = flow.shape
    full = np.zeros((n, c, 2 * h + 2, 2 * w + 2))  # deconvolution, stride 2 ...
    for y in range(h):
        for x in range(w):
            patch = image[:, :, y, x, None, None] * kernel
            full[:, :, 2 * y : 2 * y + 4, 2 * x : 2 * x + 4] += patch
    return full[:, :, 1:-1, 1:-1] - 128  # ... and padding 1


def some_flow(*shape):
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.8, shape).astype(np.float32)  # a fifth is clipped


@pytest.mark.parametrize("quantize", [False, True])
@pytest.mark.parametrize("shape", [(2, 20, 5, 7), (1, 2, 1, 1), (3, 4, 2, 9)])
def test_against_the_transcription(shape, quantize):
    flow = some_flow(*shape)
    found = FlowToImage(quantize=quantize)(torch.from_numpy(flow))
    assert found.shape == (*shape[:2], 2 * shape[2], 2 * shape[3])
    np.testing.assert_allclose(
        found.numpy(), transcription(flow, quantize), rtol=0, atol=1e-4
    )


def test_zero_flow_is_gray_inside_and_extremes_fill_the_range():
    flow = torch.tensor([0.0, 5.0, -5.0]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    inside = FlowToImage()(flow)[0, :, 2:-2, 2:-2].amax((1, 2))
    assert inside.tolist() == [-0.5, 127.0, -128.0]


def test_scaled_for_batch_normalized_networks():
    flow = torch.from_numpy(some_flow(1, 4, 3, 3))
    torch.testing.assert_close(
        FlowToImage(mean=100, std=64)(flow), (FlowToImage()(flow) + 28) / 64
    )


@pytest.mark.parametrize("quantize", [False, True])
def test_gradient(quantize):
    """That of a linear map where flow is not clipped, zero where it is."""
    flow = torch.from_numpy(some_flow(1, 2, 4, 5)).double().requires_grad_()
    weights = torch.rand(1, 2, 8, 10, dtype=torch.float64)
    (FlowToImage(quantize=quantize)(flow) * weights).sum().backward()
    clipped = (20 * flow).abs() > 20
    assert clipped.any() and not clipped.all()
    one = torch.nn.functional.conv2d(
        torch.nn.functional.pad(weights, (1, 1, 1, 1)).flatten(0, 1).unsqueeze(1),
        torch.outer(*[torch.tensor([0.25, 0.75, 0.75, 0.25]).double()] * 2)[None, None],
        stride=2,
    ).view(1, 2, 4, 5)
    expected = torch.where(clipped, 0.0, 20 * 6.375 * one)
    torch.testing.assert_close(flow.grad, expected)


def test_gradcheck():
    flow = torch.tensor([[[[0.3, -0.7], [2.0, 0.1]]]], dtype=torch.float64)
    assert torch.autograd.gradcheck(FlowToImage(), flow.requires_grad_())


def test_half_precision_is_computed_in_float32():
    flow = torch.from_numpy(some_flow(1, 2, 6, 6)).bfloat16()
    found = FlowToImage()(flow)
    assert found.dtype == torch.bfloat16
    exact = FlowToImage()(flow.float()).bfloat16()
    assert torch.equal(found, exact)


@pytest.mark.parametrize("options", [dict(bound=0), dict(std=-1)])
def test_constants_out_of_range(options):
    with pytest.raises(ValueError, match="must be positive"):
        FlowToImage(**options)
