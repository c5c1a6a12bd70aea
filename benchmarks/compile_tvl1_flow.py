"""Compile the Triton kernels of TV-L1 flow without a GPU, and estimate their speed.

    python benchmarks/compile_tvl1_flow.py [--targets sm_80,sm_90,sm_100,gfx942]

Writes benchmarks/results/tvl1_flow_compile_triton_VERSION.json and a table of the same.
The estimate is of pairs of 340 x 256 on an H100, from the instructions of the loop over
iterations alone, if every scheduler issued one of them a clock and no pair stopped
early: an upper bound for that number of iterations, not a measurement.
"""

import argparse
from collections.abc import Mapping

import triton
from compile_repflow import (
    as_table,
    loops_of,
    target_of,
    timed_compile,
    usage_of,
    waits_of,
    write_tables,
)
from triton.compiler import ASTSource

from flowzoo_kernels.tvl1_flow import gpu
from flowzoo_kernels.tvl1_flow.options import PRESETS, level_sizes

INTEGERS = {"active_ptr", "count_ptr", "again_ptr"}
NUMBERS = {"bound", "theta", "ratio", "limit"}
WINDOW = {"STEPS": gpu.STEPS, "ROWS": gpu.ROWS, "COLS": gpu.COLS, "FILTERED": True}
BLOCK = {"BLOCK": gpu.BLOCK}
STOP = {"STEPS": gpu.STEPS, "LANES": 64, "COLUMNS": 8}
KERNELS = [  # name, kernel, constants, warps
    ("iterations", gpu.iterate_kernel, WINDOW | {"AGAIN": False}, gpu.NUM_WARPS),
    ("iterations, again", gpu.iterate_kernel, WINDOW | {"AGAIN": True}, gpu.NUM_WARPS),
    ("warp, bicubic", gpu.warp_kernel, BLOCK | {"BICUBIC": True}, 4),
    ("warp, bilinear", gpu.warp_kernel, BLOCK | {"BICUBIC": False}, 4),
    ("median of 3 x 3", gpu.median_kernel, BLOCK | {"SIDE": 3}, 4),
    ("median of 5 x 5", gpu.median_kernel, BLOCK | {"SIDE": 5}, 4),
    ("stop", gpu.stop_kernel, STOP, 4),
]
# Of an H100: multiprocessors, lanes that issue in a clock, clocks in a second.
H100 = 132, 128, 1.755e9


def type_of(name: str) -> str:
    if name == "side_ptr":
        return "*i64"
    if name in INTEGERS:
        return "*i32"
    if name.endswith("_ptr"):
        return "*fp32"
    return "fp32" if name in NUMBERS else "i32"


def compile_one(
    name: str, kernel, constants: Mapping, warps: int, target: str
) -> dict[str, object]:
    signature = {
        argument: "constexpr" if argument in constants else type_of(argument)
        for argument in kernel.arg_names
    }
    kind = target_of(target)
    if kind.warp_size == 64:
        warps = max(1, warps // 2)
    source = ASTSource(kernel, signature, constexprs=dict(constants))
    compiled, seconds = timed_compile(source, target, {"num_warps": warps})
    usage = usage_of(compiled)
    row = {"kernel": name, "target": target, "warps": warps}
    row["compile seconds"] = seconds
    row |= {"registers": usage["registers"], "spills": usage["spills"]}
    row["shared memory"] = compiled.metadata.shared
    if loops := loops_of(usage.get("sass", "")):
        longest = max(loops, key=len)
        row |= {"in the loop": len(longest)} | waits_of(longest)
        if name.startswith("iterations"):
            pixels = gpu.ROWS * gpu.COLS / (32 * warps)
            row["per pixel and iteration"] = round(len(longest) / pixels, 1)
    return row


def estimate(instructions: float, preset: str, h: int = 256, w: int = 340) -> dict:
    """Pairs per second on an H100, all iterations of the preset done."""
    options = PRESETS[preset]
    iterations = options.warps * options.outer_iterations * options.inner_iterations
    inner = (gpu.ROWS - 2 * gpu.STEPS), (gpu.COLS - 2 * gpu.STEPS)
    computed = sum(
        triton.cdiv(rows, inner[0]) * triton.cdiv(cols, inner[1]) * gpu.ROWS * gpu.COLS
        for rows, cols in level_sizes(h, w, options)
    )
    sm_count, lanes, clock = H100
    work = computed * iterations * instructions
    return {
        "preset": preset,
        "iterations of a level": iterations,
        "pairs per second at most": round(sm_count * lanes * clock / work),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--targets", default="sm_80,sm_90,sm_100,gfx942")
    args = parser.parse_args()
    triton.knobs.compilation.always_compile = True
    rows = []
    for target in args.targets.split(","):
        for kernel in KERNELS:
            rows.append(compile_one(*kernel, target))
            print(rows[-1], flush=True)
    counts = [row.get("per pixel and iteration") for row in rows]
    hopper = [
        c for c, row in zip(counts, rows, strict=True) if row["target"] == "sm_90"
    ]
    estimates = [estimate(hopper[0], preset) for preset in PRESETS] if hopper else []
    result = {"rows": rows, "H100, estimated": estimates}
    tables = [as_table(rows), as_table(estimates)] if estimates else [as_table(rows)]
    write_tables("tvl1_flow", result, "\n\n".join(tables))
    print(as_table(estimates))


if __name__ == "__main__":
    main()
