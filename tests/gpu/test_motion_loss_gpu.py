"""The motion losses and their frames on a GPU, against the float64 reference."""

import pytest
import torch
from helpers.frame_pyramid_cases import CASES, LRN, check_pyramid, make_frames
from helpers.motion_loss_cases import SCALE, SHAPES, check_loss, make_inputs, run_loss

from flowzoo_kernels import MotionLoss, motion_loss, multiscale_motion_loss
from flowzoo_kernels.frame_pyramid import frame_pyramid

TOGETHER = ((1, 1, 0.05),)
LARGER = [
    (1, 2, 3, 63, 65),  # windows over several programs, and over the border
    (16, 10, 3, 28, 28),
    (1, 1, 5, 131, 97),
]


def gpu_inputs(shape, dtype=torch.float32):
    return [t.cuda() for t in make_inputs(shape, dtype)]


@pytest.mark.parametrize("normalization", ["elements", "caffe"])
@pytest.mark.parametrize("shape", SHAPES + LARGER, ids=str)
def test_shapes(shape, normalization):
    check_loss(gpu_inputs(shape), "triton", normalization=normalization)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_types(dtype):
    check_loss(gpu_inputs((2, 2, 3, 13, 19), dtype), "triton")


@pytest.mark.parametrize(
    "options",
    [
        {"ssim_window": 5, "ssim_stride": 7},
        {"ssim_window": 20, "ssim_stride": 20},
        {"ssim_window": 32, "ssim_stride": 32},
        {"ssim_window": 4, "ssim_stride": 4, "ssim_sigma": float("inf")},
        {"ssim_sigma": 1.0, "ssim_center": 3.5, "ssim_c1": 1e-2, "ssim_c2": 3e-2},
        {"border": 0},
        {"border": 0.3, "photometric_alpha": 0.5, "photometric_beta": 10},
        {"smoothness_alpha": 1, "smoothness_beta": 0.5, "epsilon": 0.1},
    ],
    ids=str,
)
def test_constants(options):
    check_loss(gpu_inputs((1, 2, 2, 41, 38)), "triton", TOGETHER, **options)


@pytest.mark.parametrize("kind", ["integer", "outside", "far"])
def test_special_flows(kind):
    target, source, flow = gpu_inputs((2, 2, 3, 21, 30))
    if kind == "integer":
        flow = (SCALE * flow).round() / SCALE
    else:
        flow = flow + (50 if kind == "outside" else 2.0**16)
    check_loss((target, source, flow), "triton", TOGETHER)


def test_strides_and_empty():
    target, source, flow = gpu_inputs((2, 2, 3, 26, 35))
    expected = run_loss((target, source, flow), backend="triton")
    stack = torch.cat([target, source], 1).mT.contiguous().mT
    strided = stack[:, :6], stack[:, 6:], flow.contiguous(
        memory_format=torch.channels_last
    )  # fmt: skip
    for name, value in run_loss(strided, backend="triton").items():
        torch.testing.assert_close(value, expected[name], msg=name)
    empty = run_loss([t[:0] for t in (target, source, flow)], backend="triton")
    assert empty["loss"] == 0
    assert empty["flow"].shape == (0, 4, 26, 35)


def test_repeats_bit_by_bit():
    inputs = gpu_inputs((4, 10, 3, 56, 56))
    first = run_loss(inputs, backend="triton")
    second = run_loss(inputs, backend="triton")
    for name, value in first.items():
        assert torch.equal(second[name], value), name


def test_not_a_number_shows():
    for place in range(3):
        inputs = gpu_inputs((1, 2, 3, 9, 10))
        inputs[2].zero_()  # so that every source pixel counts
        inputs[place][0, 3, 4, 5] = torch.nan
        loss, _ = motion_loss(*inputs, flow_scale=SCALE)
        assert loss.isnan()


@pytest.mark.parametrize("lrn", LRN, ids=str)
@pytest.mark.parametrize(("shape", "sizes"), CASES[:-1], ids=str)
def test_frames(shape, sizes, lrn):
    if shape[1] > (lrn[0] + 1) // 2:
        pytest.skip("more channels than are neighbors")
    check_pyramid(make_frames(shape).cuda(), sizes, "triton", lrn)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_frames_of_other_types(dtype):
    shape, sizes = CASES[0]
    check_pyramid(make_frames(shape, dtype).cuda(), sizes, "triton")


