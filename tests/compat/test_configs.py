"""flowzoo:: in front of the name of a base."""

import pytest
from mmengine.config import Config

from flowzoo.config_lookup import find_config
from flowzoo.paths import dataset_folder


def test_flowzoo_config_as_base(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(
        "_base_ = 'flowzoo::_base_/default_runtime.py'\n"
        "hooks = {{_base_.default_hooks}}\n"
    )
    config = Config.fromfile(mine)
    assert config.default_scope == "mmaction"
    assert config.hooks.timer == {"type": "IterTimerHook", "_scope_": "mmaction"}
    with pytest.raises((ValueError, AssertionError)):
        Config._get_cfg_path.__wrapped__("flowzoo::_base_/default_runtime.py", "x")


def test_other_bases_are_left_to_mmengine(tmp_path):
    assert Config._get_cfg_path("../x.py", "/a/b/y.py") == ("/a/b/../x.py", None)
    with pytest.raises(AssertionError, match="does not support to load nobody"):
        Config._get_cfg_path("nobody::a/b.py", "x")


def test_unknown_config_names_near_matches():
    with pytest.raises(FileNotFoundError, match=r"_base_/default_runtime\.py"):
        Config._get_cfg_path("flowzoo::_base_/defaultruntime.py", "x")


@pytest.mark.parametrize("split", ["abc", "1.5", "", "1 2", "-1", "0", "01", "٣"])
def test_a_split_is_a_number(split, monkeypatch):
    monkeypatch.setenv("SPLIT", split)
    with pytest.raises(ValueError, match=f"SPLIT is '{split}' in the environment"):
        Config.fromfile(find_config("repflow_r50_ucf101.py"))
    # others, which have no splits, may stand beside another program's variable
    Config.fromfile(find_config("repflow_r50_kinetics.py"))


@pytest.mark.parametrize(
    "folder", ["/o'neil", '/the "big" disk', r"C:\new\data\ucf", "/kléin #1 {{x}}"]
)
def test_data_lie_in_folders_of_any_name(folder, monkeypatch):
    monkeypatch.setenv("FLOWZOO_DATA", folder)
    config = Config.fromfile(find_config("repflow_r50_ucf101.py"))
    assert config.root == f"{folder}/ucf101"
    assert config.env_variables["FLOWZOO_DATA"] == folder


def test_configs_look_where_the_preparation_writes(monkeypatch):
    for variable in ("", "~/my data", "relative"):
        monkeypatch.setenv("FLOWZOO_DATA", variable)
        config = Config.fromfile(find_config("repflow_r50_ucf101.py"))
        assert config.root == str(dataset_folder("ucf101"))
