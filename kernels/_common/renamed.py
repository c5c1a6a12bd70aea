"""Former names of options, which work for one release."""

import functools
import warnings
from collections.abc import Callable


def renamed_option(former: str, present: str) -> Callable:
    """A decorator: the keyword ``former`` is taken for ``present``, with a warning."""

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def call(*args, **options):
            if former in options:
                if present in options:
                    raise TypeError(f"{former} is now {present}; give only the latter")
                warnings.warn(
                    f"{former} is now {present}; the former name will be removed in "
                    f"the next release",
                    FutureWarning,
                    stacklevel=2,
                )
                options[present] = options.pop(former)
            return function(*args, **options)

        return call

    return decorate
