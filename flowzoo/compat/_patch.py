import functools
from collections.abc import Callable


def wrap(owner: object, name: str, make: Callable[[Callable], Callable]) -> None:
    """Replace the function ``owner.name`` by ``make(function)``, once.

    The function that was there stays reachable as ``__wrapped__``.
    """
    original = getattr(owner, name)
    if getattr(original, "wrapped_by_flowzoo", False):
        return
    replacement = functools.wraps(original)(make(original))
    replacement.wrapped_by_flowzoo = True
    is_static = isinstance(vars(owner).get(name), staticmethod)
    setattr(owner, name, staticmethod(replacement) if is_static else replacement)
