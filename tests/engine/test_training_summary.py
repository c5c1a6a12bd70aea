from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.logging import MessageHub

from flowzoo.config_lookup import find_config
from flowzoo.engine import training_summary
from flowzoo.engine.training_summary import TrainingSummaryHook


@pytest.fixture
def summarize(tmp_path, monkeypatch):
    """What the hook says of a runner, line by line."""

    def summarize(config, **scalars):
        hub = MessageHub(f"hub{len(scalars)}")
        for name, values in scalars.items():
            for value in values:
                hub.update_scalar(name.replace("__", "/"), value)
        if "val__acc__top1" in scalars:
            hub.update_info("best_score", max(scalars["val__acc__top1"]))
            hub.update_info("best_ckpt", str(tmp_path / "best_acc_top1_epoch_2.pth"))
        (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_3.pth"))
        said = []
        monkeypatch.setattr(training_summary, "print_log", lambda m, _: said.append(m))
        runner = SimpleNamespace(
            work_dir=str(tmp_path),
            message_hub=hub,
            cfg=Config.fromfile(find_config(config)),
        )
        TrainingSummaryHook().after_train(runner)
        (message,) = said
        pairs = (
            line.split("  ", 1)
            for line in message.replace("\n  ", "\n").split("\n")[1:]
        )
        return {name: value.strip() for name, value in pairs}

    return summarize


def test_accuracy_checkpoints_and_commands(summarize, tmp_path):
    lines = summarize(
        "repflow_r18_weizmann.py",
        train__loss=[3.0, 2.0, 1.0],
        val__acc__top5=[0.6, 0.9, 0.8],
        val__acc__top1=[0.5, 0.75, 0.7],
        val__time=[1, 1, 1],
    )
    best = tmp_path / "best_acc_top1_epoch_2.pth"
    assert lines["acc/top1"] == "70.00%, last of 3 validations"
    assert lines["acc/top5"].startswith("80.00%") and "time" not in lines
    assert lines["best checkpoint"] == f"0.75: {best}"
    assert lines["last checkpoint"] == str(tmp_path / "epoch_3.pth")
    config = find_config("repflow_r18_weizmann.py")
    assert lines["test"] == f"python tools/test.py {config} {best}"
    assert lines["demo"].endswith(f"VIDEO --model {config} --weights {best}")
    curves = tmp_path / "curves.png"
    assert lines["curves"] == str(curves) and curves.read_bytes()[1:4] == b"PNG"


def test_the_commands_have_the_options_of_the_training(
    summarize, tmp_path, monkeypatch
):
    """And name the tools beside the one that ran, wherever that is."""
    name = "repflow_r18_weizmann.py"
    (tmp_path / name).touch()  # mmengine writes the config with --cfg-options
    tools = tmp_path / "other tools"
    tools.mkdir()
    (tools / "mmaction_tool.py").touch()
    command = ["python", "-u", str(tools / "train.py"), "config.py"]
    monkeypatch.setattr("sys.orig_argv", command)
    lines = summarize(name, train__loss=[2.0])
    last = tmp_path / "epoch_3.pth"
    assert lines["test"] == f"python '{tools}/test.py' {tmp_path / name} {last}"
    assert lines["demo"].startswith(f"python '{tools}/demo.py' VIDEO --model ")


def test_without_validation_and_without_classes(summarize, tmp_path):
    """A motion estimator has no demo of classes."""
    lines = summarize("tinymotionnet_ucf101.py", train__loss=[2.0])
    assert "demo" not in lines and "best checkpoint" not in lines
    assert lines["test"].endswith(str(tmp_path / "epoch_3.pth"))


@pytest.mark.parametrize(
    "config",
    [
        "repflow_r18_motionshapes.py",
        "tinymotionnet_motionshapes.py",
        "hidden2s_vgg16_ucf101_temporal.py",
        "monet_i3d_ucf101.py",
        "motionnet_motionscenes_start_tvl1.py",  # with hooks of their own beside
        "motionnet_motionscenes_large_tvl1.py",
        "tinymotionnet_motionscenes_large.py",
        "tinymotionnet_ucf101_large.py",
    ],
)
def test_configs_have_the_hook(config):
    hooks = [dict(hook) for hook in Config.fromfile(find_config(config)).custom_hooks]
    assert dict(type="TrainingSummaryHook") in hooks
    assert dict(type="UnreadableVideosHook") in hooks
