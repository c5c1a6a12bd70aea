"""The command-line tools, as a user calls them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from helpers.tool_process import run_tool

ROOT = Path(__file__).parents[2]
RUN = dict(
    stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT,
    text=True,
    cwd=ROOT,
    env=os.environ
    | {
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    },
)
EPOCH_ACCURACY = re.compile(r"acc/top1: ([\d.]+)")


@pytest.fixture(scope="module")
def tool():
    def run(name, *args, expect=0):
        if name.endswith(".sh"):
            done = subprocess.run(["bash", f"tools/{name}", *map(str, args)], **RUN)
        else:
            done = run_tool(f"tools/{name}", *args)
        assert done.returncode == expect, done.stdout[-3000:]
        return done.stdout

    return run


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The quick start's config on a dataset of 32 + 8 + 8 clips."""
    folder = tmp_path_factory.mktemp("run")
    path = folder / "tiny.py"
    path.write_text(
        "_base_ = 'flowzoo::repflow_r18_motionshapes.py'\n"
        f"data = dict(root={str(folder)!r},\n"
        "    spec=dict(num_train=32, num_val=8, num_test=8, num_frames=9, size=32))\n"
        "train_dataloader = dict(batch_size=16, dataset=data)\n"
        "val_dataloader = dict(dataset=data)\n"
        "test_dataloader = dict(dataset=data)\n"
        "train_cfg = dict(max_epochs=2)\n"
        "model = dict(backbone=dict(base_channels=4, flow_cfg=dict(n_iters=2)),\n"
        "    cls_head=dict(in_channels=32))\n"
        "default_hooks = dict(logger=dict(interval=1))\n"
    )
    return path


@pytest.fixture(scope="module")
def work_dir(config, tool):
    """Where the tiny config was trained."""
    out = tool("train.py", config, "--work-dir", config.parent / "work")
    assert "eta:" in out
    return config.parent / "work"


def test_train_then_test(config, work_dir, tool):
    checkpoint = Path((work_dir / "last_checkpoint").read_text())
    assert checkpoint.name == "epoch_2.pth"
    out = tool("test.py", config, checkpoint, "--work-dir", config.parent / "test")
    assert 0 <= float(EPOCH_ACCURACY.findall(out)[-1]) <= 1


def test_resume_on_two_processes(config, work_dir, tool):
    out = tool(
        "dist_train.sh", config, 2, "--work-dir", work_dir, "--resume",
        "--cfg-options", "train_cfg.max_epochs=3",
    )  # fmt: skip
    assert "resumed epoch: 2" in out
    assert (work_dir / "epoch_3.pth").exists()


def test_launchers_say_how_to_call_them(tool):
    for name in ("dist_train.sh", "dist_test.sh", "slurm_train.sh"):
        assert re.search(rf"usage: .*tools/{name} ", tool(name, expect=2))


def test_curves_are_plotted(work_dir, tmp_path, tool):
    out = tmp_path / "curves.png"
    tool("analysis/plot_log.py", work_dir, "--keys", "loss", "acc/top1", "--out", out)
    assert out.stat().st_size > 1000
    message = tool("analysis/plot_log.py", work_dir, "--keys", "acc/top7", expect=1)
    assert "acc/top1" in message


def test_any_tool_of_mmaction2(config, tool):
    shape = ["--shape", 1, 3, 9, 32, 32]
    out = tool("mmaction_tool.py", "analysis_tools/get_flops.py", config, *shape)
    assert float(re.search(r"Flops: ([\d.]+)M", out)[1]) > 1
    assert "train.py" in tool("mmaction_tool.py", "trian.py", expect=1)


def test_missing_annotations_are_named(tool, tmp_path):
    out = tool(
        "train.py", "configs/repflow_r50_kinetics.py", "--work-dir", tmp_path, expect=1
    )
    assert "annotation file not found: data/kinetics400" in out
    assert "tools/data/prepare.py kinetics400" in out


def write_video(path, size):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height = size
        for value in range(0, 200, 20):
            image = np.full((size[1], size[0], 3), value, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        container.mux(stream.encode())


def test_ut_interaction(tmp_path, tool):
    out = tool("data/prepare_ut_interaction.py", tmp_path, expect=2)
    assert "no clips named" in out
    for sequence in (1, 2):
        write_video(tmp_path / f"{sequence}_{sequence}_0.avi", (64, 64))
    out = tool("data/prepare_ut_interaction.py", tmp_path, "--out", tmp_path / "out")
    assert "2 clips in" in out and "splits 1, 2:" in out
    assert "alone: 100.0%" in out
    assert (
        tmp_path / "out" / "ut_interaction_val_split_2_videos.txt"
    ).read_text() == "2_2_0.mp4 0\n"


def test_mini_kinetics(tmp_path, tool):
    """The list of classes is found, and errors are short."""
    names = (ROOT / "tools/data/label_map_minikinetics.txt").read_text().splitlines()
    assert len(names) == len(set(names)) == 150
    rows = [f'"{name}",{i:011d},1,11,x' for i, name in enumerate(["abseiling", *names])]
    table = "\n".join(["label,youtube_id,time_start,time_end,split", *rows])
    for part in ("train", "val"):
        (tmp_path / f"{part}.csv").write_text(table)
    (tmp_path / f"{3:011d}_000001_000011.mp4").touch()
    command = ["data/prepare.py", "minikinetics", "--root", tmp_path]
    command += ["--out", tmp_path / "out"]
    out = tool(*command)
    assert "1 videos found, not decoded (--verify does); 149 missing" in out
    kept = tmp_path / "out" / "minikinetics_train_list_videos.txt"
    assert kept.read_text() == f"{3:011d}_000001_000011.mp4 2\n"
    out = tool(*command, expect=1)
    assert "error: " in out and "would be overwritten; --force allows it" in out
    assert "Traceback" not in out


def test_a_full_disk_is_named(tmp_path):
    """A limit on the size of files stands for it; its error names no file."""
    for name in ("a/1.avi", "a/2.avi", "b/1.avi", "b/2.avi"):
        (tmp_path / "videos" / name).parent.mkdir(parents=True, exist_ok=True)
        write_video(tmp_path / "videos" / name, (32, 32))
    out = tmp_path / "out"
    out.mkdir()
    record = dict(path="x" * 20_000, stamp=[0, 0], fault="")
    (out / "verification.jsonl").write_text(f"{json.dumps(record)}\n")
    tool = [sys.executable, "tools/data/prepare.py", "folder", "--out", str(out)]
    tool += ["--root", str(tmp_path / "videos"), "--jobs", "1"]
    done = subprocess.run(["bash", "-c", 'ulimit -f 16; "$@"', "-", *tool], **RUN)
    assert done.returncode == 1
    assert re.search(rf"error: .*too large \({out}\)", done.stdout), done.stdout
