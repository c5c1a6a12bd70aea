import pytest
import torch
from helpers.repflow_cases import assert_as_exact_as_eager

from flowzoo_kernels import MotionLoss, motion_loss, multiscale_motion_loss
from flowzoo_kernels.frame_pyramid import frame_pyramid
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


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_scales_add_up(backend):
    frames, flows = make_clip()
    loss, parts = multiscale_motion_loss(frames, flows, backend=backend)
    grads = torch.autograd.grad(loss, flows)
    total = 0.0
    sizes = [flow.shape[2:] for flow in flows]
    pyramid = frame_pyramid(frames, sizes, backend=backend)
    for i, flow in enumerate(flows):
        one, part = motion_loss(
            pyramid[i][:, :-3],
            pyramid[i][:, 3:],
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


@pytest.mark.parametrize("size", [(37, 51), (64, 40)])
def test_fused_is_as_exact_as_eager(size, backend="cpu"):
    """All of it at once, flows of sizes that have nothing to do with each other."""
    g = torch.Generator().manual_seed(0)
    n, t = 2, 4
    # frames that get brighter, so that differences stay off the kink at 0
    steps = torch.arange(t, dtype=torch.float64).view(t, 1, 1)
    frames = torch.rand(n, 3, t, *size, generator=g, dtype=torch.float64)
    frames = 0.2 * frames + 0.6 * steps - 1
    flows = []
    for h, w in ((31, 17), (9, 33), (5, 3)):
        fraction = (torch.rand(n, 6, h, w, generator=g) * 12).floor() / 16 + 0.125
        flows.append(fraction.double() / 4)

    def run(backend, dtype):
        leaves = [flow.to(dtype).requires_grad_() for flow in flows]
        loss, parts = multiscale_motion_loss(
            frames.to(dtype),
            leaves,
            flow_scales=(4, 4, 4),
            ssim_weights=(0.01, 0.02, 0.04),
            backend=backend,
        )
        grads = torch.autograd.grad(loss, leaves)
        names = [f"flow {i}" for i in range(3)]
        return {"loss": loss, **parts, **dict(zip(names, grads, strict=True))}

    result, exact = run(backend, torch.float32), run("reference", torch.float64)
    eager = run("reference", torch.float32)
    for name, value in result.items():
        assert_as_exact_as_eager(name, value, eager[name], exact[name])
    wide = run(backend, torch.float64)
    for name, value in wide.items():
        torch.testing.assert_close(value, exact[name], msg=name)


def test_some_flows_need_no_gradient():
    frames, flows = make_clip(n=1, frames=3, size=32)
    expected = torch.autograd.grad(multiscale_motion_loss(frames, flows)[0], flows[1])
    flows = [flow.detach().requires_grad_(i == 1) for i, flow in enumerate(flows)]
    loss, _ = multiscale_motion_loss(frames, flows)
    loss.backward(retain_graph=True)
    torch.testing.assert_close(flows[1].grad, expected[0])
    assert all(flow.grad is None for flow in flows if flow is not flows[1])
    loss.backward()  # a second time, from the inputs again
    torch.testing.assert_close(flows[1].grad, 2 * expected[0])


def test_a_damaged_frame_is_named():
    for name in ("frames", r"flows\[2\]"):
        frames, flows = make_clip(n=1, frames=3, size=32)
        with torch.no_grad():
            (frames if name == "frames" else flows[2])[0, 0, -1] = torch.nan
        with pytest.raises(ValueError, match=f"{name} holds NaN"):
            multiscale_motion_loss(frames, flows)


def test_vmap():
    frames, flows = make_clip(n=2, frames=3, size=32)
    flows = [flow.detach() for flow in flows]
    losses, parts = torch.func.vmap(lambda f, *v: multiscale_motion_loss(f, v))(
        frames.unsqueeze(1), *(flow.unsqueeze(1) for flow in flows)
    )
    for i in range(2):
        alone, part = multiscale_motion_loss(
            frames[i : i + 1], [flow[i : i + 1] for flow in flows]
        )
        torch.testing.assert_close(losses[i], alone)
        torch.testing.assert_close(parts["ssim"][i], part["ssim"])


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
        (lambda f, v: (f, [None, *v[1:]], {}), r"flows\[0\] is a NoneType"),
        (lambda f, v: (f.to("meta"), v, {}), r"flows\[0\] is on cpu, .* on meta"),
        (lambda f, v: (f, v, {"flow_scales": 3}), "flow_scales=3, .* each scale"),
        (lambda f, v: (f, v, {"lrn_size": 2.5}), "lrn_size=2.5"),
        (lambda f, v: (f, v, {"weights": (1, 1, 1)}), "no option weights.*flow_scales"),
    ],
)
def test_errors(change, message):
    frames, flows, options = change(*make_clip(n=1, frames=3, size=32))
    with pytest.raises((ValueError, TypeError), match=message):
        multiscale_motion_loss(frames, flows, **options)
