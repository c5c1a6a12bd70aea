"""Former names work, and warn of the present ones."""

import runpy
import sys
from importlib import import_module
from pathlib import Path

import pytest
from mmaction.registry import DATASETS

from flowzoo.deprecated import MODULES, NAMES, TYPES, former_arguments

# that a type cannot do without
ARGUMENTS = {
    "SameConv3d": dict(in_channels=1, out_channels=1, kernel_size=3),
    "WithFlow": dict(transform=dict(type="Flip")),
}


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


@pytest.mark.parametrize(("former", "present"), MODULES.items())
def test_modules(former, present):
    sys.modules.pop(former, None)
    with pytest.warns(FutureWarning, match=f"{former} is now {present}; "):
        module = import_module(former)
    assert module is import_module(present)
    assert module.__spec__.name == module.__name__ == present


@pytest.mark.parametrize("former", TYPES)
def test_types(former):
    registry, present = TYPES[former]
    owner, _, name = present.rpartition(".")
    message = f"type='{former}' is now type='{name}'; "
    with pytest.warns(FutureWarning, match=message):
        built = registry.build(dict(type=former, **ARGUMENTS.get(former, {})))
    assert type(built) is getattr(import_module(owner), name)


def test_arguments():
    @former_arguments(former="present")
    def function(number, present=None):
        return number, present

    with pytest.warns(FutureWarning, match="former= is now present=; "):
        assert function(1, former=2) == (1, 2)
    with pytest.raises(TypeError, match="former= is now present=; give only"):
        function(1, present=2, former=3)
    with pytest.raises(TypeError, match="other"):
        function(1, other=2)


@pytest.mark.parametrize(
    "dataset",
    [
        dict(type="CheckedVideoDataset", ann_file="nowhere.txt"),
        dict(type="FeatureDataset", appearance="nowhere.npz"),
        dict(type="FlowPairDataset", folder="nowhere"),
    ],
)
def test_download_hint(dataset):
    config = dict(dataset, pipeline=[], how_to_get="Get it there.")
    with (
        pytest.warns(FutureWarning, match="how_to_get= is now download_hint=; "),
        pytest.raises(FileNotFoundError, match="Get it there"),
    ):
        DATASETS.build(config).full_init()


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("convert_hidden_two_stream.py", "convert.py hidden_two_stream"),
        ("convert_i3d.py", "convert.py i3d"),
        ("convert_monet.py", "convert.py monet"),
        ("convert_repflow.py", "convert.py repflow"),
        ("join_hallucinated.py", "merge_hallucinated.py"),
        ("join_streams.py", "merge_streams.py"),
        ("measure.py", "count_flops.py"),
    ],
)
def test_tools(former, present, monkeypatch, capsys):
    tool = str(Path(__file__).parents[1] / "tools/zoo" / former)
    monkeypatch.setattr(sys, "argv", [tool, "absent", "absent", "absent", "out"])
    with (
        pytest.warns(FutureWarning, match=f"{former} is now {present}; "),
        pytest.raises(SystemExit, match="2"),
    ):
        runpy.run_path(tool, run_name="__main__")
    assert f"usage: {present.split()[0]}" in capsys.readouterr().err
