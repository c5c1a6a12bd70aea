import numpy as np
import pytest
import torch
from helpers.frame_pyramid_cases import CASES, LRN, check_pyramid, make_frames
from torch.library import opcheck

from flowzoo_kernels.frame_pyramid import cpu, frame_pyramid, op
from flowzoo_kernels.frame_pyramid.reference import local_response_norm, reduce_frames


@pytest.fixture(autouse=True)
def nan_filled_memory():
    """An element that no kernel writes shows."""
    before = torch.utils.deterministic.fill_uninitialized_memory
    torch.utils.deterministic.fill_uninitialized_memory = True
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = before


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


@pytest.mark.parametrize("size", [1, 4, 8, 9])
@pytest.mark.parametrize("channels", [1, 3, 4, 5, 6, 20])
def test_response_norm_is_torchs(channels, size):
    g = torch.Generator().manual_seed(0)
    frames = torch.rand(2, channels, 3, 4, 5, generator=g)
    expected = torch.nn.functional.local_response_norm(frames, size, 1.0, 0.7, 1.0)
    torch.testing.assert_close(local_response_norm(frames, size), expected)


@pytest.mark.parametrize("lrn", LRN, ids=str)
@pytest.mark.parametrize(("shape", "sizes"), CASES, ids=str)
def test_cpu(shape, sizes, lrn):
    check_pyramid(make_frames(shape), sizes, "cpu", lrn)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_types(dtype):
    shape, sizes = CASES[0]
    check_pyramid(make_frames(shape, dtype), sizes, "cpu")


def test_strides_and_empty():
    shape, sizes = CASES[0]
    frames = make_frames(shape)
    expected = frame_pyramid(frames, sizes, backend="cpu")
    layouts = {
        "channels last": frames.movedim(1, -1).contiguous().movedim(-1, 1),
        "frames first": frames.transpose(1, 2).contiguous().transpose(1, 2),
        "transposed": frames.mT.contiguous().mT,
    }
    for name, strided in layouts.items():
        got = frame_pyramid(strided, sizes, backend="cpu")
        for a, b in zip(got, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=0, msg=name)
    for backend in ("cpu", "reference"):
        empty = frame_pyramid(frames[:0], sizes, backend=backend)
        assert [e.shape[0] for e in empty] == [0] * len(sizes)


def test_threads_do_not_change_the_result():
    shape, sizes = CASES[0]
    frames = make_frames(shape)
    results = []
    for threads in (1, 3, 3):
        torch.set_num_threads(threads)
        results.append(frame_pyramid(frames, sizes, backend="cpu"))
    for other in results[1:]:
        assert all(map(torch.equal, other, results[0]))


def test_a_damaged_pixel_shows():
    shape, sizes = CASES[0]
    for place in ((1, 2, 3, 12, 18), (0, 0, 0, 0, 0), (1, 1, 1, 6, 7)):
        frames = make_frames(shape)
        frames[place] = torch.nan
        for result in frame_pyramid(frames, sizes, backend="cpu"):
            damaged = result.isnan().flatten(2).any(2)
            frame = slice(3 * place[2], 3 * place[2] + 3)
            assert damaged[place[0], frame].all()  # by the sum over channels
            assert damaged.sum() == 3


def test_operator_contract():
    frames = make_frames((2, 3, 2, 9, 8))
    opcheck(op._forward, (frames, [5, 9], [4, 3], 9, 1.0, 0.7, "cpu"))


def test_compile_and_vmap():
    shape, sizes = CASES[0]
    frames = make_frames(shape)
    expected = frame_pyramid(frames, sizes)

    def function(frames):
        return frame_pyramid(frames, sizes)

    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    assert all(map(torch.equal, compiled(frames), expected))
    mapped = torch.func.vmap(function)(frames.unsqueeze(1))
    for a, b in zip(mapped, expected, strict=True):
        torch.testing.assert_close(a.flatten(0, 1), b)


def test_the_rule_can_fail(monkeypatch):
    original = cpu.forward
    monkeypatch.setattr(cpu, "forward", lambda *args: original(*args).flip(0))
    with pytest.raises(AssertionError, match="error"):
        check_pyramid(make_frames((1, 3, 2, 9, 8)), [(5, 4)], "cpu")


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"frames": torch.rand(3, 2, 9, 8)}, ValueError, r"\(N, C, T, H, W\)"),
        ({"frames": torch.rand(1, 3, 2, 0, 8)}, ValueError, "one pixel"),
        ({"frames": torch.ones(1, 3, 2, 9, 8).int()}, TypeError, "floating"),
        (
            {"frames": torch.rand(1, 3, 2, 9, 8, requires_grad=True)},
            ValueError,
            "requires grad",
        ),
        ({"sizes": []}, ValueError, "no sizes"),
        ({"sizes": [(10, 4)]}, ValueError, "may not be larger"),
        ({"sizes": [(3, 0)]}, ValueError, "cannot be reduced"),
        ({"sizes": [(3, 2.9)]}, TypeError, "sizes=2.9, but a whole number"),
        ({"lrn_size": 0}, ValueError, "lrn_size=0"),
        ({"lrn_alpha": -1.0}, ValueError, "lrn_alpha=-1.0.*not be negative"),
        ({"lrn_alpha": "one"}, TypeError, "lrn_alpha='one'.* number"),
        ({"lrn_alpha": float("inf")}, ValueError, "lrn_alpha=inf.* finite"),
        ({"lrn_beta": None}, TypeError, "lrn_beta=None.* number"),
        ({"lrn_beta": float("nan")}, ValueError, "lrn_beta=nan.* finite"),
        ({"backend": "triton"}, ValueError, "needs GPU tensors"),
        (
            {"frames": torch.rand(1, 7, 2, 9, 8), "backend": "triton"},
            NotImplementedError,
            "reference",
        ),
    ],
)
def test_errors_say_what_was_wrong(changed, error, message):
    arguments = {"frames": torch.rand(1, 3, 2, 9, 8), "sizes": [(5, 4)]}
    with pytest.raises(error, match=message):
        frame_pyramid(**arguments | changed)
