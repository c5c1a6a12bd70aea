"""Classes of videos over time: Inferencer and tools/demo.py."""

import contextlib
import importlib
import json
import shutil
import socket
import sys
import threading
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from helpers.miniatures import write_clip
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

import flowzoo
from flowzoo.inference import average, open_source
from flowzoo.interrupts import INTERRUPTED, run_tool
from flowzoo.io import video_stream
from flowzoo.io.video import VideoError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A config with its weights, videos of 80, 5 and 1 frames, and one that is none."""
    folder = tmp_path_factory.mktemp("inference")
    config = folder / "small.py"
    config.write_text(
        "_base_ = 'flowzoo::repflow_r18_weizmann.py'\n"
        "model = dict(backbone=dict(base_channels=4, flow_cfg=dict(n_iters=2)),\n"
        "    cls_head=dict(in_channels=32, num_classes=3))\n"
        "pipeline = _base_.test_pipeline\n"
        "pipeline[1].clip_len = 16\n"
        "test_dataloader = dict(dataset=dict(pipeline=pipeline))\n"
    )
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(Config.fromfile(config).model)
    torch.save(model.state_dict(), folder / "small.pth")
    for name, frames in (("long.mp4", 80), ("short.mp4", 5), ("one.mp4", 1)):
        write_clip(folder / "videos" / name, frames, "mpeg4")
    (folder / "videos" / "broken.avi").write_text("nothing")
    (folder / "classes.txt").write_text("hop\nrun\nskip\n")
    return folder


@pytest.fixture(scope="module")
def make(folder):
    def make(**options):
        weights = str(folder / "small.pth")
        return flowzoo.Inferencer(folder / "small.py", weights, **options)

    return make


def test_parts_cover_the_video_once(make, folder):
    """A part is 16 frames, every second one: 32 of the video's 80."""
    video = folder / "videos" / "long.mp4"
    predictions = list(make()(video))
    rate = open_source(video)[1]
    assert [p.new for p in predictions] == [32, 32, 16]
    starts = [round(p.start * rate) for p in predictions]
    assert starts == [0, 32, 48]
    frames = np.concatenate([p.frames[len(p.frames) - p.new :] for p in predictions])
    assert np.array_equal(frames, np.stack(list(open_source(video)[0])))
    assert all(p.flow is None for p in predictions)
    dense = list(make(step=8 / rate)(video))
    assert [round(p.start * rate) for p in dense] == [0, 8, 16, 24, 32, 40, 48]


