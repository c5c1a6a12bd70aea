"""Translation of moves and conversions between registers."""

from .emitter import Emitter, bits_of_type, emits, numpy_type, register
from .ptx import split_operands

ROUNDINGS = {"rmi": "np.floor", "rpi": "np.ceil", "rzi": "np.trunc", "rni": "np.rint"}


@emits("mov")
def move(e: Emitter) -> list[str]:
    to, source = e.operands
    bits = bits_of_type(e.type)
    if source.startswith("{"):
        parts = split_operands(source[1:-1])
        size = bits // len(parts)
        values = (f"t.spread({e.value_of(x, f'b{size}')})" for x in parts)
        pieces = (
            f"({value}.astype(u{bits}) << u{bits}({k * size}))"
            for k, value in enumerate(values)
        )
        return e.assign(" | ".join(pieces), bits)
    if to.startswith("{"):
        parts = split_operands(to[1:-1])
        size = bits // len(parts)
        statements = [f"whole = {e.value(1, f'b{bits}')}"]
        for k, part in enumerate(parts):
            piece = f"(whole >> u{bits}({k * size})).astype(u{size})"
            statements += e.assign(piece, size, part)
        return statements
    if source.startswith("%") and register(source) is None:
        return e.assign(f"t.special[{source!r}]", 32)
    return e.assign(e.value(1, "pred" if e.type == "pred" else f"b{bits}"), bits)


@emits("cvta")
def convert_address(e: Emitter) -> list[str]:
    """Global memory has the addresses of the generic one."""
    assert "global" in e.modifiers
    return e.assign(e.value(1), 64)


@emits("cvt")
def convert(e: Emitter) -> list[str]:
    to, source = e.modifiers[-2:]
    if to in ("bf16x2", "f16x2"):
        function = "to_bfloat16" if to == "bf16x2" else "to_float16"
        high, low = (
            f"{function}(t.spread({e.value(i, 'f32')})).astype(u32)" for i in (1, 2)
        )
        return e.assign(f"({high} << u32(16)) | {low}", 32)
    if source == "bf16":
        assert to == "f32"
        return e.assign(f"t.spread({e.value(1, 'b16')}).astype(u32) << u32(16)", 32)
    if to in ("bf16", "f16"):
        assert source == "f32" and "rn" in e.modifiers
        function = "to_bfloat16" if to == "bf16" else "to_float16"
        return e.assign(f"{function}({e.value(1)})", 16)
    value, kind, bits = e.value(1), numpy_type(to), bits_of_type(to)
    rounding = next((ROUNDINGS[m] for m in e.modifiers if m in ROUNDINGS), None)
    if source[0] == "f" and to[0] == "f":
        if source == to:
            value = e.flushed(value)
        if rounding:
            value = f"{rounding}({value})"
        return e.assign(f"bits_of({value}.astype({kind}))", bits)
    if source[0] == "f":
        return e.assign(f"bits_of(to_integer({rounding}({value}), {kind}))", bits)
    if to[0] == "f":
        return e.assign(f"bits_of({value}.astype({kind}))", bits)
    # Between integers: extended by the sign of the source, or truncated.
    extended = f"{value}.astype({numpy_type(source)[0]}{bits}).view(u{bits})"
    return e.assign(extended, bits)
