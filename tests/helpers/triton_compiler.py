"""Compile Triton kernels where there is no GPU."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from flowzoo_kernels._common.triton_options import LAUNCH_OPTIONS


def compiled(
    kernel, types: dict[str, str], constants: dict, sm: int, warps: int = 4
) -> triton.compiler.CompiledKernel:
    """The kernel for sm_80 or sm_90.

    types: of the pointers and scalars, as Triton writes them; those that are not
    named are i32. constants: the constexpr arguments; pointers to None as well.
    """
    signature = {
        name: "constexpr" if name in constants else types.get(name, "i32")
        for name in kernel.arg_names
    }
    source = ASTSource(kernel, signature, constexprs=constants)
    target = GPUTarget("cuda", sm, 32)
    options = {"num_warps": warps} | LAUNCH_OPTIONS
    return triton.compile(source, target=target, options=options)


def compiled_resources(*arguments, **options) -> tuple[int, int]:
    """Registers per thread and bytes of spilled registers; see :func:`compiled`."""
    ptx = compiled(*arguments, **options).asm["ptx"]
    ptxas = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "ptxas"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.ptx"
        path.write_text(ptx)
        arch = re.search(r"\.target (sm_\w+)", ptx)[1]
        done = subprocess.run(
            [ptxas, "-v", f"--gpu-name={arch}", path, "-o", os.devnull],
            capture_output=True,
            text=True,
            check=True,
        )
    stores, loads = re.search(
        r"(\d+) bytes spill stores, (\d+) bytes spill loads", done.stderr
    ).groups()
    registers = int(re.search(r"Used (\d+) registers", done.stderr)[1])
    return registers, int(stores) + int(loads)
