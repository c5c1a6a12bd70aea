"""Compile the Triton kernels without a GPU; seconds, registers, spills, SASS.

    python benchmarks/compile_repflow.py [--targets sm_80,sm_90] [--sizes 14,28,56]
                                         [--before JSON]

Writes benchmarks/results/repflow_compile_triton_VERSION.json and a table of the same,
where "a -> b" is what an earlier file of results says and what is true now.
Instructions per pixel and iteration are those of the innermost loop that does the work,
divided by the pixels of a thread.
"""

import argparse
import itertools
import json
import re
import subprocess
import tempfile
from pathlib import Path

import timing
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from flowzoo_kernels.repflow.gpu import launches as gpu
from flowzoo_kernels.repflow.gpu import tiling

# For which launches are planned, and the states computed again are counted.
MAPS, N_ITERS = 480, 20
# On tiles, the kernel of which there are most launches comes first: forward it is not
# the last one, backward not the first.
EDGES = False, True
TOOLS = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
FEATURES = {"x_ptr", "out_ptr", "grad_ptr"}  # of the caller's type, the rest float32
NAMES = "kernel", "variant", "target", "dtype", "map"  # of a row
TYPES = {"float32": "*fp32", "bfloat16": "*bf16", "float16": "*fp16"}


def target_of(name: str) -> GPUTarget:
    if name.startswith("sm_"):
        return GPUTarget("cuda", int(name[3:]), 32)
    return GPUTarget("hip", name, 64)


def source_of(kernel, dtype: str, constants: dict) -> ASTSource:
    """Every integer is an argument, as in a call with no special sizes."""
    signature, attributes = {}, {}
    for index, name in enumerate(kernel.arg_names):
        if name in constants:
            signature[name] = "constexpr"
        elif name.endswith("_ptr"):
            signature[name] = TYPES[dtype if name in FEATURES else "float32"]
        else:
            signature[name] = "i32"
        if signature[name].startswith("*"):
            attributes[(index,)] = [["tt.divisibility", 16]]
    return ASTSource(kernel, signature, constants, attributes)


def loops_of(sass: str) -> list[list[str]]:
    """Instructions of each innermost loop, from a backward branch's target to it."""
    lines = re.findall(r"/\*([0-9a-f]{4,})\*/\s+(@!?U?P\w+\s+)?([A-Z][\w.]*)(.*)", sass)
    addresses = [int(address, 16) for address, *_ in lines]
    names = [name for _, _, name, _ in lines]
    loops = []
    for at, (_, _, name, rest) in zip(addresses, lines, strict=True):
        target = re.search(r"0x([0-9a-f]+)", rest)
        if name.startswith("BRA") and target and int(target[1], 16) < at:
            begin = int(target[1], 16)
            loops.append((begin, at))
    innermost = [
        (b, e)
        for b, e in loops
        if not any(o != (b, e) and b <= o[0] and o[1] <= e for o in loops)
    ]
    return [
        [name for a, name in zip(addresses, names, strict=True) if begin <= a <= end]
        for begin, end in innermost
    ]


def timed_compile(source: ASTSource, target: str, options: dict) -> tuple:
    """The compiled kernel, and the CPU seconds that it took."""
    start = timing.cpu_seconds()
    compiled = triton.compile(source, target=target_of(target), options=options)
    return compiled, round(timing.cpu_seconds() - start, 1)


def waits_of(loop: list[str]) -> dict[str, int]:
    """Barriers and accesses of shared memory in a loop."""
    return {
        "barriers": sum(name.startswith("BAR") for name in loop),
        "shared accesses": sum(name.startswith(("LDS", "STS")) for name in loop),
    }


def usage_of(compiled) -> dict:
    """Registers and spills, and for NVIDIA the disassembly."""
    if "cubin" not in compiled.asm:
        assembly = compiled.asm["amdgcn"]
        return {
            "registers": int(re.search(r"\.vgpr_count:\s+(\d+)", assembly)[1]),
            "spills": int(re.search(r"\.vgpr_spill_count:\s+(\d+)", assembly)[1]),
        }
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(compiled.asm["cubin"])
        file.flush()
        usage = run(TOOLS / "cuobjdump", "-res-usage", file.name)
        sass = run(TOOLS / "cuobjdump", "-sass", file.name)
    spills = int(re.search(r"STACK:(\d+)", usage)[1])
    spills += len(re.findall(r"\b(?:STL|LDL)\b", sass))
    registers = int(re.search(r"REG:(\d+)", usage)[1])
    return {"registers": registers, "spills": spills, "sass": sass}


