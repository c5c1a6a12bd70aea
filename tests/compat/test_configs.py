"""flowzoo:: in front of the name of a base."""

import pytest
from mmengine.config import Config


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