def test_frames_of_a_training_batch():
    frames = make_frames((2, 3, 11, 224, 224)).cuda()
    sizes = [(224 >> i, 224 >> i) for i in range(1, 6)]
    check_pyramid(frames, sizes, "triton")
    expected = frame_pyramid(frames, sizes, backend="triton")
    strided = frames.transpose(1, 2).contiguous().mT.contiguous().mT.transpose(1, 2)
    for got, want in zip(frame_pyramid(strided, sizes), expected, strict=True):
        assert torch.equal(got, want)


def test_frames_that_triton_does_not_take():
    shape, sizes = CASES[-1]
    frames = make_frames(shape).cuda()
    expected = frame_pyramid(frames, sizes, backend="reference")
    torch.testing.assert_close(frame_pyramid(frames, sizes), expected)


def make_clip(n, size, dtype=torch.float32):
    """Frames that get brighter, so that differences stay off the kink, and flows."""
    g = torch.Generator().manual_seed(0)
    steps = torch.arange(11.0).view(11, 1, 1)
    frames = 0.1 * torch.rand(n, 3, 11, size, size, generator=g) + 0.2 * steps - 1
    flows = []
    for i in range(1, 6):
        shape = n, 20, size >> i, size >> i
        fraction = (torch.rand(*shape, generator=g) * 12).floor() / 16 + 0.125
        flows.append((fraction * 2**i / 20).to(dtype).cuda())
    return frames.to(dtype).cuda(), flows


def run_clip(frames, flows, backend, function=multiscale_motion_loss):
    flows = [flow.detach().requires_grad_() for flow in flows]
    options = {} if backend is None else {"backend": backend}
    loss, parts = function(frames, flows, **options)
    grads = torch.autograd.grad(loss, flows)
    return [loss, *parts.values(), *grads]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_five_scales(dtype):
    frames, flows = make_clip(2, 96, dtype)
    result = run_clip(frames, flows, "triton")
    wide = frames.double(), [flow.double() for flow in flows]
    exact = run_clip(*wide, "reference")
    loose = 1e-4 if dtype == torch.float32 else 1e-2
    for got, want in zip(result, exact, strict=True):
        error = (got.double() - want).norm() / want.norm()
        assert error < loose


@pytest.mark.parametrize("amp", [False, True])
def test_compiled(amp):
    frames, flows = make_clip(1, 96)
    module = MotionLoss()
    compiled = torch.compile(module, fullgraph=True)
    expected = run_clip(frames, flows, None, module)
    with torch.autocast("cuda", torch.bfloat16, enabled=amp):
        result = run_clip(frames, flows, None, compiled)
    for got, want in zip(result, expected, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_second_device():
    inputs = [t.to("cuda:1") for t in make_inputs((2, 2, 3, 13, 19))]
    check_loss(inputs, "triton", TOGETHER)
    check_pyramid(make_frames(CASES[0][0]).to("cuda:1"), CASES[0][1], "triton")


@pytest.mark.huge
def test_more_than_2_to_the_31_elements():
    if torch.cuda.mem_get_info()[0] < 40 << 30:
        pytest.skip("needs 40 GB of GPU memory")
    examples = (2**31) // (2 * 8 * 8) + 3
    target, source, last = gpu_inputs((1, 1, 1, 8, 8), torch.bfloat16)
    flow = last.new_zeros(examples, 2, 8, 8)
    flow[-1:] = last
    images = (t.expand(examples, -1, -1, -1) for t in (target, source))
    result = run_loss((*images, flow), backend="triton")["flow"]
    alone = run_loss((target, source, last), backend="triton")["flow"]
    # each example's part in the mean
    got = result[-1:].float() * examples
    torch.testing.assert_close(got, alone.float(), rtol=2e-2, atol=1e-3)


@pytest.mark.huge
def test_more_than_2_to_the_31_elements_of_frames():
    if torch.cuda.mem_get_info()[0] < 40 << 30:
        pytest.skip("needs 40 GB of GPU memory")
    clips = (2**31) // (8 * 8) + 3
    last = make_frames((1, 1, 1, 8, 8), torch.bfloat16).cuda()
    frames = last.new_zeros(clips, 1, 1, 8, 8)
    frames[-1:] = last
    for large, small in zip(
        frame_pyramid(frames, [(5, 4), (2, 2)], backend="triton"),
        frame_pyramid(last, [(5, 4), (2, 2)], backend="triton"),
        strict=True,
    ):
        assert torch.equal(large[-1:], small)
        assert (large[0] == 0).all()
