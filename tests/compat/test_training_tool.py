"""mmaction2's own tools, unchanged, on a config of somebody else's."""

import json
import pickle
import signal

import pytest
import torch

from flowzoo.config_lookup import find_config

KILL_IN_EPOCH_3 = """
import os, signal
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

@HOOKS.register_module()
class KillHook(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 7:
            os.kill(os.getpid(), signal.SIGKILL)
"""


def records(work_dir):
    """What all runs in a work_dir have logged, in the order of the runs."""
    lines = [
        line
        for path in sorted(work_dir.glob("*/vis_data/scalars.json"))
        for line in path.read_text().splitlines()
    ]
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def trained(tsn_config, run_mmaction_tool, tmp_path_factory):
    """Trained with every option, killed in epoch 3 of 3, resumed from a broken file.

    AMP on a CPU, EMA, early stopping, OneCycleLR and the scaled learning rate are in.
    """
    folder = tmp_path_factory.mktemp("killed")
    (folder / "killhook.py").write_text(KILL_IN_EPOCH_3)
    killed = folder / "tsn_killed.py"
    killed.write_text(
        f"import sys\nsys.path.insert(0, {str(folder)!r})\n"
        f"_base_ = {str(tsn_config)!r}\n"
        "custom_imports = dict(imports=['flowzoo', 'killhook'])\n"
        "custom_hooks = [dict(type='EMAHook'), dict(type='KillHook')]\n"
    )
    options = ["--amp", "--auto-scale-lr", "--seed", "0", "--work-dir", folder]
    run_mmaction_tool("train.py", killed, *options, expect=-signal.SIGKILL)
    last = folder / "epoch_2.pth"
    assert (folder / "last_checkpoint").read_text() == str(last)
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    resumed = run_mmaction_tool("train.py", tsn_config, *options, "--resume")
    return folder, resumed.stdout


def test_resume_falls_back_to_the_last_whole_checkpoint(trained):
    folder, output = trained
    assert f"is missing or incomplete: resuming from {folder}/epoch_1.pth" in output
    assert "resumed epoch: 1, iter: 3" in output
    assert (folder / "epoch_3.pth").exists()
    assert not list(folder.glob("*.part"))


def test_resumed_training_follows_the_same_schedule(trained):
    folder, _ = trained
    rates = [(r["step"], r["lr"]) for r in records(folder) if "lr" in r]
    first, resumed = dict(rates[:6]), dict(rates[-6:])
    assert list(resumed) == [4, 5, 6, 7, 8, 9]
    for step in (4, 5, 6):
        assert resumed[step] == first[step]
    assert resumed[9] < 1e-6  # where OneCycleLR ends


def test_dump_and_show_dir(trained, tsn_config, run_mmaction_tool, tmp_path):
    """Without the hook: ``got an unexpected keyword argument 'show'``."""
    folder, _ = trained
    out, shown = tmp_path / "out.pkl", tmp_path / "shown"
    checkpoint = folder / "epoch_3.pth"
    options = ["--dump", out, "--show-dir", shown, "--work-dir", tmp_path]
    run_mmaction_tool("test.py", tsn_config, checkpoint, *options, "--interval", "3")
    scores = torch.stack(
        [sample["pred_score"] for sample in pickle.loads(out.read_bytes())]
    )
    assert scores.shape == (6, 2)
    torch.testing.assert_close(scores.sum(1), torch.ones(6))
    drawn = {str(p.relative_to(shown)) for p in shown.rglob("*.png")}
    assert drawn == {f"{i}_0/frames_0/{j}.png" for i in (0, 3) for j in (0, 1)}


def test_inferencer(trained, tsn_config, videos, tmp_path):
    from mmaction.apis import MMAction2Inferencer

    folder, _ = trained
    inferencer = MMAction2Inferencer(
        rec=str(tsn_config), rec_weights=str(folder / "epoch_3.pth"), device="cpu"
    )
    result = inferencer(
        str(videos / "0.avi"), vid_out_dir=str(tmp_path), out_type="img"
    )
    (scores,) = result["predictions"][0]["rec_scores"]
    assert sum(scores) == pytest.approx(1)
    assert len(list(tmp_path.rglob("*.png"))) == 8


def test_flops_counter(run_mmaction_tool):
    config = find_config("repflow_r18_motionshapes.py")
    args = ["--shape", "1", "3", "3", "32", "32"]
    done = run_mmaction_tool("analysis_tools/get_flops.py", config, *args)
    assert "Flops: " in done.stdout and "Flops: 0" not in done.stdout
    assert "Unsupported operator flowzoo::" not in done.stdout


@pytest.mark.slow
def test_two_processes_on_cpu(tsn_config, run_mmaction_tool, tmp_path):
    """Train, validate, resume, test and dump under torchrun, with gloo."""
    options = ["--work-dir", tmp_path]
    one_epoch = ["--cfg-options", "train_cfg.max_epochs=1"]
    run_mmaction_tool("train.py", tsn_config, *options, *one_epoch, processes=2)
    resume = [*options, "--resume", "--cfg-options", "train_cfg.max_epochs=2"]
    run_mmaction_tool("train.py", tsn_config, *resume, processes=2)
    accuracies = [r["acc/top1"] for r in records(tmp_path) if "acc/top1" in r]
    assert len(accuracies) == 2
    out = tmp_path / "out.pkl"
    test = [tmp_path / "epoch_2.pth", *options, "--dump", out]
    run_mmaction_tool("test.py", tsn_config, *test, processes=2)
    assert len(pickle.loads(out.read_bytes())) == 6
