"""The wheel holds everything and works where nothing of the checkout is."""

import configparser
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

import flowzoo
from flowzoo import zoo

ROOT = Path(__file__).parents[1]


def packages_in_tree():
    names = set()
    for folder, name in (
        (ROOT / "flowzoo", "flowzoo"),
        (ROOT / "kernels", "flowzoo_kernels"),
    ):
        for init in folder.rglob("__init__.py"):
            names.add(".".join([name, *init.parent.relative_to(folder).parts]))
    return names


def test_setup_cfg_lists_every_package():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert set(config["options"]["packages"].split()) == packages_in_tree()


def test_wheel_has_mims_layout(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "flowzoo/.mim/model-index.yml" in names
    for folder in ("configs", "tools"):
        files = {
            p for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".sh", ".yml")
        }
        assert files
        missing = {
            p for p in files if f"flowzoo/.mim/{p.relative_to(ROOT)}" not in names
        }
        assert not missing
    assert not any("__pycache__" in name for name in names)


def test_wheel_carries_the_published_weights(wheel):
    """All of them, as long as none is larger than 10 MB."""
    published = {m.checkpoint for m in zoo.models().values() if m.checkpoint}
    assert published and all(c.size <= 10 * 2**20 for c in published)
    with zipfile.ZipFile(wheel) as archive:
        for checkpoint in published:
            data = archive.read(f"flowzoo/.mim/checkpoints/{checkpoint.file}")
            assert hashlib.sha256(data).hexdigest() == checkpoint.sha256


def test_wheel_works_alone(wheel, tmp_path):
    """Configs resolve by `flowzoo::` from the installed files, and a model is built."""
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "-t", site, wheel],
        check=True,
        capture_output=True,
    )
    (tmp_path / "mine.py").write_text(
        "_base_ = 'flowzoo::repflow_r18_motionshapes.py'\n"
        "model = dict(cls_head=dict(num_classes=3))\n"
    )
    code = (
        "import flowzoo, flowzoo_kernels\n"
        "from mmengine.config import Config\n"
        "from mmaction.registry import MODELS\n"
        "print(flowzoo.__file__, flowzoo_kernels.__file__, sep='\\n')\n"
        "config = Config.fromfile('mine.py')\n"
        "print(MODELS.build(config.model).cls_head.fc_cls.out_features)\n"
        "print(flowzoo.zoo.download('repflow_r18_motionshapes'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
        text=True,
    )
    *files, classes, weights = done.stdout.split()[-4:]
    files.append(weights)
    assert all(Path(file).is_relative_to(site) for file in files)
    assert classes == "3"


def test_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == flowzoo.__version__
