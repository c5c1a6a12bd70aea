"""Translation of instructions that compute in registers."""

from .emitter import Emitter, bits_of_type, emits

OPERATORS = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^"}
ROUNDED = {  # of float64 numbers; hardware approximates
    "rcp": "1 / {}",
    "sqrt": "np.sqrt({})",
    "rsqrt": "1 / np.sqrt({})",
    "ex2": "np.exp2({})",
    "lg2": "np.log2({})",
    "sin": "np.sin({})",
    "cos": "np.cos({})",
}


@emits("setp")
def compare(e: Emitter) -> list[str]:
    table = "compare_floats" if e.type[0] == "f" else "compare"
    a, b = (e.float_value(i) if e.is_float else e.value(i) for i in (1, 2))
    result = f"{table}[{e.modifiers[0]!r}]({a}, {b})"
    if len(e.modifiers) > 2 and e.modifiers[1] in ("and", "or", "xor"):
        other = e.value_of(e.operands[3].lstrip("!"), "pred")
        if e.operands[3].startswith("!"):
            other = f"~{other}"
        result = f"{result} {OPERATORS[e.modifiers[1]]} {other}"
    return e.assign(result, 1)


@emits("selp")
def select(e: Emitter) -> list[str]:
    bits = bits_of_type(e.type)
    a, b = e.value(1, f"b{bits}"), e.value(2, f"b{bits}")
    return e.assign(f"np.where({e.value(3, 'pred')}, {a}, {b})", bits)


@emits("fma", "mad")
def multiply_add(e: Emitter) -> list[str]:
    if not e.is_float:
        return multiply(e)
    a, b, c = (e.float_value(i) for i in (1, 2, 3))
    return e.assign_float(f"fused_multiply_add({a}, {b}, {c})")


@emits("add", "sub")
def add(e: Emitter) -> list[str]:
    operator = OPERATORS[e.opcode]
    if e.is_float:
        return e.assign_float(f"({e.float_value(1)} {operator} {e.float_value(2)})")
    bits = bits_of_type(e.type)
    assert e.type[0] in "usb"
    a, b = e.value(1, f"u{bits}"), e.value(2, f"u{bits}")
    return e.assign(f"{a} {operator} {b}", bits)


@emits("mul")
def multiply(e: Emitter) -> list[str]:
    if e.is_float:
        return e.assign_float(f"({e.float_value(1)} * {e.float_value(2)})")
    assert e.type[0] in "us"
    bits, mode = bits_of_type(e.type), e.modifiers[0]
    if mode == "lo":
        product = f"({e.value(1, f'u{bits}')} * {e.value(2, f'u{bits}')})"
    else:
        wide = f"{e.type[0]}{2 * bits}"
        product = f"({e.value(1)}.astype({wide}) * {e.value(2)}.astype({wide}))"
        if mode == "wide":
            bits *= 2
            product = f"{product}.view(u{bits})"
        else:
            assert mode == "hi"
            product = f"({product} >> {wide}({bits})).astype(u{bits})"
    if e.opcode == "mad":
        product += f" + {e.value(3, f'u{bits}')}"
    return e.assign(product, bits)


@emits("div")
def divide(e: Emitter) -> list[str]:
    if not e.is_float:
        return _divide_integers(e, 0)
    a, b = e.float_value(1), e.float_value(2)
    if "rn" in e.modifiers:
        return e.assign_float(f"({a} / {b})")
    return e.assign_float(f"t.approximated(np.divide({a}, {b}, dtype=f64))")


@emits("rem")
def remainder(e: Emitter) -> list[str]:
    return _divide_integers(e, 1)


def _divide_integers(e: Emitter, which: int) -> list[str]:
    result = f"t.divided({e.value(1)}, {e.value(2)}, {e.mask}, {e.line})[{which}]"
    return e.assign(f"bits_of({result})", bits_of_type(e.type))


@emits(*ROUNDED)
def approximate(e: Emitter) -> list[str]:
    assert e.is_float
    result = ROUNDED[e.opcode].format(f"np.asarray({e.float_value(1)}).astype(f64)")
    if "rn" in e.modifiers or e.type == "f64":
        return e.assign_float(f"({result}).astype({e.type})")
    # The error of a logarithm near 0 has a bound that is absolute.
    absolute = e.opcode == "lg2"
    return e.assign_float(f"t.approximated({result}, {absolute})")


@emits("min", "max")
def extreme(e: Emitter) -> list[str]:
    if e.is_float:
        propagating = "NaN" in e.modifiers
        function = f"np.{e.opcode}imum" if propagating else f"np.f{e.opcode}"
        return e.assign_float(f"{function}({e.float_value(1)}, {e.float_value(2)})")
    result = f"np.{e.opcode}imum({e.value(1)}, {e.value(2)})"
    return e.assign(f"bits_of({result})", bits_of_type(e.type))


@emits("abs", "neg")
def sign(e: Emitter) -> list[str]:
    value = e.value(1)
    result = f"np.abs({value})" if e.opcode == "abs" else f"(-{value})"
    if e.is_float:
        return e.assign_float(result)
    return e.assign(f"bits_of({result})", bits_of_type(e.type))


@emits("and", "or", "xor")
def logic(e: Emitter) -> list[str]:
    result = f"{e.value(1)} {OPERATORS[e.opcode]} {e.value(2)}"
    return e.assign(result, bits_of_type(e.type))


@emits("not")
def invert(e: Emitter) -> list[str]:
    return e.assign(f"~{e.value(1)}", bits_of_type(e.type))


@emits("shl", "shr")
def shift(e: Emitter) -> list[str]:
    bits = bits_of_type(e.type)
    left = e.opcode == "shl"
    function = "shift_left" if left else "shift_right"
    value = e.value(1, f"u{bits}" if left else e.type)
    return e.assign(f"bits_of({function}({value}, {e.value(2, 'u32')}))", bits)


@emits("bfe")
def extract(e: Emitter) -> list[str]:
    assert e.type in ("u32", "s32")
    values = e.value(1), e.value(2, "u32"), e.value(3, "u32")
    return e.assign(f"extract_bits({', '.join(values)})", 32)


@emits("prmt")
def permute(e: Emitter) -> list[str]:
    assert e.modifiers == ["b32"]
    values = (e.value(i, "u32") for i in (1, 2, 3))
    return e.assign(f"permute_bytes({', '.join(values)})", 32)


@emits("lop3")
def look_up(e: Emitter) -> list[str]:
    values = (f"t.spread({e.value(i, 'u32')})" for i in (1, 2, 3))
    table = int(e.operands[4], 0)
    return e.assign(f"look_up_logic({', '.join(values)}, {table})", 32)
