"""TV-L1 flow: the fused CPU pass against the definition, contracts, edge cases."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from flowzoo_kernels import RepresentationFlow, representation_flow, tvl1_flow
from flowzoo_kernels.tvl1_flow.options import Options, level_sizes
from flowzoo_kernels.tvl1_flow.reference import iteration, median_filter


def moving_frames(n=1, t=3, h=40, w=53, dx=1, dy=0, seed=0, dtype=torch.float32):
    """Smooth noise (n, t, h, w) in [0, 1] that moves by dx, dy pixels a frame."""
    generator = torch.Generator().manual_seed(seed)
    big_h, big_w = h + 2 * t * abs(dy) + 4, w + 2 * t * abs(dx) + 4
    noise = torch.rand(n, 1, big_h // 4 + 2, big_w // 4 + 2, generator=generator)
    scene = F.interpolate(noise, size=(big_h, big_w), mode="bicubic")[:, 0].clamp(0, 1)
    y0, x0 = t * abs(dy), t * abs(dx)
    rows = [(y0 - k * dy, x0 - k * dx) for k in range(t)]
    return torch.stack([scene[:, y : y + h, x : x + w] for y, x in rows], 1).to(dtype)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"preset": "cuda", "inner_iterations": 40},
        {"preset": "fast"},
        {"median": 3, "warps": 2, "scales": 2},
        {"median": 1, "epsilon": 0.0, "inner_iterations": 9, "outer_iterations": 2},
        {"epsilon": 0.0, "inner_iterations": 1, "outer_iterations": 3, "warps": 1},
        {"tau": 0.2, "lam": 0.05, "theta": 0.4, "scale_step": 0.5},
    ],
    ids=str,
)
def test_cpu_is_the_reference(options):
    """In float64, where both stop at the same iterations."""
    frames = moving_frames(2, 3, dx=1, dy=1, dtype=torch.float64)
    ours = tvl1_flow(frames, backend="cpu", **options)
    expected = tvl1_flow(frames, backend="reference", **options)
    assert expected.abs().max() > 0.5
    torch.testing.assert_close(ours, expected, rtol=0, atol=2e-3)
    assert (ours - expected).abs().mean() < 1e-5


@pytest.mark.parametrize("h, w", [(1, 1), (1, 9), (9, 1), (2, 2), (17, 16), (16, 17)])
def test_small_frames(h, w):
    frames = moving_frames(1, 2, h, w, dtype=torch.float64)
    ours = tvl1_flow(frames, backend="cpu", warps=2)
    expected = tvl1_flow(frames, backend="reference", warps=2)
    assert ours.shape == (1, 2, 1, h, w)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("width", [7, 8, 9, 15, 16, 17])
def test_widths_around_a_vector(width):
    frames = moving_frames(1, 2, 11, width, dtype=torch.float64)
    options = {"epsilon": 0.0, "inner_iterations": 5, "outer_iterations": 2}
    ours = tvl1_flow(frames, backend="cpu", **options)
    expected = tvl1_flow(frames, backend="reference", **options)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("dx, dy", [(2, 0), (-1, 3), (0, -2)])
def test_finds_the_motion(dx, dy):
    flow = tvl1_flow(moving_frames(1, 3, 64, 80, dx, dy))
    inner = flow[..., 12:-12, 12:-12]
    error = (inner - torch.tensor([dx, dy]).view(1, 2, 1, 1, 1)).abs()
    assert error.mean() < 0.05


def test_initial_flow_finds_what_the_pyramid_cannot():
    frames = moving_frames(1, 2, 48, 60, dx=9)
    options = {"scales": 1, "data_range": 1.0}
    alone = tvl1_flow(frames, **options)
    initial = torch.zeros(1, 2, 1, 48, 60)
    initial[:, 0] = 8.5
    helped = tvl1_flow(frames, initial_flow=initial, **options)
    inner = (..., slice(12, -12), slice(12, -12))
    assert (helped[:, 0][inner] - 9).abs().mean() < 0.1
    assert (alone[:, 0][inner] - 9).abs().mean() > 1


def test_initial_flow_through_the_pyramid():
    frames = moving_frames(1, 2, dtype=torch.float64)
    initial = torch.randn(1, 2, 1, 40, 53, dtype=torch.float64)
    options = {"initial_flow": initial, "epsilon": 0.0, "inner_iterations": 3}
    options |= {"outer_iterations": 1, "warps": 1}
    ours = tvl1_flow(frames, backend="cpu", **options)
    expected = tvl1_flow(frames, backend="reference", **options)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-9)


def test_layouts_and_types_agree():
    gray = (moving_frames(2, 3) * 255).round()
    expected = tvl1_flow(gray.to(torch.uint8))
    assert expected.dtype == torch.float32
    channel = gray.to(torch.uint8).unsqueeze(1)
    strided = channel.permute(4, 1, 2, 3, 0).contiguous().permute(4, 1, 2, 3, 0)
    assert not strided.is_contiguous()
    for frames in (channel, strided):
        assert torch.equal(tvl1_flow(frames), expected)
    assert torch.equal(tvl1_flow(gray, data_range=255), expected)
    assert tvl1_flow(gray.half(), data_range=255).dtype == torch.float32


def test_colors_and_range():
    """In few iterations: they amplify rounding where frames leave the flow open."""
    options = {"epsilon": 0.0, "warps": 1, "outer_iterations": 1}
    gray = moving_frames(2, 3, dtype=torch.float64)
    expected = tvl1_flow(gray * 255, data_range=255, **options)
    rgb = gray.unsqueeze(1).expand(-1, 3, -1, -1, -1)
    for frames in (gray, rgb):
        flow = tvl1_flow(frames, **options)
        torch.testing.assert_close(flow, expected, rtol=0, atol=1e-6)
    red = tvl1_flow(torch.stack([gray, 0 * gray, 0 * gray], 1), **options)
    expected = tvl1_flow(gray * 0.299, **options)
    torch.testing.assert_close(red, expected, rtol=0, atol=1e-6)


def test_repeats_bit_by_bit_and_by_pair():
    frames = moving_frames(3, 4)
    flow = tvl1_flow(frames)
    assert torch.equal(flow, tvl1_flow(frames))
    assert torch.equal(flow[1:2, :, 2:], tvl1_flow(frames[1:2, 2:]))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert torch.equal(flow, tvl1_flow(frames))
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_nan_stays_in_its_pairs(backend, bad):
    frames = moving_frames(2, 3, 20, 24)
    options = {"backend": backend, "warps": 1, "inner_iterations": 5}
    clean = tvl1_flow(frames, **options)
    frames[0, 2, 5, 6] = bad
    flow = tvl1_flow(frames, **options)
    assert flow[0, :, 1].isnan().all()
    assert torch.equal(flow[0, :, 0], clean[0, :, 0])
    assert torch.equal(flow[1], clean[1])


@pytest.mark.parametrize("value", [0, 7, 255])
def test_constant_frames_do_not_move(value):
    frames = torch.full((1, 2, 30, 40), value, dtype=torch.uint8)
    assert torch.equal(tvl1_flow(frames), torch.zeros(1, 2, 1, 30, 40))


def test_equal_frames_do_not_move():
    frame = moving_frames(1, 1, 30, 40)
    assert tvl1_flow(frame.expand(1, 2, 30, 40)).abs().max() < 0.02


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_empty_batch(backend):
    flow = tvl1_flow(torch.zeros(0, 3, 20, 30), backend=backend)
    assert flow.shape == (0, 2, 2, 20, 30)


def test_large_frames():
    """4K: a row of all planes does not fit the caches; few iterations, for time."""
    frames = moving_frames(1, 2, 2160, 3840, dx=1)
    options = {"scales": 1, "warps": 1, "inner_iterations": 3, "outer_iterations": 1}
    flow = tvl1_flow(frames, **options)
    crop = tvl1_flow(frames[..., 1000:1100, 3700:], **options)
    inner = (..., slice(20, -20), slice(20, -20))
    flow = flow[..., 1000:1100, 3700:]
    torch.testing.assert_close(flow[inner], crop[inner], rtol=0, atol=1e-4)


def test_iteration_is_representation_flow():
    """The iteration that both have, apart from the border, where kernels differ."""
    torch.manual_seed(0)
    frames = torch.rand(1, 1, 2, 24, 26, dtype=torch.float64)
    f1, f2 = frames[0, 0]
    gx, gy = torch.zeros_like(f2), torch.zeros_like(f2)
    gx[:, 1:-1] = (f2[:, 2:] - f2[:, :-2]) / 2
    gy[1:-1] = (f2[2:] - f2[:-2]) / 2
    options = Options(lam=0.15, theta=0.3, tau=0.25)
    u = torch.zeros(1, 2, 24, 26, dtype=torch.float64)
    p = torch.zeros(1, 2, 2, 24, 26, dtype=torch.float64)
    for _ in range(4):
        u, p = iteration(u, p, gx[None], gy[None], (f2 - f1)[None], options)
    layer = RepresentationFlow(1, variant="tvl1").double()
    expected = representation_flow(frames, *parameters_of(layer), 4, "tvl1")
    inner = (slice(None), slice(None), slice(6, -6), slice(6, -6))
    torch.testing.assert_close(u[inner], expected[:, :, 0][inner], rtol=1e-6, atol=1e-8)


def parameters_of(layer):
    names = ("image_kernel", "flow_kernel", "div_kernel", "theta", "lam", "tau")
    return [getattr(layer, name) for name in names]


def test_median_filter():
    images = torch.randn(2, 9, 11)
    padded = np.pad(images.numpy(), ((0, 0), (2, 2), (2, 2)), mode="edge")
    expected = [
        [[np.median(q[y : y + 5, x : x + 5]) for x in range(11)] for y in range(9)]
        for q in padded
    ]
    expected = torch.tensor(np.array(expected), dtype=torch.float32)
    torch.testing.assert_close(median_filter(images, 5), expected)


@pytest.mark.parametrize("side", [3, 5])
def test_fused_median_filter(side):
    iterate = pytest.importorskip("flowzoo_kernels.tvl1_flow.cpu.iterate")
    from numba import njit

    from flowzoo_kernels.tvl1_flow.cpu.median import median_filter as inner

    @njit
    def fused(u, out, memory, side, grid):  # Python cannot call the inner one
        inner(u, out, memory, side, grid)

    for h, w in ((1, 1), (2, 3), (9, 24), (8, 21)):
        grid = iterate.make_grid.py_func(h, w)
        u = np.zeros(iterate.row_of.py_func(2, h + 2, grid), np.float32)
        out = np.zeros_like(u)
        images = torch.randn(2, h, w)
        for y in range(h):
            for k in range(2):
                start = iterate.row_of.py_func(2, y, grid) + k * grid.pitch
                u[start : start + w] = images[k, y].numpy()
        fused(u, out, np.zeros(10 * grid.pitch, np.float32), side, grid)
        expected = median_filter(images, side)
        for y in range(h):
            for k in range(2):
                start = iterate.row_of.py_func(2, y, grid) + k * grid.pitch
                np.testing.assert_array_equal(
                    out[start : start + w], expected[k, y].numpy()
                )


def test_level_sizes():
    assert level_sizes(240, 320, Options()) == [
        (240, 320),
        (192, 256),
        (154, 205),
        (123, 164),
        (98, 131),
    ]
    assert level_sizes(17, 16, Options()) == [(17, 16)]
    assert level_sizes(1, 1, Options()) == [(1, 1)]


@pytest.mark.parametrize(
    "frames, options, error, message",
    [
        (torch.zeros(1, 1, 4, 4), {}, ValueError, "2 are needed"),
        (torch.zeros(2, 4, 4), {}, ValueError, "shape"),
        (torch.zeros(1, 2, 3, 4, 4), {}, ValueError, "shape"),
        (torch.zeros(1, 2, 0, 4), {}, ValueError, "no pixels"),
        (torch.zeros(1, 2, 4, 4, dtype=torch.int64), {}, TypeError, "uint8"),
        (np.zeros((1, 2, 4, 4)), {}, TypeError, "as_tensor"),
        (torch.zeros(1, 2, 4, 4), {"preset": "best"}, ValueError, "preset"),
        (torch.zeros(1, 2, 4, 4), {"lamda": 1}, TypeError, "lamda"),
        (torch.zeros(1, 2, 4, 4), {"tau": 0}, ValueError, "tau"),
        (torch.zeros(1, 2, 4, 4), {"median": 4}, ValueError, "median"),
        (torch.zeros(1, 2, 4, 4), {"median": 3.0}, TypeError, "median=3.0.* whole"),
        (torch.zeros(1, 2, 4, 4), {"scale_step": 1.0}, ValueError, "scale_step"),
        (torch.zeros(1, 2, 4, 4), {"warps": 0}, ValueError, "warps"),
        (torch.zeros(1, 2, 4, 4), {"data_range": 0}, ValueError, "data_range"),
        (torch.zeros(1, 2, 4, 4), {"data_range": "8 bit"}, TypeError, "data_range"),
        (torch.zeros(1, 2, 4, 4), {"lam": None}, TypeError, "lam=None.* number"),
        (torch.zeros(1, 2, 4, 4), {"scale_step": "half"}, TypeError, "scale_step"),
        (torch.zeros(1, 2, 4, 4), {"epsilon": [0.1]}, TypeError, "epsilon"),
        (
            torch.zeros(1, 2, 4, 4),
            {"initial_flow": torch.zeros(1, 2, 4, 4)},
            ValueError,
            "initial_flow",
        ),
    ],
)
def test_errors_say_what_is_wrong(frames, options, error, message):
    with pytest.raises(error, match=message):
        tvl1_flow(frames, **options)


def test_number_types_of_parameters():
    frames = moving_frames(1, 2, 20, 24)
    numpy = {"theta": np.float64(0.25), "epsilon": 0, "warps": np.int64(2)}
    expected = tvl1_flow(frames, theta=0.25, epsilon=0.0, warps=2)
    assert torch.equal(tvl1_flow(frames, **numpy), expected)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_has_no_derivative(backend):
    """It says so at once: a gradient of zero would train in silence."""
    frames, flow = moving_frames(1, 2, 9, 9), torch.zeros(1, 2, 1, 9, 9)

    def run(frames, initial_flow=flow):
        options = {"initial_flow": initial_flow, "backend": backend}
        return tvl1_flow(frames, "fast", **options).sum()

    with pytest.raises(NotImplementedError, match=r"frames.detach\(\), or use TVNet"):
        run(frames.clone().requires_grad_())
    with pytest.raises(NotImplementedError, match=r"initial_flow.detach\(\)"):
        run(frames, flow.clone().requires_grad_())
    for ask in (torch.func.grad, torch.func.jacrev, torch.func.jacfwd):
        with pytest.raises(NotImplementedError, match="no derivative"):
            ask(run)(frames)
    with torch.no_grad():
        assert run(frames.clone().requires_grad_()).isfinite()
    with torch.inference_mode():
        assert run(frames.clone()) == run(frames)


@pytest.mark.filterwarnings("error")
def test_under_vmap():
    frames = torch.stack([moving_frames(2, 3, 20, 24, seed=k) for k in range(2)])
    flow = torch.func.vmap(tvl1_flow)(frames)
    assert torch.equal(flow, torch.stack([tvl1_flow(f) for f in frames]))


def test_under_compile():
    frames = moving_frames(1, 2, 20, 24)
    compiled = torch.compile(
        lambda x: tvl1_flow(x) * 2, backend="eager", fullgraph=True
    )
    torch.testing.assert_close(compiled(frames), tvl1_flow(frames) * 2)


def test_as_accurate_as_opencv():
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2, "optflow"):
        pytest.skip("OpenCV lacks its contrib modules")
    frames = (moving_frames(1, 2, 96, 120, 2, -1) * 255).round().to(torch.uint8)
    first, second = frames[0].numpy()
    theirs = cv2.optflow.createOptFlow_DualTVL1().calc(first, second, None)
    ours = tvl1_flow(frames)[0, :, 0].permute(1, 2, 0).numpy()
    assert np.abs(ours - theirs).mean() < 0.01
