"""The bounds are of the loops that the kernels have today."""

import platform
import shutil

import pytest

pytest.importorskip("numba")
import cpu_bounds


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or not shutil.which("llvm-mca"),
    reason="needs x86-64 and llvm-mca",
)
def test_loops_are_found():
    rows = cpu_bounds.compiled_rows()
    for iteration in cpu_bounds.ITERATION.values():
        for loop in iteration.loops:
            cost = cpu_bounds.cost_of(loop, rows[loop.row])
            # each multiply-add occupies one of two ports
            assert cost["ports"] >= loop.multiply_adds / 2
            assert cost["pipeline"] >= 0.99 * cost["ports"]
            assert cost["instructions"] > loop.multiply_adds + loop.stores


def test_an_old_llvm_is_refused():
    cpu_bounds.check_version("19.1.7")
    with pytest.raises(SystemExit, match=r"LLVM 14\.0\.6"):
        cpu_bounds.check_version("14.0.6")
