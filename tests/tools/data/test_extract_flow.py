"""tools/data/extract_flow.py, as a user calls it."""

import contextlib
import errno
import io
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import av
import cv2
import numpy as np
import pytest
from mmaction.datasets import RawframeDataset
from mmengine.registry import init_default_scope

from flowzoo.datasets.preparation.flow_files import (
    FlowSettings,
    WritingError,
    _Mp4,
    alone,
)
from flowzoo.datasets.preparation.flow_files import extract as write_flow
from flowzoo.io.video import VideoError
from flowzoo.io.write_video import write_video

TOOL = Path(__file__).parents[3] / "tools/data/extract_flow.py"
CLIPS = ["right.mp4", "deep/down.mp4", "still clip.mp4"]


def scene(dx, dy, frames=6, size=64):
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.random((128, 128, 3)).astype(np.float32), (0, 0), 3)
    noise = (noise - noise.min()) / np.ptp(noise) * 255
    places = [(32 - k * dy, 32 - k * dx) for k in range(frames)]
    moved = [noise[y : y + size, x : x + size] for y, x in places]
    return np.stack(moved).astype(np.uint8)


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    (folder / "deep").mkdir()
    for name, motion in zip(CLIPS, [(2, 0), (0, 3), (0, 0)], strict=True):
        write_video(folder / name, scene(*motion))
    (folder / "broken.mp4").write_bytes(b"no video")
    lines = [f"{name} {i}" for i, name in enumerate([*CLIPS, "broken.mp4"])]
    (folder / "list.txt").write_text("\n".join(lines))
    return folder


