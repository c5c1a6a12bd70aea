"""Numbers of classes that the official files only name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .records import PreparationError
from .sources import read_official


def number_classes(
    names: Iterable[str], expected: int, source: Path, class_list: Path | None
) -> list[str]:
    """Class names in the order of their numbers.

    They are sorted as mmaction2's scripts sort them, a blank being an underscore, or
    are in the order of ``class_list``.

    Raises:
        PreparationError: Not ``expected`` classes, or others than in the list.
    """
    names = set(names)
    if len(names) != expected:
        raise PreparationError(
            f"{source} names {len(names)} classes instead of {expected}, so that their "
            "numbers would be wrong: use the complete official file"
        )
    if class_list is None:
        return sorted(names, key=lambda name: name.replace(" ", "_"))
    by_plain = {plain(name): name for name in names}
    listed = read_class_list(class_list)
    unknown = [name for name in listed if plain(name) not in by_plain]
    if unknown or len(listed) != expected:
        raise PreparationError(
            f"{class_list} has {len(listed)} classes, {len(unknown)} of which "
            f"{unknown[:3]} are not in {source}; {expected} are needed"
        )
    return [by_plain[plain(name)] for name in listed]


def read_class_list(path: Path) -> list[str]:
    """A class on each line, each once."""
    try:
        text = read_official(path)
    except OSError as error:
        raise PreparationError(f"cannot read the list of classes: {error}") from error
    names = [line.strip() for line in text.splitlines() if line.strip()]
    if not names or len({plain(name) for name in names}) < len(names):
        raise PreparationError(f"{path} should have a class on each line, each once")
    return names


def plain(name: str) -> str:
    """A class name without what scripts change in names of folders."""
    return "".join(c for c in name.lower() if c.isalnum())
