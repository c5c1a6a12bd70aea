"""Text files as editors, spreadsheets and shells of any system write them."""

from __future__ import annotations

import codecs
import logging
from pathlib import Path

from mmengine.fileio import get
from mmengine.logging import print_log

# The mark of UTF-32 begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_text(path: str | Path) -> str:
    r"""Text with lines that end in ``\n``.

    UTF-8, and UTF-16 and UTF-32, with or without a byte order mark. What is none of
    them is taken for Windows-1252 (Latin-1 and more), with a warning.

    Raises:
        ValueError: None of these, or with zero bytes; the message names file, line and
            encoding.
    """
    data = get(str(path)).removeprefix(codecs.BOM_UTF8)
    if data.endswith(bytes(4)):  # as after a power failure; in no encoding
        raise ValueError(f"{path} ends with zero bytes: write or copy it again")
    encoding = _encoding_of(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        if encoding != "utf-8":
            raise ValueError(
                f"{path}, line {line} is not {encoding.upper()}, as the rest "
                "seems to be: save it as UTF-8"
            ) from None
        text = _decode_windows(data, path, line)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ValueError(f"{path}, line {line} has a zero byte: save it as UTF-8")
    # Marks begin files that were joined; DOS ended files with a character.
    return text.replace("\n\ufeff", "\n").removesuffix("\x1a")


def read_lines(path: str | Path) -> list[str]:
    """Lines without their ends; see :func:`read_text`."""
    return read_text(path).split("\n")


def _encoding_of(data: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding

    def zeros(start: int, step: int) -> float:
        return data[start::step].count(0) / max(1, len(data) // step)

    # Without a mark, what is zero of letters and of ends of lines tells.
    if min(zeros(2, 4), zeros(3, 4)) > 0.5:
        return "utf-32-le"
    if min(zeros(0, 4), zeros(1, 4)) > 0.5:
        return "utf-32-be"
    even, odd = zeros(0, 2), zeros(1, 2)
    if max(even, odd) < 0.1:
        return "utf-8"
    return "utf-16-le" if odd > even else "utf-16-be"


def _decode_windows(data: bytes, path: str | Path, line: int) -> str:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        raise ValueError(
            f"{path}, line {line} is neither UTF-8 nor Windows-1252: save it as UTF-8"
        ) from None
    print_log(
        f"{path}, line {line} is not UTF-8; the file is read as Windows-1252. If names "
        "in it come out wrong, save it as UTF-8",
        logger="current",
        level=logging.WARNING,
    )
    return text
