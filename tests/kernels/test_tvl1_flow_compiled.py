"""The Triton kernels of TV-L1 flow, compiled for several GPUs without one."""

import pytest

pytest.importorskip("triton")

from helpers.triton_compiler import compiled_resources

from flowzoo_kernels.tvl1_flow import gpu

INTEGERS = ("active_ptr", "count_ptr", "again_ptr")
NUMBERS = ("bound", "theta", "ratio", "limit")


def types_of(kernel):
    pointers = [name for name in kernel.arg_names if name.endswith("_ptr")]
    types = dict.fromkeys(pointers, "*fp32") | dict.fromkeys(INTEGERS, "*i32")
    return types | dict.fromkeys(NUMBERS, "fp32") | {"side_ptr": "*i64"}


def check(kernel, constants, sm, warps=4):
    registers, spills = compiled_resources(
        kernel, types_of(kernel), constants, sm, warps=warps
    )
    assert spills == 0
    assert registers * 32 * warps <= 65536


@pytest.mark.parametrize("sm", [80, 90])
def test_compiles_without_spills(sm):
    window = {"STEPS": gpu.STEPS, "ROWS": gpu.ROWS, "COLS": gpu.COLS}
    for flags in ((False, False), (True, False), (True, True)):
        constants = window | dict(zip(("FILTERED", "AGAIN"), flags, strict=True))
        check(gpu.iterate_kernel, constants, sm, gpu.NUM_WARPS)
    for bicubic in (True, False):
        check(gpu.warp_kernel, {"BICUBIC": bicubic, "BLOCK": gpu.BLOCK}, sm)
    for side in (3, 5):
        check(gpu.median_kernel, {"SIDE": side, "BLOCK": gpu.BLOCK}, sm)
    check(gpu.stop_kernel, {"STEPS": gpu.STEPS, "LANES": 64, "COLUMNS": 8}, sm)
