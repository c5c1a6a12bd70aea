"""The Triton kernels of warp, compiled for several GPUs without one."""

import re

import pytest

pytest.importorskip("triton")

from helpers.triton_compiler import compiled, compiled_resources

from flowzoo_kernels.warp import gpu


@pytest.mark.parametrize("sm", [80, 90])
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_compiles_without_spills(sm, dtype):
    pointers = ("image_ptr", "flow_ptr", "out_ptr", "grad_ptr", "flow_grad_ptr")
    types = dict.fromkeys(pointers, f"*{dtype}") | {"image_grad_ptr": "*fp32"}
    for border in (False, True):
        constants = {"BORDER": border, "BLOCK": gpu.BLOCK}
        _, spills = compiled_resources(gpu.forward_kernel, types, constants, sm)
        assert spills == 0
        for needs in ((True, True), (True, False), (False, True)):
            wanted = dict(zip(("IMAGE_GRAD", "FLOW_GRAD"), needs, strict=True))
            wanted |= constants
            _, spills = compiled_resources(gpu.backward_kernel, types, wanted, sm)
            assert spills == 0
            # adding waits for no other thread of the program, nor orders memory
            ptx = compiled(gpu.backward_kernel, types, wanted, sm).asm["ptx"]
            assert not re.search(r"\b(bar\.sync|fence|acq_rel)", ptx)
            assert ("atom.global.gpu.relaxed" in ptx) == needs[0]
