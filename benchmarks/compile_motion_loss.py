"""Compile the kernels of warp, motion losses and their frames without a GPU.

    python benchmarks/compile_motion_loss.py [--targets sm_80,sm_90] [--before JSON]

Writes benchmarks/results/motion_loss_compile_triton_VERSION.json and a table ("a -> b"
is what an earlier file of results says and what is true now): CPU seconds of compiling,
registers, spills, shared memory, and for NVIDIA the machine's instructions, of the
kernel (barriers and fences are counted alone, too) and of its longest innermost loop:
over the channels, or four of them at a time where the compiler unrolls it; over four
rows for `frames, rows`.
"""

import argparse
import re
from pathlib import Path

import torch
import triton
from compile_repflow import (
    TYPES,
    as_table,
    loops_of,
    rows_before,
    timed_compile,
    usage_of,
    waits_of,
    write_tables,
)
from triton.compiler import ASTSource

from flowzoo_kernels._common.triton_options import LAUNCH_OPTIONS
from flowzoo_kernels.frame_pyramid import gpu as frames_gpu
from flowzoo_kernels.motion_loss import gpu as loss_gpu
from flowzoo_kernels.warp import gpu as warp_gpu

CALLERS = {"image_ptr", "flow_ptr", "grad_ptr", "target_ptr", "source_ptr"}
CALLERS |= {"frames_ptr"}  # of the caller's type, the rest float32 or integers
INTEGERS = {"rows_ptr": "*i32", "first_ptr": "*i32", "integers_ptr": "*i64"}
NUMBERS = {"scale", "p_alpha", "p_beta", "s_alpha", "s_beta", "eps2", "c1", "c2"}
NUMBERS |= {"p_factor", "s_factor", "ssim_factor", "factor", "power"}

WARP = {"BORDER": False, "BLOCK": warp_gpu.BLOCK}
BORDER = {"BORDER": True}
BOTH = WARP | {"IMAGE_GRAD": True, "FLOW_GRAD": True}
FLOW_ONLY = WARP | {"IMAGE_GRAD": False, "FLOW_GRAD": True}
WINDOWS = {"SIDE": 8, "ACROSS": 1}
WINDOW_WARPS = loss_gpu.warps(8, 1)
KERNELS = [  # name, kernel, constants, warps
    ("warp, forward", warp_gpu.forward_kernel, WARP, 4),
    ("warp, forward, border", warp_gpu.forward_kernel, WARP | BORDER, 4),
    ("warp, both gradients", warp_gpu.backward_kernel, BOTH, 4),
    ("warp, both gradients, border", warp_gpu.backward_kernel, BOTH | BORDER, 4),
    ("warp, flow's gradient", warp_gpu.backward_kernel, FLOW_ONLY, 4),
    ("warp, flow's gradient, border", warp_gpu.backward_kernel, FLOW_ONLY | BORDER, 4),
    (
        "losses",
        loss_gpu.motion_loss_kernel,
        WINDOWS | {"GRADIENT": False},
        WINDOW_WARPS,
    ),
    (
        "losses and gradient",
        loss_gpu.motion_loss_kernel,
        WINDOWS | {"GRADIENT": True},
        WINDOW_WARPS,
    ),
    (
        "losses and gradient, windows of 32",
        loss_gpu.motion_loss_kernel,
        {"SIDE": 32, "ACROSS": 1, "GRADIENT": True},
        loss_gpu.warps(32, 1),
    ),
    (
        "frames, rows",
        frames_gpu.rows_kernel,
        {"SIZES": 5, "CHANNELS": 4, "COLUMNS": frames_gpu.COLUMNS},
        1,
    ),
    ("frames, columns", frames_gpu.columns_kernel, {"BLOCK": frames_gpu.BLOCK}, 4),
]

# beside all instructions of the kernel, those that wait for other threads
COUNTED = {"barriers": r"BAR\.\S+", "fences": r"MEMBAR\S*|ERRBAR|CCTL\S*"}


def type_of(name: str, dtype: str) -> str:
    if name in CALLERS:
        return TYPES[dtype]
    if name.endswith("_ptr"):
        return INTEGERS.get(name, "*fp32")
    return "fp32" if name in NUMBERS else "i32"


def compile_one(kernel, constants: dict, warps: int, target: str, dtype: str) -> dict:
    signature, attributes = {}, {}
    for index, name in enumerate(kernel.arg_names):
        if name in constants:
            signature[name] = "constexpr"
            continue
        signature[name] = type_of(name, dtype)
        if name.endswith("_ptr"):  # as torch allocates
            attributes[(index,)] = [["tt.divisibility", 16]]
    source = ASTSource(kernel, signature, constants, attributes)
    options = {"num_warps": warps} | LAUNCH_OPTIONS
    compiled, seconds = timed_compile(source, target, options)
    row = {"warps": warps, "compile seconds": seconds}
    row |= {"shared memory": compiled.metadata.shared} | usage_of(compiled)
    if sass := row.pop("sass", None):
        row["instructions"] = len(re.findall(r"/\*[0-9a-f]{4,}\*/\s+\S.*;", sass))
        for name, pattern in COUNTED.items():
            row[name] = len(re.findall(rf"\s(?:{pattern})\b", sass))
        if loops := loops_of(sass):
            longest = max(loops, key=len)
            row["in the loop"] = len(longest)
            row["shared accesses"] = waits_of(longest)["shared accesses"]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--targets", default="sm_80,sm_90,sm_100,gfx942")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--before", type=Path, help="results of earlier kernels")
    args = parser.parse_args()
    triton.knobs.compilation.always_compile = True
    rows = []
    for target in args.targets.split(","):
        for dtype in args.dtypes.split(","):
            for name, kernel, constants, warps in KERNELS:
                if dtype != "float32" and target != "sm_90":
                    continue  # only loads and stores differ
                row = {"kernel": name, "target": target, "dtype": dtype}
                row |= compile_one(kernel, constants, warps, target, dtype)
                print(row, flush=True)
                rows.append(row)
    result = {"torch": torch.__version__, "rows": rows}
    write_tables("motion_loss", result, as_table(rows, rows_before(args.before)))


if __name__ == "__main__":
    main()
