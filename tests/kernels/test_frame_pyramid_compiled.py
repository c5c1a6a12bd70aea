"""The Triton kernels of frame_pyramid, compiled for several GPUs without one."""

import pytest

pytest.importorskip("triton")

from helpers.triton_compiler import compiled_resources

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
    _, spills = compiled_resources(gpu.rows_kernel, types, constants, sm, warps=1)
    assert spills == 0
    _, spills = compiled_resources(gpu.columns_kernel, types, {"BLOCK": 128}, sm)
    assert spills == 0
