"""Former names work, and warn of the present ones."""

import sys
from importlib import import_module

import pytest

from flowzoo.deprecated import MODULES, NAMES


@pytest.mark.parametrize(("former", "present"), MODULES.items())
def test_modules(former, present, monkeypatch):
    monkeypatch.delitem(sys.modules, former, raising=False)
    with pytest.warns(FutureWarning, match=rf"^{former} is now {present}; ") as caught:
        exec(f"import {former}")
    assert caught[0].filename == "<string>"  # where the import stands
    assert sys.modules[former] is import_module(present)


@pytest.mark.parametrize(
    ("module", "former", "present"),
    [(m, former, present) for m, n in NAMES.items() for former, present in n.items()],
)
def test_names(module, former, present):
    owner, _, name = present.rpartition(".")
    with pytest.warns(FutureWarning, match=f"{module}.{former} is now {present}; "):
        assert getattr(import_module(module), former) is getattr(
            import_module(owner), name
        )


def test_unknown_names():
    for module in NAMES:
        with pytest.raises(AttributeError, match=f"{module!r} has no attribute 'x'"):
            import_module(module).x  # noqa: B018
