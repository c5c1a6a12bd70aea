"""The Triton kernels of representation flow, compiled for several GPUs without one."""

import pytest

pytest.importorskip("triton")

import compile_repflow
import count_compiles
import triton

from flowzoo_kernels.repflow.gpu import tiling

VARIANTS = ("paper", "tvl1")
# Of the innermost loop on Triton 3.6, 3.7 and 3.9: instructions for a pixel, 5 % more
# than the most that were counted, and barriers by the size of the map.
LOOPS = {
    ("forward", "tvl1"): (55, {14: 0, 28: 8, 56: 16}),
    ("forward", "paper"): (67, {14: 0, 28: 20, 56: 40}),
    ("backward", "tvl1"): (159, {14: 16, 28: 16, 56: 16}),
    ("backward", "paper"): (189, {14: 40, 28: 40, 56: 40}),
}
# Other versions spill outside the loops.
SPILLS = 0 if triton.__version__.startswith("3.7.") else 60


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("kind", "target", "size"),
    [
        ("forward", "sm_80", 14),
        ("forward", "sm_90", 14),  # 7 x 7 has the same kernel
        ("forward", "sm_90", 28),
        ("forward", "sm_90", 56),
        ("backward", "sm_90", 14),
        ("backward", "sm_80", 28),
        ("backward", "sm_90", 56),  # 112 x 112 has the same kernel
    ],
)
def test_compiles_without_spills(kind, target, size, variant):
    check(kind, variant, target, size, edges=(False,))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("kind", "size"), [("forward", 28), ("backward", 14)])
def test_compiles_with_an_initial_flow(kind, size, variant):
    check(kind, variant, "sm_90", size, initial_flow=True)


def test_compiles_with_an_initial_flow_for_tiles():
    # The first of several launches.
    check("backward", "tvl1", "sm_90", 56, edges=(True,), initial_flow=True)


def check(kind, variant, target, size, **options):
    """Little or nothing spills, and the loops are as short as they were counted."""
    row = compile_repflow.compile_one(kind, variant, target, size, "float32", **options)
    assert row["spills"] <= SPILLS, row
    instructions, barriers = LOOPS[kind, variant]
    assert row["per pixel and iteration"] <= instructions, row
    # Barriers are for the exchange between strips alone, not for changes of layout.
    assert row["barriers"] == row["shared accesses"] == barriers[size], row


@pytest.mark.parametrize("kind", ["forward", "backward"])
def test_compiles_where_every_size_is_one(kind):
    """Triton makes a constant of an argument that is 1."""
    kernel = {
        "forward": compile_repflow.gpu.forward_kernel,
        "backward": compile_repflow.gpu.backward_kernel,
    }[kind]
    shape = tiling.fit_whole_maps(1, 1, 1, tiling.FORWARD)
    plan = tiling.whole_maps(shape, 1)
    constants = {"K": compile_repflow.gpu.constants(plan, "tvl1", False)}
    constants |= {"FIRST": True, "LAST": True, "SUMS": 64}
    for name in kernel.arg_names:
        if name.startswith("NEED"):
            constants[name] = True
        elif name.startswith(("initial", "linearized")):
            constants[name] = None
        elif not name.endswith("_ptr"):
            constants.setdefault(name, 1)
    constants = {k: v for k, v in constants.items() if k in kernel.arg_names}
    source = compile_repflow.source_of(kernel, "float32", constants)
    target = compile_repflow.target_of("sm_90")
    options = compile_repflow.gpu.options(plan)
    assert triton.compile(source, target=target, options=options)


@pytest.mark.parametrize(
    ("learned", "kernels"),
    # Sobel's filters and others have a kernel each; those that are trained are others.
    [(count_compiles.DEFAULT_LEARNED, 2), (count_compiles.PARAMETERS, 1)],
)
def test_clip_lengths_share_kernels(learned, kernels):
    calls = [((2, 32, t, 14, 14), "paper", learned) for t in range(2, 18)]
    assert count_compiles.count(count_compiles.call, calls) == {
        "forward_kernel": kernels,
        "backward_kernel": kernels,
        "parameter_gradients_kernel": 1,
    }
