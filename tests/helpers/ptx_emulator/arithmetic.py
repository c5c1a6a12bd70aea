"""What PTX instructions compute, on arrays of one element for each thread.

Registers are arrays of unsigned integers; a function takes them viewed as the type of
the instruction. Fused multiply-adds are computed in float64 and rounded to float32,
which in rare cases rounds twice.
"""

import numpy as np

UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}  # by bytes
SMALLEST_NORMAL = np.finfo(np.float32).smallest_normal


def bits_of(x):
    """The bits of numbers as unsigned integers."""
    x = np.asarray(x)
    return x.view(UNSIGNED[x.dtype.itemsize])


def fused_multiply_add(a, b, c):
    if np.asarray(a).dtype == np.float64:
        return a * b + c
    exact = np.multiply(a, b, dtype=np.float64)
    return np.add(exact, c, dtype=np.float64).astype(np.float32)


def flush_subnormals(x):
    x = np.asarray(x)
    return np.where(np.abs(x) < SMALLEST_NORMAL, np.copysign(x.dtype.type(0), x), x)


def shift_left(x, count):
    bits = 8 * x.dtype.itemsize
    count = np.asarray(count)
    shifted = x << np.minimum(count, bits - 1).astype(x.dtype)
    return np.where(count >= bits, x.dtype.type(0), shifted)


def shift_right(x, count):
    bits = 8 * x.dtype.itemsize
    count = np.asarray(count)
    shifted = x >> np.minimum(count, bits - 1).astype(x.dtype)
    if x.dtype.kind == "i":
        return shifted
    return np.where(count >= bits, x.dtype.type(0), shifted)


def extract_bits(x, position, length):
    """bfe: the field of a 32-bit number, with its sign where the number has one."""
    position = np.asarray(position).astype(np.int64) & 255
    length = np.minimum(np.asarray(length).astype(np.int64) & 255, 32)
    field = np.asarray(x).astype(np.int64) >> np.minimum(position, 63)
    mask = (np.int64(1) << length) - 1
    field = field & mask
    if np.asarray(x).dtype.kind == "i":
        negative = (length > 0) & (field >> np.maximum(length - 1, 0) & 1 == 1)
        field = np.where(negative, field | ~mask, field)
    return (field & 0xFFFFFFFF).astype(np.uint32)


def permute_bytes(a, b, selector):
    """prmt: four of the eight bytes of a and b; or their signs."""
    both = np.asarray(a).astype(np.uint64) | np.asarray(b).astype(
        np.uint64
    ) << np.uint64(32)
    out = np.uint64(0)
    for k in range(4):
        choice = np.asarray(selector).astype(np.uint64) >> np.uint64(4 * k)
        byte = both >> (choice & np.uint64(7)) * np.uint64(8) & np.uint64(255)
        sign = np.where(byte & np.uint64(128), np.uint64(255), np.uint64(0))
        byte = np.where(choice & np.uint64(8), sign, byte)
        out = out | byte << np.uint64(8 * k)
    return out.astype(np.uint32)


def look_up_logic(a, b, c, table: int):
    """lop3: any function of three bits."""
    out = np.zeros_like(a | b | c)
    for k in range(8):
        if table >> k & 1:
            out |= (a if k & 4 else ~a) & (b if k & 2 else ~b) & (c if k & 1 else ~c)
    return out


def to_bfloat16(x):
    """Bits of the nearest bfloat16 numbers."""
    bits = np.asarray(x).view(np.uint32).astype(np.uint64)
    odd = bits >> np.uint64(16) & np.uint64(1)
    rounded = (bits + np.uint64(0x7FFF) + odd >> np.uint64(16)).astype(np.uint16)
    return np.where(np.isnan(x), np.uint16(0x7FFF), rounded)


def to_float16(x):
    """Bits of the nearest float16 numbers."""
    return np.asarray(x).astype(np.float16).view(np.uint16)


def to_integer(x, kind):
    """Whole numbers in the range of an integer type; NaN is 0."""
    limits = np.iinfo(kind)
    x = np.where(np.isnan(x), 0, np.asarray(x, np.float64))
    above, below = x >= float(limits.max), x <= float(limits.min)
    inside = np.where(above | below, 0, x).astype(kind)
    return np.where(above, limits.max, np.where(below, limits.min, inside)).astype(kind)


def quotient_and_remainder(a, b):
    """Of integers, rounded toward 0; b is not 0."""
    remainder = np.fmod(a, b)
    return (a - remainder) // b, remainder


def unordered_or(compare):
    """A comparison of floating-point numbers that also holds where one is NaN."""
    return lambda a, b: compare(a, b) | np.isnan(a) | np.isnan(b)


def _differ(a, b):
    return (a < b) | (a > b)


COMPARISONS = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "lo": np.less,
    "ls": np.less_equal,
    "hi": np.greater,
    "hs": np.greater_equal,
}
FLOAT_COMPARISONS = COMPARISONS | {
    "ne": _differ,
    "equ": unordered_or(np.equal),
    "neu": np.not_equal,
    "ltu": unordered_or(np.less),
    "leu": unordered_or(np.less_equal),
    "gtu": unordered_or(np.greater),
    "geu": unordered_or(np.greater_equal),
    "num": lambda a, b: ~(np.isnan(a) | np.isnan(b)),
    "nan": lambda a, b: np.isnan(a) | np.isnan(b),
}
