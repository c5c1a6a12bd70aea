"""Configs by their names, today's and former ones."""

import os
import warnings

import pytest
from helpers.tool_process import run_tool
from mmengine.config import Config

from flowzoo.config_lookup import (
    CONFIGS,
    RENAMED,
    RENAMED_BASES,
    find_config,
    moved_config,
)
from flowzoo.zoo import find

TRAIN = "tools/train.py"
FORMER = CONFIGS / "repflow_r50_kinetics_fcf.py"  # which moved to repflow/
FORMER_NAME = CONFIGS / "gru_i3d_kinetics.py"  # which was renamed as well


def test_every_config_is_found_by_its_file_name():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in CONFIGS.rglob("*.py"):
            assert find_config(path.name) == path
            assert find_config(str(path.relative_to(CONFIGS))) == path


@pytest.mark.parametrize(("former", "name"), RENAMED.items())
def test_former_names(former, name):
    assert not list(CONFIGS.rglob(f"{former}.py"))
    with pytest.warns(FutureWarning, match=rf"{former}\.py is now \w+/{name}\.py"):
        assert find_config(f"{former}.py") == find_config(f"{name}.py")
    with pytest.warns(FutureWarning, match=rf"{former} is now called {name}"):
        assert find(former) is find(name)


@pytest.mark.parametrize(("former", "name"), RENAMED_BASES.items())
def test_former_bases_of_one_folder(former, name):
    assert not (CONFIGS / "_base_" / former).exists()
    with pytest.warns(FutureWarning, match=rf"{former} is now _base_/{name}"):
        assert find_config(f"_base_/{former}") == CONFIGS / "_base_" / name
    with pytest.warns(FutureWarning, match=rf"{former} is now .*/_base_/{name}"):
        config = Config.fromfile(CONFIGS / "_base_" / former)
    assert config.to_dict() == Config.fromfile(CONFIGS / "_base_" / name).to_dict()


@pytest.mark.parametrize("former", [FORMER, FORMER_NAME], ids=lambda path: path.stem)
def test_former_paths(former, monkeypatch):
    name = RENAMED.get(former.stem, former.stem)
    with pytest.warns(FutureWarning, match=rf"{former.name} is now .*/{name}\.py"):
        moved = moved_config(former)
    assert moved.samefile(find_config(f"{name}.py"))
    monkeypatch.chdir(CONFIGS.parent)
    with pytest.warns(FutureWarning, match=rf"configs/{former.name} is now configs/"):
        config = Config.fromfile(f"configs/{former.name}")
    assert config.model == Config.fromfile(moved).model


def test_other_paths_are_left_alone(tmp_path):
    assert moved_config(find_config("repflow_r50_kinetics.py")) is None
    assert moved_config(CONFIGS / "nobody.py") is None
    assert moved_config(tmp_path / FORMER.name) is None
    assert moved_config("") is None
    with pytest.raises(FileNotFoundError, match=r"nobody\.py"):
        Config.fromfile(CONFIGS / "nobody.py")


@pytest.mark.parametrize(
    ("base", "warned"),
    [
        ("flowzoo::repflow_r50_kinetics_fcf.py", False),  # by its name, as ever
        ("flowzoo::repflow_released_r50_kinetics.py", True),
        (str(FORMER), True),
        (str(CONFIGS / "repflow_released_r50_kinetics.py"), True),
    ],
)
def test_former_bases(base, warned, tmp_path, recwarn):
    mine = tmp_path / "mine.py"
    mine.write_text(f"_base_ = {base!r}\nload_from = 'mine.pth'\n")
    config = Config.fromfile(mine)
    said = [w for w in recwarn if w.category is FutureWarning]
    assert bool(said) == warned
    assert config.load_from == "mine.pth"
    kind = "ReleasedRepFlowResNet3d" if "released" in base else "RepFlowResNet"
    assert config.model.backbone.type == kind


@pytest.mark.parametrize(
    "name",
    [
        "_base_/datasets/motionshapes_flow.py",  # now there is a pipeline of that name
        "_base_/datasets/kinetics400_i3d.py",
        "_base_/pipelines/repflow.py",
    ],
)
def test_former_bases_that_were_split(name):
    with pytest.raises(FileNotFoundError, match="join the two by train_dataloader"):
        find_config(name)


def test_a_schedule_is_no_data_set():
    with pytest.raises(FileNotFoundError, match="did you mean"):
        find_config("schedules/motionshapes.py")


def test_former_name_without_suffix():
    with pytest.raises(
        FileNotFoundError, match=r"of: monet/monet_i3d_kinetics_gru\.py"
    ):
        find_config("monet/gru_i3d_kinetics")


def test_config_written_against_the_former_data_sets(tmp_path):
    mine = tmp_path / "mine.py"
    bases = (
        "models/repflow_r18.py",
        "datasets/motionshapes.py",
        "schedules/motionshapes_12e.py",
        "default_runtime.py",
    )
    mine.write_text(f"_base_ = {[f'flowzoo::_base_/{base}' for base in bases]}")
    with pytest.warns(FutureWarning, match=r"mine\.py has no train_dataloader"):
        Config.fromfile(mine)


@pytest.mark.parametrize("kind", ["flowzoo::", "relative"])
def test_training_with_a_former_name(kind, tmp_path):
    base = kind if kind == "flowzoo::" else os.path.relpath(CONFIGS, tmp_path) + "/"
    data = dict(
        root=str(tmp_path),
        spec=dict(num_train=16, num_val=8, num_test=8, num_frames=16, size=32),
    )
    (tmp_path / "mine.py").write_text(
        f"_base_ = '{base}flow_r18_motionshapes.py'\n"
        "model = dict(backbone=dict(base_channels=4), cls_head=dict(in_channels=32))\n"
        + "".join(
            f"{split}_dataloader = dict(dataset={data})\n"
            for split in ("train", "val", "test")
        )
    )
    done = run_tool(
        TRAIN, tmp_path / "mine.py", "--work-dir", tmp_path / "work",
        "--cfg-options", "train_cfg.max_epochs=1",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / "work" / "epoch_1.pth").is_file()
    assert "is now" in done.stdout
    assert "baselines/slowonly_r18_motionshapes_flow.py" in done.stdout


def test_former_path_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWZOO_DATA", str(tmp_path / "nothing"))
    done = run_tool(
        "tools/train.py", "configs/gru_i3d_kinetics.py", "--work-dir", tmp_path
    )
    assert "is now configs/monet/monet_i3d_kinetics_gru.py" in done.stdout
    assert "appearance_train.npz" in done.stdout  # it was read: its data are missing


def test_the_config_that_a_training_wrote_is_no_moved_one(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / FORMER.name).touch()
    assert moved_config(tmp_path / FORMER.name) is None
