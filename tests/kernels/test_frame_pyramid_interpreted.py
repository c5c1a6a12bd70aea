"""The Triton kernels of normalized and reduced frames, without a GPU."""

import pytest
from helpers.triton_without_gpu import compiled_resources, run_interpreted

pytest.importorskip("triton")

# The interpreter takes some milliseconds for every row of a program.
INTERPRETED = """
import torch
from flowzoo_kernels.frame_pyramid import op
from helpers.frame_pyramid_cases import CASES, LRN, check_pyramid, make_frames
from flowzoo_kernels.frame_pyramid import frame_pyramid

# on the CPU, where the kernels are interpreted
original = op.checks.resolve_backend
op.checks.resolve_backend = lambda b, d, excluded: 1 / 0 if b in excluded else b

for shape, sizes in (
    ((1, 3, 2, 13, 9), [(7, 5), (13, 9), (4, 3), (1, 1), (2, 9)]),
    ((1, 1, 1, 1, 1), [(1, 1)]),
    ((1, 4, 1, 1, 37), [(1, 5)]),
    ((1, 2, 1, 9, 1), [(8, 1), (2, 1), (1, 1)]),
):
    check_pyramid(make_frames(shape), sizes, "triton")
for dtype in (torch.float16, torch.bfloat16):
    check_pyramid(make_frames((1, 3, 1, 6, 7), dtype), [(5, 3), (1, 4)], "triton")
check_pyramid(make_frames((1, 2, 1, 6, 7)), [(5, 3)], "triton", LRN[1])

frames, sizes = make_frames((2, 3, 2, 5, 6)), [(4, 3), (2, 5)]
expected = frame_pyramid(frames, sizes, backend="triton")
strided = frames.transpose(1, 2).contiguous().mT.contiguous().mT.transpose(1, 2)
for got, want in zip(frame_pyramid(strided, sizes, backend="triton"), expected):
    assert torch.equal(got, want)
empty = frame_pyramid(frames[:0], sizes, backend="triton")
assert empty[0].shape == (0, 6, 4, 3)
"""


def test_interpreted():
    run_interpreted(INTERPRETED)


@pytest.mark.parametrize("sm", [80, 90])
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_compiles_without_spills(sm, dtype):
    from flowzoo_kernels.frame_pyramid import gpu

    types = {
        "frames_ptr": f"*{dtype}",
        "lower_ptr": "*i32",
        "first_ptr": "*i32",
        "integers_ptr": "*i64",
        "factor": "fp32",
        "power": "fp32",
    }
    floats = ("shares_ptr", "tall_ptr", "weights_ptr", "out_ptr")
    types |= dict.fromkeys(floats, "*fp32")
    constants = {"SIZES": 8, "CHANNELS": 4, "COLUMNS": 32}
    _, spills = compiled_resources(gpu.rows_kernel, types, constants, sm, warps=1)
    assert spills == 0
    _, spills = compiled_resources(gpu.columns_kernel, types, {"BLOCK": 128}, sm)
    assert spills == 0
