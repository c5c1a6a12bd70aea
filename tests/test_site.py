"""The site is built without a warning, and its reference is complete."""

import importlib
import subprocess
import sys
import zlib
from pathlib import Path

import mmaction.registry
import mmengine.registry
import pytest
import yaml

import flowzoo  # noqa: F401
import flowzoo_kernels

pytest.importorskip("material", reason="the extra `docs` is not installed")

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "flowzoo.datasets",
    "flowzoo.datasets.transforms",
    "flowzoo.engine",
    "flowzoo.evaluation",
    "flowzoo.models.backbones",
    "flowzoo.models.heads",
    "flowzoo.models.layers",
    "flowzoo.models.losses",
    "flowzoo.models.necks",
    "flowzoo.models.recognizers",
    "flowzoo.visualization",
    "flowzoo.zoo",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def registered_types() -> set[str]:
    """Of all registries; without the old names and what stands in for DRN."""
    roots = [
        registry
        for module in (mmaction.registry, mmengine.registry)
        for registry in vars(module).values()
        if isinstance(registry, mmengine.registry.Registry)
    ]
    return {
        name
        for registry in roots
        for name, made in registry.module_dict.items()
        if made.__module__.startswith("flowzoo.") and made.__qualname__ == name
    }


def test_reference_is_complete(site):
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    described = {
        line.split()[0].rpartition(".")[2]
        for line in zlib.decompress(inventory).decode().splitlines()
    }
    public = set(flowzoo_kernels.__all__) | {"Inferencer"}
    for name in PACKAGES:
        package = importlib.import_module(name)
        public |= {
            exported
            for exported in package.__all__
            if callable(getattr(package, exported))
        }
    types = registered_types()
    assert len(types) > 70
    assert public | types <= described, sorted((public | types) - described)


def test_navigation_has_every_page_of_the_documentation():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set()

    def visit(entry):
        if isinstance(entry, str):
            listed.add(entry)
        else:
            for part in entry.values() if isinstance(entry, dict) else entry:
                visit(part)

    visit(yaml.safe_load(text.partition("\nnav:")[2]))
    pages = {
        path.relative_to(ROOT).as_posix()
        for pattern in ("docs/**/*.md", "configs/**/*.md")
        for path in ROOT.glob(pattern)
    }
    assert pages <= listed, sorted(pages - listed)


def test_equations_are_mathml(site):
    page = (site / "docs" / "equations.html").read_text(encoding="utf-8")
    assert page.count("<math") > 30
    assert "arithmatex" not in page


def test_the_zoo_is_one_table(site):
    page = (site / "model_zoo.html").read_text(encoding="utf-8")
    assert page.count("<table>") == 1
    for config in (ROOT / "configs").glob("*.py"):
        assert f"<code>{config.stem}</code>" in page