def compile_one(
    kind: str,
    variant: str,
    target: str,
    size: int,
    dtype: str,
    sobel: bool = True,
    edges: tuple[bool, ...] = EDGES,
    initial_flow: bool = False,
) -> dict:
    """One kernel as it is launched for maps of size x size.

    Args:
        kind: 'forward', 'backward' or 'backward, all gradients'.
        sobel: whether paper's flow kernels are the Sobel filters it starts from.
        edges: kernels on tiles; the row has the most registers and spills of them.
        initial_flow: whether one is given, and in the backward pass its gradient, too.
    """
    row = {"kernel": kind, "variant": variant, "target": target, "dtype": dtype}
    row["map"] = size
    sobel = sobel and variant == "paper"
    if variant == "paper" and not sobel:
        row["variant"] = "paper, learned filters"
    maps = torch.empty(MAPS, 1, 2, size, size, device="meta")
    if kind == "forward":
        kernel, edge_name = gpu.forward_kernel, "LAST"
        plan = tiling.plan_forward(maps, N_ITERS, variant == "paper")
        launched = {} if plan.halo_before else {"old_ptr": None}
    else:
        kernel, edge_name = gpu.backward_kernel, "FIRST"
        plan, _ = tiling.plan_backward(maps, N_ITERS, variant == "paper")
        everything = kind == "backward, all gradients"
        launched = {"NEED_X": True, "NEED_DIV": True, "SUMS": gpu.SUMS}
        launched |= {"NEED_IMAGE": everything, "NEED_FLOW": everything}
    if initial_flow:
        row["variant"] += ", initial flow"
    else:
        absent = {"initial_ptr", "initial_grad_ptr"}
        launched |= {name: None for name in kernel.arg_names if name in absent}
    launched["K"] = gpu.constants(plan, variant, sobel, sobel)
    options = gpu.options(plan, target_of(target).warp_size)
    usages, seconds = [], []
    for edge in edges if plan.halo_before else EDGES[1:]:
        source = source_of(kernel, dtype, launched | {edge_name: edge})
        compiled, passed = timed_compile(source, target, options)
        seconds.append(passed)
        usages.append(usage_of(compiled))
    pixels = plan.shape.ROWS * plan.shape.COLS
    row |= {
        "patch": f"{plan.shape.ROWS}x{plan.shape.COLS}",
        "warps": options["num_warps"],
    }
    if plan.halo_before:
        row |= {"maps per program": "a tile", "iterations": plan.iterations}
        row["computed per pixel"] = round(plan.computed, 2)
        row["bytes per pixel and iteration"] = round(plan.bytes)
    else:
        maps = plan.shape.maps_per_program
        patches = 32 * plan.shape.GROUPS * pixels
        row |= {"maps per program": maps, "iterations": "all"}
        row["computed per pixel"] = round(patches / (maps * size * size), 2)
    if triton.knobs.compilation.always_compile:
        row["compile seconds"] = max(seconds)
    row["shared memory"] = compiled.metadata.shared
    for name in ("registers", "spills"):
        row[name] = max(usage[name] for usage in usages)
    if sass := usages[0].get("sass"):
        loops = loops_of(sass)
        row |= waits_of(max(loops, key=len))
        loops = [len(loop) / pixels for loop in loops]
        row["per pixel and iteration"] = round(max(loops), 1)
        if kind != "forward":
            # The first loop computes states again; see backward_kernel.
            again = 1
            if not plan.halo_before:
                segment, segments = tiling.segments_of(N_ITERS)
                again = (N_ITERS - 1 + (segments - 1) * (segment - 1)) / N_ITERS
            row["with recomputation"] = round(max(loops) + min(loops) * again, 1)
    return row


def run(*command) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def as_table(rows: list[dict], before: list[dict] = ()) -> str:
    """A table in Markdown; "a -> b" where a row is other than before."""
    earlier = {tuple(row.get(name) for name in NAMES): row for row in before}
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for row in rows:
        old = earlier.get(tuple(row.get(name) for name in NAMES), {})
        cells = [str(row.get(column, "-")) for column in columns]
        for i, column in enumerate(columns):
            if column in old and str(old[column]) != cells[i]:
                cells[i] = f"{old[column]} -> {cells[i]}"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rows_before(path: Path | None) -> list[dict]:
    return json.loads(path.read_text())["rows"] if path else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--targets", default="sm_80,sm_90,sm_100,gfx942")
    parser.add_argument("--sizes", default="7,14,28,56,112")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--before", type=Path, help="results of earlier kernels")
    args = parser.parse_args()
    triton.knobs.compilation.always_compile = True
    before, rows = rows_before(args.before), []
    for target in args.targets.split(","):
        cases = itertools.product(
            ("forward", "backward", "backward, all gradients"),
            (("tvl1", True), ("paper", True), ("paper", False)),
            args.dtypes.split(","),
            map(int, args.sizes.split(",")),
            (False, True),
        )
        for kind, (variant, sobel), dtype, size, initial in cases:
            if dtype != "float32" and (kind, size) != ("forward", 14):
                continue  # only loads and stores differ
            if initial and (dtype != "float32" or size not in (14, 56) or not sobel):
                continue  # only what comes before and after the loops differs
            if kind == "backward, all gradients" and variant == "paper" and sobel:
                continue  # filters that are trained are not taken for Sobel's
            try:
                row = compile_one(
                    kind, variant, target, size, dtype, sobel, initial_flow=initial
                )
            except Exception as error:
                row = {"kernel": kind, "variant": variant, "target": target}
                row |= {"map": size, "error": f"{type(error).__name__}: {error}"[:300]}
            print(row, flush=True)
            rows.append(row)
            result = {"torch": torch.__version__, "rows": rows}
            write_tables("repflow", result, as_table(rows, before))


def write_tables(operator: str, result: dict, table: str) -> None:
    """Of the installed Triton, beside those of other versions."""
    version = triton.__version__
    path = timing.OUTPUT / f"{operator}_compile_triton_{version}.json"
    timing.write(path, {"triton": version} | result)
    path.with_suffix(".md").write_text(table + "\n")


if __name__ == "__main__":
    main()
