"""tools/deploy/export.py, and the example that runs its file without torch."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.miniatures import write_clip
from helpers.painted_videos import encode, turn
from helpers.tool_process import run_tool
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from flowzoo.config_lookup import find_config
from flowzoo.deployment import ClipClassifier, compare
from flowzoo.inference import open_source

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "deploy" / "export.py"
EXAMPLE = ROOT / "examples" / "classify_onnx.py"
WITHOUT_TORCH = (
    "import sys; sys.modules['torch'] = None; sys.argv = sys.argv[1:]; "
    "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
)


def export(*arguments, expect=0):
    done = run_tool(TOOL, *arguments)
    assert done.returncode == expect, done.stdout[-2000:]
    return done.stdout


def classify(*arguments, expect=0):
    """The example, in a process that cannot import torch."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, EXAMPLE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == expect, done.stdout[-2000:]
    return done.stdout


def network(name):
    config = Config.fromfile(find_config(f"{name}.py"))
    with DefaultScope.overwrite_default_scope(config.default_scope):
        return MODELS.build(config.model).eval()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    write_clip(path, 40, "mpeg4")
    return path


@pytest.mark.parametrize("kind", ["onnx", "torchscript"])
def test_export(tmp_path, clip, kind):
    config, checkpoint, out = (tmp_path / n for n in ("c.py", "c.pth", "net.file"))
    names = [f"class {n}" for n in range(10)]
    (tmp_path / "classes.txt").write_text("\n".join(names))
    config.write_text(
        "_base_ = 'flowzoo::repflow_r18_weizmann.py'\n"
        f"test_dataloader = dict(dataset=dict(ann_file={str(tmp_path / 'a.txt')!r}))\n"
        "model = dict(backbone=dict(base_channels=4, flow_cfg=dict(n_iters=2)),\n"
        "    cls_head=dict(in_channels=32))\n"
    )
    model = Config.fromfile(config).model
    with DefaultScope.overwrite_default_scope("mmaction"):
        torch.save(MODELS.build(model).state_dict(), checkpoint)
    said = export(config, checkpoint, "--to", kind, "--out", out, "--clips", clip)
    assert "clips: scores differ by" in said
    assert "clips (3, 8, 80, 96)" in said
    assert [path.name for path in tmp_path.iterdir() if "net" in path.name] == [
        out.name
    ]
    if kind == "onnx":
        lines = classify(out, clip).splitlines()
        found = dict(line.split(": ") for line in lines)
        assert len(found) == 5 and set(found) < set(names)
        assert all(0 < float(share.rstrip("%")) <= 100 for share in found.values())
        said = classify(out, config, expect=2)
        assert f"error: cannot read {config}: " in said
        said = classify(config, clip, expect=2)
        assert f"error: {config}: " in said
    else:
        files = {"classes": ""}
        torch.jit.load(out, _extra_files=files)
        assert json.loads(files["classes"]) == names


@pytest.mark.parametrize(
    ("checkpoint", "out", "message"),
    [
        ("text", "net.onnx", "text is no checkpoint that torch reads"),
        ("text", ".", "is a folder; give the name of a file"),
        ("", "text/net.onnx", "cannot write .*text/net.onnx: "),
    ],
)
def test_what_cannot_be_written(
    tmp_path, monkeypatch, capsys, checkpoint, out, message
):
    """Each is one line, not a traceback."""
    name = "repflow_r18_motionshapes"
    (tmp_path / "text").write_text("hello")
    weights = str(tmp_path / checkpoint) if checkpoint else f"flowzoo://{name}"
    command = ["export.py", name, weights, "--to", "torchscript"]
    monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path / out)])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(TOOL), run_name="__main__")
    assert stopped.value.code == 2
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_the_example_turns_videos_upright(tmp_path, degrees):
    """Its frames are those that the tools see, up to rounding of the colors."""
    example = runpy.run_path(str(EXAMPLE))
    source = encode(tmp_path / "source.mp4", 5)
    path = turn(source, tmp_path / "turned.mp4", degrees)
    expected = list(open_source(path)[0])[3]
    frames = example["read_frames"](str(path), *expected.shape[:2])
    assert np.abs(frames[3].astype(int) - expected).max() < 8


def test_pixels_are_normalized_as_in_training():
    model = network("repflow_r18_weizmann")
    clips = (255 * torch.rand(2, 3, 8, 80, 96)).round()
    data = dict(inputs=list(clips.byte().unsqueeze(1)), data_samples=[])
    inputs = model.data_preprocessor(data)["inputs"]
    with torch.no_grad():
        features, _ = model.extract_feat(inputs, test_mode=True)
        expected = model.cls_head(features)
        torch.testing.assert_close(ClipClassifier(model)(clips), expected)


def test_a_wrong_file_is_noticed():
    net = ClipClassifier(network("repflow_r18_weizmann_rgb"))
    clips = torch.zeros(1, 3, 2, 32, 32)
    found = compare(net, lambda clips: net(clips) + 1, {"zeros": clips}, rounds=1)
    assert found["differences"]["zeros"] > 1e-2


@pytest.mark.parametrize("name", ["tinymotionnet_motionshapes", "tsn_r18_motionshapes"])
def test_other_models_are_rejected(name):
    with pytest.raises(TypeError, match=r"docs/deployment\.md"):
        ClipClassifier(network(name))


def test_wrong_arguments_are_named(tmp_path):
    said = export("nosuch", "flowzoo://x", "--to", "onnx", expect=2)
    assert "no config 'nosuch.py'" in said and "Traceback" not in said
    name = "repflow_r18_motionshapes"
    said = export(name, tmp_path / "missing.pth", "--to", "onnx", expect=2)
    assert "missing.pth" in said and "Traceback" not in said
