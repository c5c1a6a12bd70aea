"""PTX text as basic blocks of instructions."""

import re
from dataclasses import dataclass


@dataclass
class Instruction:
    opcode: str  # 'ld' of 'ld.global.v4.b32'
    modifiers: list[str]  # the rest of it
    operands: list[str]
    predicate: int | None  # register %p of its guard
    negated: bool  # it runs where the predicate is false
    line: int
    text: str
    source: str  # the line of the kernel's source, where PTX says so

    @property
    def type(self) -> str:
        return self.modifiers[-1]

    @property
    def is_barrier(self) -> bool:
        return self.opcode == "barrier" or (self.opcode, *self.modifiers[:1]) == (
            "bar",
            "sync",
        )


@dataclass
class Block:
    """Instructions that run one after another; `end` says what follows.

    end: None continues with `following`; otherwise, it is a branch, a barrier or a
    return.
    """

    body: list[Instruction]
    end: Instruction | None
    following: int
    target: int | None = None  # the block to which a branch leads


class Kernel:
    """The entry of a PTX file: how many parameters, registers and blocks."""

    def __init__(self, ptx: str) -> None:
        self.name = re.search(r"\.entry\s+([\w$]+)", ptx)[1]
        self.parameters = len(re.findall(r"^\s*\.param\s", ptx, re.MULTILINE))
        self.threads = int(re.search(r"\.(?:reqntid|maxntid)\s+(\d+)", ptx)[1])
        counts = re.findall(r"\.reg\s+\.\w+\s+%([a-z]+)<(\d+)>", ptx)
        self.registers = {kind: int(count) for kind, count in counts}
        instructions, labels = _parse_body(ptx.splitlines())
        self.blocks = _split_blocks(instructions, labels)
        self.by_line = {i.line: i for i in instructions}
        self.shared_granule = min((_shared_bytes(i) for i in instructions), default=4)


def _shared_bytes(instruction: Instruction) -> int:
    """The least that the instruction reads or writes in shared memory, 4 at most."""
    if instruction.opcode in ("ldmatrix", "stmatrix"):
        return 2 if "trans" in instruction.modifiers else 4
    if instruction.opcode in ("ld", "st") and "shared" in instruction.modifiers:
        return min(4, int(instruction.type[1:]) // 8)
    return 4


def split_operands(text: str) -> list[str]:
    """Split at commas, but for those in brackets and braces."""
    return [part.strip() for part in re.split(r",(?![^{\[(]*[}\])])", text) if part]


def _parse_body(lines: list[str]) -> tuple[list[Instruction], dict[str, int]]:
    begin = lines.index("{")
    end = next(i for i in range(begin, len(lines)) if lines[i] == "}")
    instructions, labels, source = [], {}, ""
    for number in range(begin + 1, end):
        location = re.search(r"\.loc\s[^/]*(?://\s*(.*))?", lines[number])
        if location:
            source = (location[1] or location[0]).strip()
            continue
        line = lines[number].partition("//")[0].strip()
        label = re.fullmatch(r"([\w$]+):", line)
        if label:
            labels[label[1]] = len(instructions)
        elif not line.startswith("."):
            for statement in filter(None, map(str.strip, line.split(";"))):
                instructions.append(_parse_instruction(statement, number + 1, source))
    return instructions, labels


def _parse_instruction(statement: str, line: int, source: str) -> Instruction:
    parts = re.fullmatch(r"(?:@(!?)%p(\d+)\s+)?([a-z][\w.:]*)\s*(.*)", statement)
    if parts is None:
        raise NotImplementedError(f"PTX line {line}: {statement}")
    negation, predicate, name, operands = parts.groups()
    opcode, *modifiers = name.split(".")
    return Instruction(
        opcode,
        modifiers,
        split_operands(operands),
        None if predicate is None else int(predicate),
        bool(negation),
        line,
        statement,
        source,
    )


def _split_blocks(
    instructions: list[Instruction], labels: dict[str, int]
) -> list[Block]:
    ends = {
        k
        for k, i in enumerate(instructions)
        if i.opcode in ("bra", "ret", "exit") or i.is_barrier
    }
    begins = {0} | {k + 1 for k in ends}
    begins |= {labels[i.operands[0]] for i in instructions if i.opcode == "bra"}
    begins = sorted(begins & set(range(len(instructions))))
    index = {begin: block for block, begin in enumerate(begins)}
    blocks = []
    for begin, after in zip(begins, [*begins[1:], len(instructions)], strict=True):
        has_end = after - 1 in ends
        end = instructions[after - 1] if has_end else None
        block = Block(instructions[begin : after - has_end], end, len(blocks) + 1)
        if end is not None and end.opcode == "bra":
            block.target = index[labels[end.operands[0]]]
        blocks.append(block)
    return blocks
