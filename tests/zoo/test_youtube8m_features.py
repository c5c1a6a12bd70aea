"""YouTube-8M's features of videos, from files of the published names and layouts."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.miniatures import write_clip
from helpers.upstream_inception_v3 import Graph, resize

from flowzoo.datasets.features import FeatureFile
from flowzoo.datasets.transforms import PackFeatures
from flowzoo.datasets.youtube8m import YouTube8MDataset, dequantize, quantize
from flowzoo.io.tensorflow_graph import read_constants
from flowzoo.models.backbones.inception_v3 import InceptionV3
from flowzoo.zoo.convert_inception_v3 import convert_port, read_inception_v3
from flowzoo.zoo.youtube8m_features import (
    FramesOfSeconds,
    YouTube8MFeatures,
    resize_bilinear,
)

pytest.importorskip("google_crc32c")
pytest.importorskip("google.protobuf")

TOOL = Path(__file__).parents[2] / "tools" / "data" / "extract_youtube8m_features.py"
FRAMES = np.random.default_rng(3).integers(0, 256, (2, 60, 83, 3), np.uint8)


@pytest.fixture(scope="module")
def upstream():
    """A random graph, and its features of FRAMES."""
    graph = Graph()
    return graph, graph.pool_3(FRAMES)


@pytest.fixture(scope="module")
def model_dir(upstream, tmp_path_factory):
    """The files that Google's extractor loads; the PCA is of random features."""
    folder = tmp_path_factory.mktemp("youtube8m")
    graph, features = upstream
    graph.write(folder / "classify_image_graph_def.pb")
    random = np.random.default_rng(1)
    vectors = np.linalg.qr(random.normal(size=(2048, 2048)))[0]
    np.save(folder / "mean.npy", features.mean(0)[:, None])
    variance = features.var(0).mean()
    np.save(folder / "eigenvals.npy", random.uniform(0, variance, (2048, 1)))
    np.save(folder / "eigenvecs.npy", vectors)
    return folder


def upstream_levels(folder, features):
    """``apply_pca`` and ``quantize`` of google/youtube-8m, for features (T, 2048)."""
    mean = np.load(folder / "mean.npy")[:, 0]
    values = np.load(folder / "eigenvals.npy")[:1024, 0]
    vectors = np.load(folder / "eigenvecs.npy").T[:, :1024]
    x = (features - mean) @ vectors / np.sqrt(values + 1e-4)
    x = (np.clip(x, -2.0, 2.0) + 2.0) * (255.0 / 4.0)
    return np.array([[round(v) for v in row] for row in x])


def test_parameters():
    """Keras counts 21,802,784 without scales and with statistics."""
    network = InceptionV3()
    buffers = sum(b.numel() for n, b in network.named_buffers() if "running" in n)
    scales = buffers // 2
    total = sum(p.numel() for p in network.parameters())
    assert total - scales + buffers == 21_802_784


def test_network_is_the_graph(upstream, model_dir):
    _, expected = upstream
    network = read_inception_v3(model_dir / "classify_image_graph_def.pb")
    frames = torch.from_numpy(FRAMES).permute(0, 3, 1, 2).float()
    x = torch.stack([resize_bilinear(frame, 299) for frame in frames])
    with torch.inference_mode():
        features = network.double()((x.double() - 128) / 128)
    assert expected.std() > 0.1
    np.testing.assert_allclose(features.numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(60, 83), (299, 299), (480, 640), (1, 2)])
def test_resize(size):
    frame = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
    ours = resize_bilinear(torch.from_numpy(frame[0]).permute(2, 0, 1).float(), 299)
    np.testing.assert_allclose(ours.permute(1, 2, 0), resize(frame)[0], atol=0.02)
    if size == (299, 299):
        np.testing.assert_array_equal(ours.permute(1, 2, 0), frame[0])


def test_levels_are_those_of_the_extractor(upstream, model_dir):
    model = YouTube8MFeatures.from_folder(model_dir)
    frames = torch.from_numpy(FRAMES).permute(0, 3, 1, 2).float()
    levels = model(torch.stack([resize_bilinear(frame, 299) for frame in frames]))
    expected = upstream_levels(model_dir, upstream[1])
    assert levels.dtype == np.uint8 and levels.shape == (2, 1024)
    assert len(np.unique(expected)) > 200  # not all of them clipped
    difference = np.abs(levels - expected)
    assert difference.max() <= 1 and (difference > 0).mean() < 0.01