def extract(videos, out, *options, code=0):
    """What the tool says; in this process, as starting one takes seconds."""
    arguments = [videos / "list.txt", "--root", videos, "--out", out]
    arguments += ["--short-side", "0", "--jobs", "1", *options]
    said = io.StringIO()
    with (
        mock.patch.object(sys, "argv", [str(TOOL), *map(str, arguments)]),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        try:
            runpy.run_path(str(TOOL), run_name="__main__")
            ended = 0
        except SystemExit as error:
            ended = error.code
    if isinstance(ended, str):  # a message stands for 1
        said.write(ended)
        ended = 1
    assert (ended or 0) == code, said.getvalue()
    return said.getvalue()


@pytest.fixture(scope="module")
def flow(videos, tmp_path_factory):
    out = tmp_path_factory.mktemp("flow")
    said = extract(videos, out)
    assert "3 videos with flow, 1 unreadable" in said
    assert "broken.mp4" in (out / "unreadable.txt").read_text()
    return out


def test_reads_as_mmaction2_reads_flow(flow):
    init_default_scope("mmaction")
    dataset = RawframeDataset(
        str(flow / "annotation.txt"),
        data_prefix=dict(img=str(flow)),
        filename_tmpl="flow_{}_{:05}.jpg",
        modality="Flow",
        start_index=1,
        pipeline=[
            dict(type="SampleFrames", clip_len=5, num_clips=1, test_mode=True),
            dict(type="RawFrameDecode"),
        ],
    )
    medians = {}
    for sample in dataset:
        flow_images = np.stack(sample["imgs"])
        assert flow_images.shape == (5, 64, 64, 2)
        centers = np.median(flow_images[:, 8:-8, 8:-8], axis=(0, 1, 2))
        name = Path(sample["frame_dir"]).relative_to(flow)
        medians[str(name)] = sample["label"], *(centers / 127.5 * 20 - 20).round()
    assert medians == {
        "right": (0, 2, 0),
        "deep/down": (1, 0, 3),
        "still_clip": (2, 0, 0),
    }


# The rest, the reading of the files included, is mmaction2's own config; what pip
# installs of mmaction2 cannot be imported without flowzoo.
TSN_FLOW = """
_base_ = 'mmaction::recognition/tsn/' \\
    'tsn_imagenet-pretrained-r50_8xb32_5x1x3-110e_kinetics400-flow.py'
custom_imports = dict(imports=['flowzoo'])
model = dict(
    backbone=dict(depth=18, pretrained=None),
    cls_head=dict(in_channels=512, num_classes=3))
data = dict(ann_file='{flow}/annotation.txt', data_prefix=dict(img='{flow}'))
train_dataloader = dict(batch_size=1, num_workers=0, persistent_workers=False,
                        dataset=data)
val_dataloader = train_dataloader
train_cfg = dict(max_epochs=1, val_begin=1, val_interval=1)
default_hooks = dict(logger=dict(interval=1))
"""


def test_mmaction2s_tsn_trains_on_the_files(videos, tmp_path, run_mmaction_tool):
    extract(videos, tmp_path / "flow", "--prefix", "")
    assert "3 of 4 complete" in extract(
        videos, tmp_path / "flow", "--prefix", "", "--verify", code=1
    )
    config = tmp_path / "tsn.py"
    config.write_text(TSN_FLOW.format(flow=tmp_path / "flow"))
    done = run_mmaction_tool("train.py", config, "--work-dir", tmp_path)
    assert done.stdout.count("top1_acc:") == 3, done.stdout[-3000:]  # 3 iterations
    assert "acc/top1:" in done.stdout


@pytest.mark.parametrize(
    "line, video",
    [
        ("a.mp4 3", ("a.mp4", "3")),
        ("a.mp4", ("a.mp4", "")),
        ("a.mp4 3  5\t8", ("a.mp4", "3 5 8")),
        ("still clip.mp4 3 5", ("still clip.mp4", "3 5")),
        ("still clip.mp4", ("still clip.mp4", "")),
        ("deep.er/v1.5 a.avi -1 0.5", ("deep.er/v1.5 a.avi", "-1 0.5")),
        ("a.mp4 archery", ("a.mp4", "archery")),
        ("clip 3 5", ("clip", "3 5")),
    ],
)
def test_paths_with_spaces_and_several_labels(line, video, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(f"{line}\n\n{line}\n")
    assert runpy.run_path(str(TOOL))["read_annotation"](path) == [video]


def test_again_does_nothing_and_verifies(videos, flow):
    image = flow / "right" / "flow_x_00002.jpg"
    before = image.stat().st_mtime_ns
    extract(videos, flow)
    assert image.stat().st_mtime_ns == before
    said = extract(videos, flow, "--verify", code=1)
    assert "3 of 4 complete" in said and "broken.mp4: not extracted" in said


def test_damage_is_found(videos, flow, tmp_path):
    extract(videos, tmp_path)
    (tmp_path / "right" / "flow_y_00003.jpg").write_bytes(b"")
    said = extract(videos, tmp_path, "--verify", code=1)
    assert "right.mp4: flow_y_00003.jpg is missing or damaged" in said


def test_damage_that_decoders_hide_is_found(videos, tmp_path):
    extract(videos, tmp_path)
    picture = tmp_path / "right" / "flow_y_00003.jpg"
    picture.write_bytes(picture.read_bytes()[:-40])
    assert cv2.imread(str(picture)) is not None
    (tmp_path / "still_clip" / "flow.json").write_text('{"pai')
    said = extract(videos, tmp_path, "--verify", code=1)
    assert "right.mp4: flow_y_00003.jpg is missing or damaged" in said
    assert "flow.json is damaged" in said and "1 of 4 complete" in said
    said = extract(videos, tmp_path, code=1)
    assert "flow.json is damaged; delete its folder and run this again" in said
    assert picture.exists()


def test_truncated_video_is_left_out(videos, tmp_path):
    whole = tmp_path / "whole.avi"
    with av.open(whole, "w") as file:
        stream = file.add_stream("mjpeg", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuvj420p"
        for image in scene(1, 0, frames=30):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
        file.mux(stream.encode())
    data = whole.read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(b"00dc".join(data.split(b"00dc")[:17]))  # in the header, too
    settings = FlowSettings(short_side=0)
    assert write_flow(whole, tmp_path / "whole", settings, "cpu") == 29
    with pytest.raises(VideoError, match=r"truncated: 15 of 30 frames"):
        write_flow(cut, tmp_path / "cut", settings, "cpu")
    assert not (tmp_path / "cut").exists() and not (tmp_path / "cut.part").exists()


def test_what_another_process_writes_is_waited_for(videos, tmp_path):
    """And not written again, nor deleted under its hands."""
    target, settings = tmp_path / "right", FlowSettings(short_side=0)
    with ThreadPoolExecutor(1) as executor:
        with alone(target):
            other = executor.submit(
                write_flow, videos / "right.mp4", target, settings, "cpu"
            )
            with pytest.raises(TimeoutError):
                other.result(timeout=1)
            assert not list(tmp_path.glob("*.part"))
            target.mkdir()
            (target / "flow.json").write_text('{"pairs": 77}')
        assert other.result() == 77
    assert [path.name for path in tmp_path.iterdir()] == ["right"]


def test_write_errors_name_the_folder(videos, tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    for form in ("jpg", "h5"):
        settings = FlowSettings(short_side=0, format=form)
        with pytest.raises(WritingError, match=r"right: No space left on device"):
            write_flow(videos / "right.mp4", tmp_path / "right", settings, "cpu")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--bound", "nan"), "have to be positive"),
        (("--quality", "101"), "--quality between 0 and 100"),
        (("--prefix", "a/b"), "--prefix begins names of files"),
        (("--root", "nowhere"), "nowhere does not exist"),
    ],
)
def test_options_out_of_range(videos, tmp_path, options, message):
    code = 1 if "nowhere" in options else 2
    assert message in extract(videos, tmp_path / "flow", *options, code=code)
    assert not (tmp_path / "flow").exists()


def test_names_with_other_blanks(videos, tmp_path):
    name = "a\u00a0b.mp4"
    shutil.copy(videos / "right.mp4", tmp_path / name)
    (tmp_path / "list.txt").write_bytes(f"{name}\t3\r\n".encode())
    extract(tmp_path, tmp_path / "flow")
    assert (tmp_path / "flow/annotation.txt").read_text() == "a_b 5 3\n"


def test_folder_in_another_videos_folder(videos, tmp_path):
    (tmp_path / "list.txt").write_text("a.mp4 0\na/b.mp4 1\n")
    said = extract(tmp_path, tmp_path / "flow", code=1)
    assert "the folder of a/b.mp4 would lie in that of a.mp4" in said


def test_half_written_is_written_again(videos, flow, tmp_path):
    half = tmp_path / "right.part"
    half.mkdir()
    (half / "flow_x_09999.jpg").write_bytes(b"half")
    extract(videos, tmp_path)
    assert not half.exists()
    names = sorted(p.name for p in (tmp_path / "right").iterdir())
    assert names == sorted(p.name for p in (flow / "right").iterdir())


def test_killed_and_run_again(tmp_path):
    """SIGKILL to all of its processes while a video is being written."""
    folder = tmp_path / "videos"
    folder.mkdir()
    long = np.concatenate([scene(1, 0, frames=30)] * 5)  # 150 frames
    for name in ("a.mp4", "b.mp4"):
        write_video(folder / name, long)
    (folder / "list.txt").write_text("a.mp4 0\nb.mp4 1\n")
    out = tmp_path / "flow"
    command = [sys.executable, TOOL, folder / "list.txt"]
    command += ["--root", folder, "--out", out, "--short-side", "0", "--jobs", "1"]
    process = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 300
    while not list(out.glob("b.part/*.jpg")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert (out / "a").is_dir() and not (out / "b").exists()
    first = out / "a" / "flow_x_00001.jpg"
    written = first.stat().st_mtime_ns
    extract(folder, out)
    assert first.stat().st_mtime_ns == written
    assert "2 of 2 complete" in extract(folder, out, "--verify")
    assert not list(out.glob("*.part"))
    for path in (out / "a").glob("*.jpg"):
        assert path.read_bytes() == (out / "b" / path.name).read_bytes()
    assert len(list((out / "b").glob("*.jpg"))) == 2 * 149


def test_h5_format(videos, flow, tmp_path):
    h5py = pytest.importorskip("h5py")
    extract(videos, tmp_path, "--format", "h5")
    with h5py.File(tmp_path / "right" / "flow.h5") as file:
        images = file["flow"][:]
    assert images.shape == (5, 2, 64, 64) and images.dtype == np.uint8
    jpeg = cv2.imread(str(flow / "right" / "flow_y_00003.jpg"), cv2.IMREAD_GRAYSCALE)
    assert np.abs(images[2, 1].astype(int) - jpeg).mean() < 1
    assert "3 of 4 complete" in extract(
        videos, tmp_path, "--format", "h5", "--verify", code=1
    )
    (tmp_path / "right" / "flow.h5").write_bytes(b"half")
    said = extract(videos, tmp_path, "--format", "h5", "--verify", code=1)
    assert "right.mp4: flow.h5 is missing or damaged" in said


def test_h5_format_without_its_package(videos, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    settings = FlowSettings(format="h5")
    with pytest.raises(RuntimeError, match="pip install h5py"):
        write_flow(videos / "right.mp4", tmp_path / "right", settings, "cpu")


def test_shards_are_the_whole(videos, flow, tmp_path):
    for shard in ("1/2", "2/2"):
        extract(videos, tmp_path, "--shard", shard)
    for path in flow.rglob("*.jpg"):
        assert (tmp_path / path.relative_to(flow)).read_bytes() == path.read_bytes()
    lines = [
        line
        for part in ("annotation_1_of_2.txt", "annotation_2_of_2.txt")
        for line in (tmp_path / part).read_text().splitlines()
    ]
    assert sorted(lines) == sorted((flow / "annotation.txt").read_text().splitlines())


def test_other_settings_need_another_folder(videos, flow):
    assert json.loads((flow / "manifest.json").read_text())["bound"] == 20
    assert "bound=20" in extract(videos, flow, "--bound", "15", code=1)


def test_videos_of_flow_keep_its_levels(tmp_path):
    image = np.tile(np.arange(256, dtype=np.uint8), (2, 64, 1))
    writer = _Mp4(tmp_path, FlowSettings())
    for _ in range(4):
        writer.add(image)
    writer.close()
    capture = cv2.VideoCapture(str(tmp_path / "flow_x.mp4"))
    read = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2GRAY).astype(int)
    difference = read - image[0]
    assert abs(difference.mean()) < 0.05 and abs(difference).max() <= 4


def test_video_format_and_step(videos, tmp_path):
    extract(videos, tmp_path, "--format", "mp4", "--step", "2")
    assert "right 2 0" in (tmp_path / "annotation.txt").read_text()
    capture = cv2.VideoCapture(str(tmp_path / "right" / "flow_x.mp4"))
    image = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2GRAY)
    assert abs(np.median(image[8:-8, 8:-8]) / 127.5 * 20 - 20 - 4) < 0.5
    said = extract(
        videos, tmp_path, "--format", "mp4", "--step", "2", "--verify", code=1
    )
    assert "3 of 4 complete" in said
