"""The Triton kernels of motion_loss, compiled for several GPUs without one."""

import pytest

pytest.importorskip("triton")

import count_compiles
from helpers.triton_compiler import compiled, compiled_resources

from flowzoo_kernels.motion_loss import gpu

FLOATS = ("scale", "p_alpha", "p_beta", "s_alpha", "s_beta", "eps2", "c1", "c2")
FLOATS += ("p_factor", "s_factor", "ssim_factor")


@pytest.mark.parametrize("sm", [80, 90])
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_compiles_without_spills(sm, dtype):
    types = dict.fromkeys(("target_ptr", "source_ptr", "flow_ptr"), f"*{dtype}")
    types |= dict.fromkeys(("table_ptr", "gradient_ptr", "sums_ptr"), "*fp32")
    types |= dict.fromkeys(FLOATS, "fp32")
    for side, across, limit in ((8, 1, 128), (32, 1, 255)):
        warps = gpu.warps(side, across)
        for gradient in (True, False):
            constants = {"GRADIENT": gradient, "SIDE": side, "ACROSS": across}
            arguments = gpu.motion_loss_kernel, types, constants, sm, warps
            registers, spills = compiled_resources(*arguments)
            assert spills == 0
            assert registers <= limit
            waits = "bar.sync" in compiled(*arguments).asm["ptx"]
            assert waits == (warps > 1)


def test_clips_of_all_sizes_share_kernels():
    """Of the losses, the frames and the warp, where memory is aligned to 16 bytes."""

    def count(*shapes):
        calls = [(shape,) for shape in shapes]
        return count_compiles.count(count_compiles.call_losses, calls)

    first = (1, 3, 2, 256, 256)
    one = count(first)
    assert count(first, (2, 3, 11, 288, 384), (16, 3, 4, 256, 400)) == one
    assert one["backward_kernel"] == one["rows_kernel"] == 1
