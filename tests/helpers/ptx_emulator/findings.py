"""What the emulator found wrong."""

from dataclasses import dataclass

from .ptx import Kernel


@dataclass
class Finding:
    kind: str
    kernel: str
    line: int  # of the PTX
    text: str  # the instruction there, and the line of source
    detail: str  # of the first thread that did so
    count: int = 0  # of threads

    def __str__(self) -> str:
        where = f"{self.kernel}, PTX line {self.line}: {self.text} [{self.detail}]"
        return f"{self.kind} ({self.count} times): {where}"


class Findings(list):
    """One entry for each kind and instruction."""

    def add(
        self, kernel: Kernel, kind: str, line: int, detail: str = "", count: int = 1
    ) -> None:
        for finding in self:
            if (finding.kind, finding.kernel, finding.line) == (
                kind,
                kernel.name,
                line,
            ):
                break
        else:
            at = kernel.by_line[line]
            text = f"{at.text}  <- {at.source}"
            finding = Finding(kind, kernel.name, line, text, detail)
            self.append(finding)
        finding.count += int(count)

    def __str__(self) -> str:
        return "\n".join(map(str, self))