def test_times_are_those_of_the_file(make, tmp_path):
    """40 frames of 1/25 s, then 24 of 1/5 s."""
    path = tmp_path / "slower.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for i in range(64):
            image = np.full((32, 32, 3), i, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = i + 4 * max(0, i - 40)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    first, second = make()(path)
    assert (first.start, first.end, second.start) == (0, 1.28, 1.28)
    assert second.end == pytest.approx(1.6 + 24 / 5, abs=0.2)  # the last one's is open


def test_scores_are_those_of_the_model(make, folder):
    inferencer = make(classes=folder / "classes.txt", device="cpu", top=3)
    prediction = next(inferencer(folder / "videos" / "long.mp4", with_flow=True))
    model = inferencer.model
    images = prediction.frames[::2]
    cropped = inferencer._transform.transforms[0](
        dict(imgs=list(images), clip_len=len(images))
    )
    assert prediction.flow_window == pytest.approx(cropped["crop_quadruple"].tolist())
    inputs = torch.from_numpy(np.stack(cropped["imgs"])).permute(3, 0, 1, 2)[None]
    data = model.data_preprocessor(dict(inputs=[inputs], data_samples=[]))
    with torch.no_grad():
        features, _ = model.extract_feat(data["inputs"], test_mode=True)
        expected = model.cls_head(features).softmax(1)[0]
    assert set(prediction.classes) == {"hop", "run", "skip"}
    assert list(prediction.scores) == sorted(prediction.scores, reverse=True)
    for i, name in enumerate(("hop", "run", "skip")):
        score = prediction.as_dict()["scores"][name]
        assert score == pytest.approx(expected[i].item(), abs=1e-5)
    assert prediction.flow.shape[:2] == (2 * 4, 15)
    assert prediction.flow_name == "representation flow"


def make_untrained(folder, name, model, base):
    """An inferencer of a small config with random weights."""
    config = folder / f"{name}.py"
    config.write_text(f"_base_ = 'flowzoo::{base}.py'\nmodel = {model!r}\n")
    with DefaultScope.overwrite_default_scope("mmaction"):
        state = MODELS.build(Config.fromfile(config).model).state_dict()
    torch.save(state, folder / f"{name}.pth")
    return flowzoo.Inferencer(config, str(folder / f"{name}.pth"), device="cpu")


def test_flow_of_a_motionnet(folder):
    """Windows of frames follow each other, in the pixels' place of the network."""
    base = "hidden2s_r18_motionshapes"
    inferencer = make_untrained(folder, "hidden", {}, base)
    prediction = next(inferencer(folder / "videos" / "long.mp4", with_flow=True))
    assert prediction.flow_name == "MotionNet"
    motion_net = inferencer.model.backbone.motion_net
    images = prediction.frames[: inferencer._length]
    resized = inferencer._transform.transforms[0](
        dict(imgs=list(images), img_shape=images.shape[1:3])
    )["imgs"]
    clip = torch.from_numpy(np.stack(resized)).permute(3, 0, 1, 2)[None]
    data = inferencer.model.data_preprocessor(dict(inputs=[clip], data_samples=[]))
    clips = data["inputs"].flatten(0, 1)
    step = motion_net.num_frames - 1
    pairs = []
    with torch.no_grad():
        for first in range(0, clips.shape[2] - 1, step):
            flow = motion_net(clips[:, :, first : first + step + 1])[0][0]
            pairs += flow.unflatten(0, (-1, 2))
    assert prediction.flow.shape[1] == inferencer._length - 1
    torch.testing.assert_close(
        prediction.flow, torch.stack(pairs, dim=1), atol=1e-5, rtol=1e-4
    )


def test_tvl1_flow_where_a_model_has_none(folder):
    model = dict(backbone=dict(pretrained=None))
    inferencer = make_untrained(folder, "tsn", model, "tsn_r18_motionshapes")
    prediction = next(inferencer(folder / "videos" / "long.mp4", with_flow=True))
    assert prediction.flow_name == "TV-L1"
    assert prediction.flow.shape[0] == 2
    assert prediction.flow_window == (0, 0, 1, 1)
    (single,) = inferencer(folder / "videos" / "one.mp4", with_flow=True)
    assert single.flow is None and single.flow_name is None


@pytest.mark.parametrize(("name", "frames"), [("short", 5), ("one", 1)])
def test_a_short_video_is_one_part(make, folder, name, frames):
    (prediction,) = make()(folder / "videos" / f"{name}.mp4")
    assert len(prediction.frames) == prediction.new == frames
    assert average([prediction]) == pytest.approx(prediction.as_dict()["scores"])


def test_average_knows_what_is_not_among_the_top(make, folder):
    video = folder / "videos" / "long.mp4"
    predictions = list(make(top=1)(video))
    assert all(len(p.classes) == len(p.scores) == 1 for p in predictions)
    assert average(predictions) == pytest.approx(average(make(top=3)(video)))
    assert sum(average(predictions).values()) == pytest.approx(1)


def test_errors_say_what_to_do(make, folder):
    with pytest.raises(FileNotFoundError, match="did you mean"):
        flowzoo.Inferencer("repflow_r18_motionshape")
    with pytest.raises(LookupError, match="repflow_r50_kinetics"):
        flowzoo.Inferencer("repflow_r50_kinetics")
    with pytest.raises(ValueError, match="no test pipeline that takes clips"):
        flowzoo.Inferencer("monet_repflow_motionshapes", "x.pth")
    with pytest.raises(ValueError, match="classifies nothing"):
        flowzoo.Inferencer("tinymotionnet_ucf101", "x.pth")
    with pytest.raises(ValueError, match="there are 1 names of classes"):
        list(make(classes=["hop"])(folder / "videos" / "one.mp4"))
    with pytest.raises(ValueError, match="there are 4 names of classes"):
        make(classes=["hop", "run", "skip", "walk"])
    with pytest.raises(ValueError, match="several classes have the name hop"):
        make(classes=["hop", "run", "hop"])
    with pytest.raises(ValueError, match=r"classes\.txt is no checkpoint"):
        flowzoo.Inferencer(folder / "small.py", str(folder / "classes.txt"))
    with pytest.raises(TypeError, match="number of a camera, not ndarray"):
        next(make()(np.zeros((9, 32, 32, 3), np.uint8)))
    for top in (0, 2.5):
        with pytest.raises(ValueError, match=f"top={top}"):
            make(top=top)
    with pytest.raises(ValueError, match=r"no such is no device that .* give cpu"):
        make(device="no such")
    with pytest.raises(ValueError, match="meta is no device that PyTorch can use"):
        make(device="meta")
    with pytest.raises(ValueError, match="step=-1"):
        make(step=-1)
    other = folder / "other.pth"
    weights = torch.load(folder / "small.pth")
    torch.save({k: v for k, v in weights.items() if "layer4" not in k}, other)
    with pytest.raises(ValueError, match=r"of another model.*such as backbone\.layer4"):
        flowzoo.Inferencer(folder / "small.py", str(other))
    with pytest.raises(VideoError, match=r"broken\.avi"):
        next(make()(folder / "videos" / "broken.avi"))
    with pytest.raises(VideoError, match="no camera 7"):
        next(make()(7))


@pytest.fixture
def server():
    """Answer requests on a local port by a function of the connection."""
    with contextlib.ExitStack() as stack:

        def serve(answer):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def run():
                with contextlib.suppress(OSError):  # the test is over
                    while True:
                        connection = listening.accept()[0]
                        stack.enter_context(connection)
                        answer(connection)

            threading.Thread(target=run, daemon=True).start()
            return f"http://127.0.0.1:{listening.getsockname()[1]}/live.ts"

        yield serve


def test_frames_of_a_stream_come_before_its_end(tmp_path, server, monkeypatch):
    """And one that falls silent is an error, not a hang."""
    monkeypatch.setattr(video_stream, "_PATIENCE", 1.0)
    write_clip(tmp_path / "clip.ts", 100, "mpeg2video")
    content = (tmp_path / "clip.ts").read_bytes()

    def send(connection):  # and leave it open
        head = b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n"
        connection.sendall(head + content)

    frames, rate = open_source(server(send))
    assert rate == 25
    first = next(frames)
    assert first.shape == (32, 32, 3)
    with pytest.raises(VideoError, match="no answer within 1 s"):
        for _ in frames:
            pass
    with pytest.raises(VideoError, match="no answer within 1 s"):
        open_source(server(lambda connection: None))


@pytest.fixture
def demo(folder, monkeypatch):
    """tools/demo.py with the small model, as a function of its other arguments."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    module = importlib.import_module("demo")
    model = ["--model", folder / "small.py", "--weights", folder / "small.pth"]
    model += ["--classes", folder / "classes.txt"]

    def demo(*arguments):
        command = list(map(str, ["demo.py", *arguments, *model]))
        monkeypatch.setattr(sys, "argv", command)
        run_tool(module.main)

    return demo


def test_demo_of_a_folder(folder, tmp_path, demo, capsys):
    """Twice, with the results inside: the second run leaves them out."""
    videos = shutil.copytree(folder / "videos", tmp_path / "videos")
    write_clip(videos / "one.avi", 2, "mpeg4")  # its files are not those of one.mp4
    out = videos / "out"
    for _ in range(2):
        with pytest.raises(SystemExit, match="1 of 5 videos could not be read"):
            demo(videos, "--out", out)
        assert "broken.avi" in capsys.readouterr().out
        files = sorted(path.name for path in out.iterdir())
        assert files == [f"{n}.{e}" for n in ("long", "one.avi", "one.mp4", "short")
                         for e in ("json", "mp4")]  # fmt: skip
    content = json.loads((out / "long.json").read_text())
    assert set(content["mean"]) == {"hop", "run", "skip"}
    assert len(content["parts"]) == 3 and "stopped" not in content
    with av.open(str(out / "long.mp4")) as video:
        shown = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(shown) == 80
    assert shown[0].shape[0] > 240


def test_demo_writes_over_no_video(folder, tmp_path, demo, capsys):
    video = tmp_path / "videos" / "one.mp4"
    write_clip(video, 2, "mpeg4")
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "one.mp4").symlink_to(video)
    other = tmp_path / "others" / "one.mp4"
    write_clip(other, 3, "mpeg4")
    content = video.read_bytes(), other.read_bytes()
    for source, out, message in (
        (video, video.parent, "holds the videos"),
        (video.parent, video.parent, "holds the videos"),
        (tmp_path / "link" / "one.mp4", video.parent, "holds the videos"),
        (video, other.parent, "is no result of this tool"),
    ):
        with pytest.raises(SystemExit):
            demo(source, "--out", out)
        assert message in capsys.readouterr().err
    assert content == (video.read_bytes(), other.read_bytes())


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (VideoError("cannot decode frame 40"), "1 of 3 videos", "cannot decode frame"),
        (KeyboardInterrupt(), INTERRUPTED, "interrupted"),
    ],
)
def test_demo_keeps_what_came_before_the_end(
    folder, tmp_path, demo, monkeypatch, error, status, text
):
    """A video that breaks off counts as one; Ctrl-C ends the whole run."""
    for name in ("a", "b", "c"):
        write_clip(tmp_path / "videos" / f"{name}.mp4", 20, "mpeg4")
    out = tmp_path / "out"
    predict = flowzoo.Inferencer.__call__

    def stop_early(self, source, with_flow=False):
        yield from predict(self, source, with_flow)
        if Path(source).stem == "b":
            raise error

    monkeypatch.setattr(flowzoo.Inferencer, "__call__", stop_early)
    with pytest.raises(SystemExit) as stopped:
        demo(tmp_path / "videos", "--out", out)
    assert str(stopped.value.code).startswith(str(status))
    content = json.loads((out / "b.json").read_text())
    assert text in content["stopped"] and len(content["parts"]) == 1
    assert (out / "b.mp4").exists()
    assert (out / "c.json").exists() == (status != INTERRUPTED)


def test_zoo_model_with_its_weights_and_names(folder):
    inferencer = flowzoo.Inferencer("repflow_r18_motionshapes", top=2)
    (prediction, *_) = inferencer(folder / "videos" / "long.mp4")
    assert set(prediction.classes) <= set(flowzoo.datasets.motionshapes.CLASSES)
