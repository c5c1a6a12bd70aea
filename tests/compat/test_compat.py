"""All fixes of flowzoo.compat together."""

from mmengine.config import Config
from mmengine.fileio import LocalBackend
from mmengine.runner import runner

from flowzoo import compat


def test_fixes_may_be_applied_twice():
    before = Config._get_cfg_path, LocalBackend.put, runner.find_latest_checkpoint
    compat.resolve_flowzoo_configs()
    compat.write_checkpoints_atomically()
    compat.resume_from_whole_checkpoint()
    compat.stub_drn()
    after = Config._get_cfg_path, LocalBackend.put, runner.find_latest_checkpoint
    assert before == after
