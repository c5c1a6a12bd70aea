"""Tensors of a published file, taken one by one."""

from collections.abc import Mapping

import torch
from torch import Tensor

_MAX_LISTED = 10


class StateDictReader:
    """Their tensors by name, with a list of everything that is wrong with them."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = dict(tensors)
        self.problems: list[str] = []

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor that stays, () where there is none."""
        return tuple(self.tensors[name].shape) if name in self.tensors else ()

    def take(
        self, name: str, shape: tuple[int, ...], default: Tensor | None = None
    ) -> Tensor:
        """The tensor of that name and shape; a placeholder after a problem."""
        value = self.tensors.pop(name, default)
        if value is None:
            self.problems.append(f"{name} is missing")
        elif value.shape != torch.Size(shape):
            self.problems.append(
                f"{name} has shape {tuple(value.shape)} instead of {tuple(shape)}"
            )
        elif not torch.isfinite(value).all():
            self.problems.append(f"{name} has values that are not finite")
        else:
            return value
        return torch.zeros(shape)

    def finish(self, what: str, may_have_more: bool = False) -> None:
        """Raise a ValueError of all problems, tensors left over among them."""
        if not may_have_more:
            self.problems += [f"{name} is unknown" for name in self.tensors]
        if self.problems:
            raise ValueError(
                f"these are not the tensors of {what}: {listed(self.problems, '; ')}"
            )


def listed(items: list[str], separator: str = ", ") -> str:
    """The first items as a text, and how many more there are."""
    more = len(items) - _MAX_LISTED
    text = separator.join(items[:_MAX_LISTED]) or "nothing"
    return f"{text}{separator}and {more} more" if more > 0 else text