def test_levels_survive_being_read():
    """So that features of files can be quantized again."""
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(quantize(dequantize(levels)), levels)
    assert quantize(np.float32([-9, -2, 0, 2, 9])).tolist() == [0, 0, 128, 255, 255]
    with pytest.raises(ValueError, match="not finite"):
        quantize(np.float32([np.nan]))
    with pytest.raises(ValueError, match="float32, got float16"):
        quantize(np.float16([0]))


def test_a_frame_a_second(tmp_path):
    """Brightness tells the frame: 2 more for each."""
    write_clip(tmp_path / "a.mp4", frames=62, rate=25)
    frames = FramesOfSeconds()(dict(filename=tmp_path / "a.mp4"))
    assert frames.shape == (3, 3, 299, 299)
    levels = frames.mean((1, 2, 3)).numpy()
    np.testing.assert_allclose(levels, [20, 70, 120], atol=3)
    assert len(FramesOfSeconds(2)(dict(filename=tmp_path / "a.mp4"))) == 2
    write_clip(tmp_path / "short.mp4", frames=3, rate=25)
    assert len(FramesOfSeconds()(dict(filename=tmp_path / "short.mp4"))) == 1


@pytest.fixture
def port(upstream, model_dir):
    """A state_dict as pytorch-fid's file has it."""
    network = read_inception_v3(model_dir / "classify_image_graph_def.pb")
    state = network.state_dict()
    return state | {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}


def test_ports(port, tmp_path):
    torch.save(port, tmp_path / "port.pth")
    network = read_inception_v3(tmp_path / "port.pth")
    for name, value in network.state_dict().items():
        assert torch.equal(value, port[name])
    old = {n: value for n, value in port.items() if "num_batches" not in n}
    assert convert_port(old).keys() == network.state_dict().keys()


def test_torchvisions_network_is_refused(port):
    port["fc.weight"], port["fc.bias"] = torch.zeros(1000, 2048), torch.zeros(1000)
    port["AuxLogits.fc.weight"] = torch.zeros(1000, 768)
    with pytest.raises(ValueError, match=r"\(1000, 2048\) instead of \(1008, 2048\)"):
        convert_port(port)


