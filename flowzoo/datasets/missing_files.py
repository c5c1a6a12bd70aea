"""What to do about a file of a data set that is not there."""

import re
from pathlib import Path


def advice(path: str, download_hint: str) -> str:
    """``download_hint``, after which splits there are where ``path`` is another's."""
    file = Path(path)
    named = re.search(r"split_([^_.]+)", file.name)
    if not named:
        return download_hint
    before, after = file.name[: named.start(1)], file.name[named.end(1) :]
    pattern = re.compile(rf"{re.escape(before)}(\d+){re.escape(after)}")
    others = (pattern.fullmatch(p.name) for p in file.parent.glob("*") if p.exists())
    splits = sorted(int(other[1]) for other in others if other)
    if not splits:
        return download_hint
    found = ", ".join(map(str, splits))
    return (
        f"SPLIT is {named[1]}, but the folder has these splits: {found}. "
        f"{download_hint}"
    )
