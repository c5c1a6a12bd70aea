"""The Triton kernels of frame_pyramid, compiled for several GPUs without one."""

import pytest

pytest.importorskip("triton")

from helpers.triton_compiler import compiled, compiled_resources

from flowzoo_kernels.frame_pyramid import gpu


@pytest.mark.parametrize("sm", [80, 90])
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_compiles_without_spills(sm, dtype):
    types = {
        "frames_ptr": f"*{dtype}",
        "rows_ptr": "*i32",
        "first_ptr": "*i32",
        "integers_ptr": "*i64",
        "factor": "fp32",
        "power": "fp32",
    }
    floats = ("shares_ptr", "tall_ptr", "weights_ptr", "out_ptr")
    types |= dict.fromkeys(floats, "*fp32")
    constants = {"SIZES": 5, "CHANNELS": 4, "COLUMNS": 32}
    for contiguous in ({}, {"sw": 1}):
        arguments = gpu.rows_kernel, types, constants | contiguous, sm, 1
        registers, spills = compiled_resources(*arguments)
        assert spills == 0
        assert registers <= 160  # so that three warps fit on a scheduler
        # Each thread has its columns; Triton 3.6 exchanges values once, at the end.
        assert compiled(*arguments).asm["ptx"].count("bar.sync") <= 1
    _, spills = compiled_resources(gpu.columns_kernel, types, {"BLOCK": 128}, sm)
    assert spills == 0
