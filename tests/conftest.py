import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from helpers.tool_process import run_tool

# The first line makes a tool that is not FlowZoo's import flowzoo before mmengine looks
# for the base.
TSN = """
_base_ = __import__('flowzoo') and 'flowzoo::_base_/default_runtime.py'
model = dict(
    type='Recognizer2D',
    backbone=dict(
        type='ResNet', depth=18, num_stages=1, strides=(1,), dilations=(1,),
        out_indices=(0,)),
    cls_head=dict(
        type='TSNHead', num_classes=2, in_channels=64, topk=(1,),
        average_clips='prob'),
    data_preprocessor=dict(
        type='ActionDataPreprocessor', mean=[128.], std=[64.], format_shape='NCHW'))
test_pipeline = [
    dict(type='OpenCVInit'),
    dict(type='SampleFrames', clip_len=1, num_clips=2, test_mode=True),
    dict(type='OpenCVDecode'),
    dict(type='FormatShape', input_format='NCHW'),
    dict(type='PackActionInputs')]
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VideoDataset', ann_file='{videos}/list.txt',
        data_prefix=dict(video='{videos}'), pipeline=test_pipeline))
val_dataloader = train_dataloader
test_dataloader = train_dataloader
val_evaluator = dict(type='AccMetric')
test_evaluator = val_evaluator
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01))
param_scheduler = [
    dict(type='OneCycleLR', eta_max=0.01, total_steps=9, by_epoch=False)]
default_hooks = dict(
    logger=dict(interval=1), visualization=dict(type='VisualizationHook'))
custom_hooks = [
    dict(type='EMAHook'),
    dict(type='EarlyStoppingHook', monitor='acc/top1', patience=9)]
auto_scale_lr = dict(enable=False, base_batch_size=2)
"""


# Files that take about a minute or more
LONG = (
    "test_repflow_compiled",
    "test_kernels_emulated",
    "test_repflow_interpreted",
    "test_configs",
    "test_monet_tools",
    "test_tools",
    "test_export",
)


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="slow tests as well")


def pytest_collection_modifyitems(config, items):
    """The files that take longest first, so that no worker is left alone with one."""
    items.sort(key=lambda item: item.path.stem not in LONG)
    if not config.getoption("--slow"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow, see --slow"))


@pytest.fixture(scope="session")
def videos(tmp_path_factory):
    """A folder with six video files of eight frames and their list, two classes."""
    cv2 = pytest.importorskip("cv2")  # the operators' tests run without mm packages
    folder = tmp_path_factory.mktemp("videos")
    rng = np.random.default_rng(0)
    fourcc = cv2.VideoWriter_fourcc(*"MJPG")
    for i in range(6):
        writer = cv2.VideoWriter(str(folder / f"{i}.avi"), fourcc, 25, (32, 32))
        for _ in range(8):
            writer.write(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8))
        writer.release()
    (folder / "list.txt").write_text("".join(f"{i}.avi {i % 2}\n" for i in range(6)))
    return folder


@pytest.fixture(scope="session")
def tsn_config(videos):
    """mmaction2's TSN, small enough to train on ``videos`` in a second."""
    path = videos / "tsn.py"
    path.write_text(TSN.replace("{videos}", str(videos)))
    return path


@pytest.fixture(scope="session")
def run_mmaction_tool():
    """Run one of mmaction2's own tools, unchanged; returns the finished process."""
    tools = Path(find_spec("mmaction").origin).parent / ".mim" / "tools"

    def run(name, *args, processes=1, expect=0):
        if processes == 1:
            done = run_tool(tools / name, *args)
        else:
            launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
            launcher += [f"--nproc_per_node={processes}"]
            done = subprocess.run(
                [*launcher, tools / name, *map(str, args), "--launcher", "pytorch"],
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        assert done.returncode == expect, done.stdout[-3000:]
        return done

    return run


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """A wheel built from the sdist, as PyPI's users of `--no-binary` get it."""
    root = Path(__file__).parents[1]
    out = tmp_path_factory.getbasetemp() / "dist"
    if "PYTEST_XDIST_WORKER" in os.environ:  # one of them builds, in a common folder
        out = tmp_path_factory.getbasetemp().parent / "dist"
    with FileLock(f"{out}.lock"):
        if not any(out.glob("*.whl")):
            command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out]
            subprocess.run([*command, root], check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    return wheel
