"""FLOWZOO_DATA moves the data of every config, and what is generated."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mmengine.config import Config

import flowzoo  # noqa: F401  configs may inherit from flowzoo::
from flowzoo.paths import cache_root, dataset_folder

ROOT = Path(__file__).parents[1] / "configs"
CONFIGS = sorted([*ROOT.glob("*.py"), *ROOT.glob("[!_]*/*.py")])


def paths(config: Config) -> Iterator[str]:
    """Files and folders that a config's loaders read."""
    for loader in ("train", "val", "test"):
        dataset = config[f"{loader}_dataloader"].dataset
        if dataset.type == "MotionShapesDataset":  # finds its own folder
            continue
        files = [dataset.get(k) for k in ("ann_file", "appearance", "flow", "files")]
        yield from filter(None, files)
        yield from dataset.get("data_prefix", {}).values()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_reads_below_the_folder(path, monkeypatch):
    monkeypatch.setenv("FLOWZOO_DATA", "/else where")
    config = Config.fromfile(path)
    assert all(p.startswith("/else where/") for p in paths(config))


def test_default(monkeypatch):
    monkeypatch.delenv("FLOWZOO_DATA", raising=False)
    for network, name in (
        ("motionnet_ucf101", "ucf101"),
        ("repflow_r50_kinetics", "kinetics400"),
    ):
        config = Config.fromfile(ROOT / f"{network}.py")
        assert {p.split(f"{name}/")[0] for p in paths(config)} == {"data/"}


def test_preparation_writes_where_configs_read(monkeypatch):
    monkeypatch.delenv("FLOWZOO_DATA", raising=False)
    assert dataset_folder("ucf101") == Path("data/ucf101")
    monkeypatch.setenv("FLOWZOO_DATA", "/else where")
    assert dataset_folder("ucf101") == Path("/else where/ucf101")


def test_generated_files_go_to_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("FLOWZOO_DATA", "~/data")
    assert cache_root() == Path.home() / "data"
    monkeypatch.delenv("FLOWZOO_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "flowzoo"
