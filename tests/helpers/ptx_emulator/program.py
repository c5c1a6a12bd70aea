"""A kernel whose basic blocks are Python functions."""

from . import emit_arithmetic, emit_conversion, emit_memory  # noqa: F401 (they register)
from .emitter import NAMES, REGISTER_BITS, Emitter
from .ptx import Kernel


class Program:
    """Translates blocks of a kernel when they first run."""

    def __init__(self, ptx: str) -> None:
        self.kernel = Kernel(ptx)
        self._functions = {}

    def run_block(self, index: int, threads, active=None) -> None:
        """For the active threads; for all where None."""
        key = index, active is not None
        if key not in self._functions:
            self._functions[key] = self._translate(*key)
        self._functions[key](threads, active)

    def _translate(self, index: int, masked: bool):
        constants = {}
        lines = ["def block(t, active):"]
        lines += [f"  {kind} = t.registers[{kind!r}]" for kind in REGISTER_BITS]
        for instruction in self.kernel.blocks[index].body:
            statements = Emitter(instruction, masked, constants).statements()
            lines += ["  " + statement for statement in statements]
        scope = NAMES | constants
        code = compile("\n".join(lines), f"<{self.kernel.name} block {index}>", "exec")
        exec(code, scope)
        return scope["block"]
