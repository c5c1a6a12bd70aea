import numpy as np
import pytest
import torch

from flowzoo_kernels import MotionLoss, motion_loss, multiscale_motion_loss
from flowzoo_kernels.motion_loss.frames import local_response_norm, reduce_frames
from flowzoo_kernels.motion_loss.op import FLOW_SCALES, PARTS, SSIM_WEIGHTS


def make_clip(n=2, frames=11, size=64, dtype=torch.float32, seed=0):
    """Frames and five flows that require grad."""
    g = torch.Generator().manual_seed(seed)
    clip = torch.rand(n, 3, frames, size, size, generator=g, dtype=dtype) - 0.4
    flows = [
        0.1 * torch.randn(n, 2 * (frames - 1), s, s, generator=g, dtype=dtype)
        for s in (size >> level for level in range(1, 6))
    ]
    return clip, [flow.requires_grad_() for flow in flows]


def downsample(image, height, width):
    """FlowNet's downsampling layer in NumPy, pixel by pixel. image: (H, W)."""
    rows, columns = image.shape
    scale_y, scale_x = (rows - 1) / (height - 1), (columns - 1) / (width - 1)
    out = np.zeros((height, width))
    for y, x in np.ndindex(height, width):
        cy, cx = y / (height - 1) * (rows - 1), x / (width - 1) * (columns - 1)
        total = weights = 0.0
        for by, bx in np.ndindex(rows, columns):
            wy = max(0.0, 1 - abs(by - cy) / scale_y)
            wx = max(0.0, 1 - abs(bx - cx) / scale_x)
            total += wy * wx * image[by, bx]
            weights += wy * wx
        out[y, x] = total / weights
    return out


@pytest.mark.parametrize(("h", "w"), [(4, 6), (7, 5), (12, 17)])
def test_reduction_is_flownets(h, w):
    g = torch.Generator().manual_seed(0)
    image = torch.rand(2, 12, 17, generator=g, dtype=torch.float64)
    expected = np.stack([downsample(plane, h, w) for plane in image.numpy()])
    got = reduce_frames(image, h, w)
    torch.testing.assert_close(got, torch.from_numpy(expected))
    float32 = reduce_frames(image.float(), h, w)
    torch.testing.assert_close(float32, got.float())


def test_reduction_keeps_corners_and_constants():
    image = torch.arange(35.0).view(5, 7)
    assert reduce_frames(image, 5, 7) is image
    flat = reduce_frames(torch.full((5, 7), 3.0), 2, 1)
    torch.testing.assert_close(flat, torch.full((2, 1), 3.0))
    line = reduce_frames(torch.arange(9.0).view(1, 9), 1, 3)  # triangles of width 8
    torch.testing.assert_close(line[0, 1], torch.tensor(4.0))
    with pytest.raises(ValueError, match="may not be larger"):
        reduce_frames(image, 6, 3)


@pytest.mark.parametrize("channels", [1, 3, 5, 6, 20])
def test_response_norm_is_torchs(channels):
    g = torch.Generator().manual_seed(0)
    frames = torch.rand(2, channels, 3, 4, 5, generator=g)
    expected = torch.nn.functional.local_response_norm(frames, 9, 1.0, 0.7, 1.0)
    torch.testing.assert_close(local_response_norm(frames), expected)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_scales_add_up(backend):
    frames, flows = make_clip()
    loss, parts = multiscale_motion_loss(frames, flows, backend=backend)
    grads = torch.autograd.grad(loss, flows)
    total = 0.0
    normal = local_response_norm(frames)
    for i, flow in enumerate(flows):
        images = [
            reduce_frames(normal[:, :, t], *flow.shape[2:]) for t in range(11)
        ]  # fmt: skip
        one, part = motion_loss(
            torch.cat(images[:-1], 1),
            torch.cat(images[1:], 1),
            flow,
            flow_scale=FLOW_SCALES[i],
            weights=(1, 1, SSIM_WEIGHTS[i]),
            backend=backend,
        )
        (grad,) = torch.autograd.grad(one, flow)
        torch.testing.assert_close(grads[i], grad, rtol=1e-3, atol=1e-5)
        total = total + one.detach()
        for name in PARTS:
            torch.testing.assert_close(parts[name][i], part[name])
    torch.testing.assert_close(loss.detach(), total)


def test_two_frames_and_strides():
    frames, flows = make_clip(frames=2, size=32)
    expected, _ = multiscale_motion_loss(frames, flows)
    moved = frames.transpose(1, 2).contiguous().transpose(1, 2)
    loss, _ = multiscale_motion_loss(moved, flows)
    torch.testing.assert_close(loss, expected)


def test_module():
    frames, flows = make_clip(n=1, frames=3, size=32)
    module = MotionLoss(ssim_weights=[w / 10 for w in SSIM_WEIGHTS], border=0.2)
    loss, parts = module(frames, flows)
    expected, _ = multiscale_motion_loss(
        frames, flows, ssim_weights=[w / 10 for w in SSIM_WEIGHTS], border=0.2
    )
    assert torch.equal(loss, expected)
    assert all(part.shape == (5,) for part in parts.values())
    assert "border=0.2" in repr(module)
    assert not module.state_dict()


def test_compile_and_autocast():
    frames, flows = make_clip(n=1, frames=3, size=32)
    module = MotionLoss()
    expected, _ = module(frames, flows)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    loss, _ = compiled(frames, flows)
    torch.testing.assert_close(loss, expected)
    for got, grad in zip(
        torch.autograd.grad(loss, flows),
        torch.autograd.grad(expected, flows),
        strict=True,
    ):
        torch.testing.assert_close(got, grad, rtol=1e-3, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(module(frames, flows)[0], expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, v: (f[:, :, 0], v, {}), r"\(N, C, T, H, W\)"),
        (lambda f, v: (f[:, :, :1], v, {}), "T >= 2"),
        (lambda f, v: (f.requires_grad_(), v, {}), "frames requires grad"),
        (lambda f, v: (f, v[:4], {}), "flow_scales has 5 entries for 4 flows"),
        (lambda f, v: (f, v, {"ssim_weights": [1]}), "ssim_weights has 1 entries"),
        (lambda f, v: (f[:, :, :2], v, {}), "2 channels for each of the 1 pairs"),
        (lambda f, v: (f[..., :8, :8], v, {}), "may not be larger"),
    ],
)
def test_errors(change, message):
    frames, flows, options = change(*make_clip(n=1, frames=3, size=32))
    with pytest.raises(ValueError, match=message):
        multiscale_motion_loss(frames, flows, **options)
