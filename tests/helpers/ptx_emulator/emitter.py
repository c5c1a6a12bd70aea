"""Python statements for PTX instructions: operands, masks and results.

The statements run for all threads at once. In them, `t` are the threads (threads.py)
with the registers `p`, `rs`, `r`, `rd`, `f` and `fd`, each an array with one element
for each thread; `active` is the mask of the threads that run, where not all do.
"""

import re

import numpy as np

from . import arithmetic
from .ptx import Instruction

REGISTER_BITS = {"p": 1, "rs": 16, "r": 32, "rd": 64, "f": 32, "fd": 64}
TYPES = {
    f"{letter}{bits}": getattr(np, f"{name}{bits}")
    for letter, name, sizes in (
        ("u", "uint", (8, 16, 32, 64)),
        ("s", "int", (8, 16, 32, 64)),
        ("f", "float", (16, 32, 64)),
    )
    for bits in sizes
}
# What statements may name, besides the constants of the kernel.
NAMES = {**vars(arithmetic), **TYPES, "np": np}
NAMES["compare"] = arithmetic.COMPARISONS
NAMES["compare_floats"] = arithmetic.FLOAT_COMPARISONS

EMITTERS = {}  # by opcode: function of an Emitter, which gives statements


def emits(*opcodes: str):
    """Register the function that translates instructions with these opcodes."""

    def register(function):
        EMITTERS.update(dict.fromkeys(opcodes, function))
        return function

    return register


def bits_of_type(kind: str) -> int:
    """32 for 's32'; 1 for 'pred'."""
    return 1 if kind == "pred" else int(re.search(r"\d+", kind)[0])


def register(text: str) -> tuple[str, int] | None:
    """('rd', 3) for '%rd3', None for what is no register."""
    match = re.fullmatch(r"%(rs|rd|fd|r|p|f)(\d+)", text)
    return match and (match[1], int(match[2]))


def numpy_type(kind: str) -> str:
    """The name of the numpy type of a PTX type; untyped bits are unsigned."""
    letter = "u" if kind[0] == "b" else kind[0]
    return f"{letter}{bits_of_type(kind)}"


def address(text: str) -> tuple[str, int]:
    """Base and offset of '[%rd4+16]'."""
    base, offset = re.fullmatch(
        r"\[\s*(%?[\w$]+)\s*(?:\+\s*(-?\w+))?\s*\]", text
    ).groups()
    return base, int(offset, 0) if offset else 0


class Emitter:
    """Translates one instruction. masked: not all threads need run."""

    def __init__(self, instruction: Instruction, masked: bool, constants: dict) -> None:
        self.instruction, self.masked, self.constants = instruction, masked, constants
        self.opcode, self.modifiers = instruction.opcode, instruction.modifiers
        self.operands, self.type = instruction.operands, None
        if self.modifiers:
            self.type = instruction.type
        self.line = instruction.line

    def statements(self) -> list[str]:
        if self.opcode not in EMITTERS:
            raise NotImplementedError(self._where())
        try:
            return EMITTERS[self.opcode](self)
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            raise NotImplementedError(self._where()) from error

    def _where(self) -> str:
        return f"PTX line {self.line}: {self.instruction.text}"

    @property
    def is_float(self) -> bool:
        return self.type in ("f32", "f64")

    @property
    def mask(self) -> str | None:
        """Expression for the threads that run the instruction, None for all."""
        predicate = self.instruction.predicate
        if predicate is None:
            return "active" if self.masked else None
        guard = f"{'~' if self.instruction.negated else ''}p[{predicate}]"
        return f"(active & {guard})" if self.masked else guard

    def value(self, index: int, kind: str | None = None) -> str:
        """Expression for an operand, in the instruction's type if none is given."""
        return self.value_of(self.operands[index], kind or self.type)

    def value_of(self, text: str, kind: str) -> str:
        """Expression for what an operand's text says, as a PTX type."""
        bits = bits_of_type(kind)
        place = register(text)
        if place is None:
            return self._constant(text, kind)
        expression = f"{place[0]}[{place[1]}]"
        if kind == "pred":
            return expression
        if REGISTER_BITS[place[0]] != bits:
            expression += f".astype(u{bits})"
        return (
            expression if kind[0] in "ub" else f"{expression}.view({numpy_type(kind)})"
        )

    def _constant(self, text: str, kind: str) -> str:
        if kind == "pred":
            value = np.bool_(int(text, 0) != 0)
        else:
            bits = bits_of_type(kind)
            parameter = re.fullmatch(r"\w+_param_(\d+)", text)
            if parameter:  # its address
                number = int(parameter[1])
            elif text == "global_smem":  # the begin of shared memory
                number = 0
            elif text[:2].lower() in ("0f", "0d"):
                number = int(text[2:], 16)
            else:
                number = int(text.rstrip("U"), 0)
            unsigned = TYPES[f"u{bits}"](number % (1 << bits))
            value = np.array(unsigned).view(TYPES[numpy_type(kind)])[()]
        name = f"constant_{len(self.constants)}"
        self.constants[name] = value
        return name

    def assign(self, expression: str, bits: int, to: str | None = None) -> list[str]:
        """Write unsigned integers or truth values to a register, the first operand."""
        to = self.operands[0] if to is None else to
        if to == "_":
            return []
        kind, number = register(to)
        if REGISTER_BITS[kind] not in (1, bits):
            expression = f"({expression}).astype(u{REGISTER_BITS[kind]})"
        place = f"{kind}[{number}]"
        if self.mask is None:
            return [f"{place} = t.spread({expression})"]
        return [f"{place} = np.where({self.mask}, {expression}, {place})"]

    def assign_float(self, expression: str) -> list[str]:
        """Write floating-point numbers of the instruction's type."""
        expression = self.flushed(expression)
        return self.assign(f"bits_of({expression})", bits_of_type(self.type))

    def flushed(self, expression: str) -> str:
        """Without subnormal numbers where the instruction says so."""
        return (
            f"flush_subnormals({expression})" if "ftz" in self.modifiers else expression
        )

    def float_value(self, index: int) -> str:
        return self.flushed(self.value(index))