def test_faulty_graphs(tmp_path):
    path = tmp_path / "classify_image_graph_def.pb"
    with pytest.raises(FileNotFoundError):
        read_constants(path)
    path.write_bytes(b"\xff\xff")
    with pytest.raises(ValueError, match="no graph of TensorFlow"):
        read_constants(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="no constants"):
        read_constants(path)
    graph = Graph()
    graph.constant("conv/conv2d_params", (3, 3, 3, 32), -1, 1)
    graph.write(path)
    assert list(read_constants(path)) == ["conv/conv2d_params"]
    with pytest.raises(ValueError, match="conv/batchnorm/gamma is missing"):
        read_inception_v3(path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\x08\x20", b"\x08\x21"))  # a size of 33
    with pytest.raises(ValueError, match=r"864 values for the shape \(3, 3, 3, 33\)"):
        read_constants(path)


@pytest.fixture
def faulty(tmp_path, monkeypatch):
    """A folder of the files, faulty; the network is not looked at."""
    monkeypatch.setattr(
        "flowzoo.zoo.youtube8m_features.read_inception_v3", lambda path: None
    )
    (tmp_path / "classify_image_graph_def.pb").write_bytes(b"")
    np.save(tmp_path / "mean.npy", np.zeros((2048, 1)))
    np.save(tmp_path / "eigenvals.npy", np.ones((2048, 1)))
    np.save(tmp_path / "eigenvecs.npy", np.ones((1024, 2048)))
    YouTube8MFeatures.from_folder(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name, value, says",
    [
        ("mean", np.zeros(2048), r"mean.npy should be \(2048, 1\), got \(2048,\)"),
        ("eigenvals", -np.ones((2048, 1)), "negative"),
        ("eigenvals", np.full((2048, 1), np.nan), "eigenvals.npy .* not finite"),
        ("eigenvecs", np.ones((1000, 2048)), r"should be \(1024, 2048\)"),
        ("mean", b"", "mean.npy is damaged"),
        ("mean", b"PK\x03\x04", "mean.npy is damaged"),
    ],
)
def test_faulty_components(faulty, name, value, says):
    path = faulty / f"{name}.npy"
    path.write_bytes(value) if isinstance(value, bytes) else np.save(path, value)
    with pytest.raises(ValueError, match=says):
        YouTube8MFeatures.from_folder(faulty)


def test_missing_files(faulty):
    (faulty / "mean.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"mean\.npy, of yt8m_pca\.tgz"):
        YouTube8MFeatures.from_folder(faulty)
    (faulty / "classify_image_graph_def.pb").unlink()
    with pytest.raises(FileNotFoundError, match=r"inception-2015-12-05\.tgz"):
        YouTube8MFeatures.from_folder(faulty)


@pytest.fixture
def videos(tmp_path):
    for name, frames in (("a b", 30), ("c", 55), ("sub/d", 5)):
        write_clip(tmp_path / "videos" / f"{name}.mp4", frames)
    (tmp_path / "videos" / "broken.mp4").write_bytes(b"this is no video")
    lines = ["a b.mp4 3 300", "broken.mp4 1", "c.mp4 7", "sub/d.mp4"]
    (tmp_path / "list.txt").write_text("\n".join([*lines, ""]))
    return tmp_path


@pytest.fixture
def call(monkeypatch, videos, model_dir):
    def run(out, *args):
        words = [TOOL, videos / "list.txt", "--root", videos / "videos", "--model"]
        words += [model_dir, "--out", videos / out, "--workers", 0, *args]
        monkeypatch.setattr(sys, "argv", [str(word) for word in words])
        runpy.run_path(str(TOOL), run_name="__main__")

    return run


class Brightness(torch.nn.Module):
    """In place of the network: 2048 features that tell the frame."""

    def forward(self, x):
        return x.mean((1, 2, 3))[:, None] * torch.linspace(-1, 1, 2048)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(
        "flowzoo.zoo.youtube8m_features.read_inception_v3", lambda path: Brightness()
    )


def test_records_are_what_the_dataset_reads(call, videos, quick, model_dir, capsys):
    call("train0.tfrecord")
    says = capsys.readouterr()
    assert "3 videos, 1 left out" in says.out and "broken.mp4" in says.err
    data = YouTube8MDataset(
        str(videos / "train*.tfrecord"),
        [PackFeatures(num_classes=3862)],
        test_mode=True,
    )
    assert len(data) == 3 and data.num_skipped == 0
    infos = [data.get_data_info(i) for i in range(3)]
    assert [info["name"] for info in infos] == ["a b", "c", "sub/d"]
    assert [info["label"] for info in infos] == [[3, 300], [7], []]
    assert [len(info["features"]["appearance"]) for info in infos] == [2, 3, 1]
    model = YouTube8MFeatures.from_folder(model_dir)
    frames = FramesOfSeconds()(dict(filename=videos / "videos" / "c.mp4"))
    expected = upstream_levels(model_dir, Brightness()((frames - 128) / 128).numpy())
    assert (np.abs(model(frames) - expected) > 0).mean() < 0.01
    np.testing.assert_array_equal(
        infos[1]["features"]["appearance"], dequantize(model(frames))
    )


def test_npz_has_the_same_features(call, videos, quick):
    call("a.tfrecord")
    call("a.npz")
    data = YouTube8MDataset(str(videos / "a.tfrecord"), [])
    file = FeatureFile(videos / "a.npz")
    assert file.names == ["a b", "c", "sub/d"]
    for i in range(3):
        features = data.get_data_info(i)["features"]["appearance"]
        np.testing.assert_array_equal(file[i], features)


def test_it_continues(call, videos, quick, monkeypatch, capsys):
    class EndsAfterOne(Brightness):
        def forward(self, x):
            if len(x) == 3:
                raise KeyboardInterrupt
            return super().forward(x)

    target = "flowzoo.zoo.youtube8m_features.read_inception_v3"
    monkeypatch.setattr(target, lambda path: EndsAfterOne())
    with pytest.raises(SystemExit):
        call("a.tfrecord")
    assert not (videos / "a.tfrecord").exists()
    assert "run it again to continue" in capsys.readouterr().err
    monkeypatch.setattr(target, lambda path: Brightness())
    call("a.tfrecord")
    assert "1 of 4 videos are there already" in capsys.readouterr().out
    assert len(YouTube8MDataset(str(videos / "a.tfrecord"), [], test_mode=True)) == 3
    assert not list(videos.glob("*.parts"))
    with pytest.raises(SystemExit, match="exists already"):
        call("a.tfrecord")


def test_other_settings_are_not_mixed(call, videos, quick):
    (videos / "a.tfrecord.parts").mkdir()
    (videos / "a.tfrecord.parts" / "manifest.json").write_text("[]")
    with pytest.raises(SystemExit, match="another checkpoint; remove it"):
        call("a.tfrecord")


def test_errors(call, videos, quick, capsys):
    with pytest.raises(SystemExit):
        call("a.txt")
    assert re.search(
        r"--out should end in \.tfrecord or \.npz", capsys.readouterr().err
    )
    for name in ("a b.mp4", "c.mp4", "sub/d.mp4"):
        (videos / "videos" / name).write_bytes(b"")
    with pytest.raises(SystemExit, match="no video is left"):
        call("a.tfrecord")
