"""Compile the Triton kernels without a GPU; registers, spills, shared memory, SASS.

    python benchmarks/compile_repflow.py [--targets sm_80,sm_90] [--sizes 7,14,28,44]

Writes benchmarks/results/repflow_compile.json and a table of the same. Instructions
per pixel and iteration are those of the innermost loop that does the work, divided by
the pixels of a thread.
"""

import argparse
import json
import re
import subprocess
import tempfile
from pathlib import Path

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from flowzoo_kernels._common import launch
from flowzoo_kernels.repflow import gpu, gpu_large, gpu_launch

RESULTS = Path(__file__).parent / "results"
TOOLS = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
FEATURES = {"x_ptr", "out_ptr", "grad_ptr"}  # of the caller's type, the rest float32
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


def loops_of(sass: str) -> list[int]:
    """Instructions of every loop: from a backward branch's target to the branch."""
    lines = re.findall(r"/\*([0-9a-f]{4,})\*/\s+(@!?U?P\w+\s+)?([A-Z][\w.]*)(.*)", sass)
    addresses = [int(address, 16) for address, *_ in lines]
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
    return [sum(b <= a <= e for a in addresses) for b, e in innermost]


def compile_large(variant: str, target: str) -> list[dict]:
    """The kernels of maps that do not fit in registers, with all gradients."""
    rows = []
    for name in ("prepare", "u", "p", "p_back", "u_back", "maps_back"):
        kernel = getattr(gpu_large, f"{name}_kernel")
        constants = {
            constant: {"PAPER": variant == "paper", "SUMS": gpu_launch.SUMS}.get(
                constant, gpu_launch.LARGE_BLOCK if constant == "BLOCK" else True
            )
            for constant in kernel.arg_names
            if constant.isupper()
        }
        source = source_of(kernel, "float32", constants)
        compiled = triton.compile(source, target=target_of(target))
        row = {"kernel": f"large maps, {name}", "variant": variant, "target": target}
        row |= {"dtype": "float32", "map": "any", "maps per program": "-"}
        row |= {"block": gpu_launch.LARGE_BLOCK, "warps": 4}
        row["shared memory"] = compiled.metadata.shared
        row |= usage_of(compiled)
        row.pop("sass", None)
        rows.append(row)
    return rows


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


def compile_one(kind: str, variant: str, target: str, size: int, dtype: str) -> dict:
    paper = variant == "paper"
    planes, block, warps = launch.pack(size * size, 1 << 20, paper)
    constants = {"PAPER": paper, "BLOCK": block}
    kernel = gpu.forward_kernel
    if kind != "forward":
        kernel = gpu.backward_kernel
        everything = kind == "backward, all gradients"
        constants |= {"NEED_X": True, "NEED_DIV": True, "SUMS": 64}
        constants |= {"NEED_IMAGE": everything, "NEED_FLOW": everything}
    compiled = triton.compile(
        source_of(kernel, dtype, constants),
        target=target_of(target),
        options={"num_warps": warps},
    )
    row = {"kernel": kind, "variant": variant, "target": target, "dtype": dtype}
    row |= {"map": size, "maps per program": planes, "block": block, "warps": warps}
    row["shared memory"] = compiled.metadata.shared
    row |= usage_of(compiled)
    if sass := row.pop("sass", None):
        pixels = block // (32 * warps)
        row["per pixel and iteration"] = round(max(loops_of(sass)) / pixels, 1)
    return row


def run(*command) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def as_table(rows: list[dict]) -> str:
    columns = [*rows[0], "per pixel and iteration"]
    columns = list(dict.fromkeys(columns))
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for row in rows:
        lines.append("| " + " | ".join(str(row.get(c, "-")) for c in columns) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--targets", default="sm_80,sm_90,sm_100,gfx942")
    parser.add_argument("--sizes", default="7,14,28,44")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    args = parser.parse_args()
    rows = []
    for target in args.targets.split(","):
        for variant in ("tvl1", "paper"):
            rows += compile_large(variant, target)
        for kind in ("forward", "backward", "backward, all gradients"):
            for variant in ("tvl1", "paper"):
                for dtype in args.dtypes.split(","):
                    for size in map(int, args.sizes.split(",")):
                        if dtype != "float32" and (kind, size) != ("forward", 14):
                            continue  # only loads and stores differ
                        try:
                            row = compile_one(kind, variant, target, size, dtype)
                        except Exception as error:
                            row = {"kernel": kind, "variant": variant}
                            row |= {"target": target, "map": size}
                            row["error"] = f"{type(error).__name__}: {error}"[:300]
                        print(row, flush=True)
                        rows.append(row)
    result = {"triton": triton.__version__, "torch": torch.__version__, "rows": rows}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "repflow_compile.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    path.with_suffix(".md").write_text(as_table(rows) + "\n")


if __name__ == "__main__":
    main()
