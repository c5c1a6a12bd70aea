"""Translation of accesses to memory, and of what the threads of a warp exchange."""

from .emitter import REGISTER_BITS, Emitter, address, bits_of_type, emits, register
from .ptx import split_operands

BASE = {"global": "u64", "shared": "u32"}  # types of addresses


def _space(e: Emitter) -> str:
    (space,) = {"global", "shared"} & set(e.modifiers)
    return space


def _names(text: str) -> list[str]:
    """'{%r1, %r2}', or one of them without braces."""
    return split_operands(text.strip("{} "))


def _at(e: Emitter, index: int, space: str) -> str:
    """First arguments of an access: base address and offset."""
    base, offset = address(e.operands[index])
    return f"{e.value_of(base, BASE[space])}, {offset}"


@emits("ld", "ldu")
def load(e: Emitter) -> list[str]:
    if "param" in e.modifiers:
        base, offset = address(e.operands[1])
        assert offset == 0
        bits = REGISTER_BITS[register(e.operands[0])[0]]
        at = e.value_of(base, "u64")
        return e.assign(f"t.parameter({at}, {e.type!r}, {bits}, {e.mask})", bits)
    space, bits = _space(e), bits_of_type(e.type)
    names = _names(e.operands[0])
    arguments = f"{_at(e, 1, space)}, {bits // 8}, {len(names)}, {e.mask}, {e.line}"
    statements = [f"loaded = t.{space}_memory.load(t, {arguments})"]
    for k, name in enumerate(names):
        value, wide = f"loaded[{k}]", REGISTER_BITS[register(name)[0]]
        if wide > bits and e.type[0] == "s":
            value = f"{value}.view(s{bits}).astype(s{wide}).view(u{wide})"
        elif wide > bits:
            value = f"{value}.astype(u{wide})"
        statements += e.assign(value, wide, name)
    return statements


@emits("st")
def store(e: Emitter) -> list[str]:
    space, bits = _space(e), bits_of_type(e.type)
    names = _names(e.operands[1])
    values = ", ".join(f"t.spread({e.value_of(x, f'b{bits}')})" for x in names)
    arguments = f"{_at(e, 0, space)}, {bits // 8}, [{values}], {e.mask}, {e.line}"
    return [f"t.{space}_memory.store(t, {arguments})"]


@emits("atom", "red")
def add_atomically(e: Emitter) -> list[str]:
    """What an addition returns is not kept; its readers find NaN."""
    assert "global" in e.modifiers and "add" in e.modifiers and e.type == "f32"
    place = 1 if e.opcode == "atom" else 0
    value = e.value_of(e.operands[place + 1].strip("{} "), "b32")
    arguments = f"{_at(e, place, 'global')}, t.spread({value}), {e.mask}, {e.line}"
    statements = [f"t.global_memory.add(t, {arguments})"]
    if e.opcode == "atom":
        statements += e.assign(
            "t.spread(u32(0x7FC0DEAD))", 32, e.operands[0].strip("{} ")
        )
    return statements


@emits("ldmatrix")
def load_matrix(e: Emitter) -> list[str]:
    assert "m8n8" in e.modifiers and e.type == "b16"
    names = _names(e.operands[0])
    arguments = f"{_at(e, 1, 'shared')}, {len(names)}, {'trans' in e.modifiers}"
    call = f"t.shared_memory.load_matrices(t, {arguments}, {e.mask}, {e.line})"
    statements = [f"loaded = {call}"]
    for k, name in enumerate(names):
        statements += e.assign(f"loaded[{k}]", 32, name)
    return statements


@emits("stmatrix")
def store_matrix(e: Emitter) -> list[str]:
    assert "m8n8" in e.modifiers and e.type == "b16"
    names = _names(e.operands[1])
    values = ", ".join(f"t.spread({e.value_of(x, 'b32')})" for x in names)
    arguments = f"{_at(e, 0, 'shared')}, [{values}], {'trans' in e.modifiers}"
    call = f"t.shared_memory.store_matrices(t, {arguments}, {e.mask}, {e.line})"
    return [call]


@emits("shfl")
def shuffle(e: Emitter) -> list[str]:
    to, _, valid = e.operands[0].partition("|")
    values = ", ".join(e.value(i, "u32") for i in (2, 3, 4))
    arguments = f"t.spread({e.value(1, 'b32')}), {values}, {e.mask}, {e.line}"
    statements = [f"value, valid = t.shuffle({e.modifiers[1]!r}, {arguments})"]
    statements += e.assign("value", 32, to)
    return statements + (e.assign("valid", 1, valid) if valid else [])


@emits("bar")
def synchronize_warp(e: Emitter) -> list[str]:
    """Barriers of a block end a sequence of instructions; see ptx.py."""
    assert e.modifiers[0] == "warp"
    return [f"t.synchronize_warps({e.mask}, {e.line})"]


@emits("membar", "fence")
def order_memory(_: Emitter) -> list[str]:
    """Accesses are in order here."""
    return []
