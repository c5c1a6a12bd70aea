"""What the two-stream configs say about clips, crops, modes and splits."""

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from flowzoo.config_lookup import find_config
from flowzoo.io.write_video import write_video

SMALL = {340: 34, 256: 26, 224: 22}  # a tenth of the published sizes


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """40 frames, each with its number as gray level."""
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    frames = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.uint8(6)
    write_video(path, np.broadcast_to(frames, (40, 32, 48, 3)).copy())
    return path


def views(pipeline, video):
    """Inputs that the pipeline makes of the video at a tenth of its size."""
    steps = [dict(step) for step in pipeline]
    for step in steps:
        for key in ("scale", "crop_size", "input_size"):
            if key in step:
                size = step[key]
                many = isinstance(size, list | tuple)
                step[key] = tuple(SMALL[n] for n in size) if many else SMALL[size]
    sample = dict(filename=str(video), label=0, start_index=0, modality="RGB")
    with DefaultScope.overwrite_default_scope("mmaction"):
        return Compose(steps)(sample)["inputs"]


@pytest.mark.parametrize("network", ["vgg16", "tsn"])
@pytest.mark.parametrize("dataset", ["ucf101", "hmdb51"])
def test_25_clips_times_10_crops(network, dataset, video):
    temporal = Config.fromfile(find_config(f"hidden2s_{network}_{dataset}.py"))
    found = views(temporal.test_dataloader.dataset.pipeline, video)
    assert found.shape == (250, 3, 11, 22, 22)
    # crops, and in each of them the clips, from the video's start to its end
    first = found[:, 0, 0].float().mean((1, 2)).view(10, 25) / 6
    assert (first.std(0) < 0.2).all() and (first.mean(0).diff() > 0.5).all()
    assert first[:, 0].max() < 0.5 and first[:, -1].min() > 28
    spatial = Config.fromfile(find_config(f"spatial_{network}_{dataset}.py"))
    found = views(spatial.test_dataloader.dataset.pipeline, video)
    assert found.shape == (250, 3, 22, 22)


def test_validation_is_the_middle_clip(video):
    config = Config.fromfile(find_config("hidden2s_vgg16_ucf101.py"))
    found = views(config.val_dataloader.dataset.pipeline, video)
    assert found.shape == (1, 3, 11, 22, 22)
    assert found[0, :, 5].float().mean() / 6 == pytest.approx(20, abs=2)


@pytest.mark.parametrize(
    "name", ["motionnet_ucf101", "motionnet_kinetics", "hidden2s_vgg16_ucf101"]
)
def test_training_clips_are_consecutive_frames(name, video):
    config = Config.fromfile(find_config(f"{name}.py"))
    found = views(config.train_dataloader.dataset.pipeline, video)
    assert found.shape == (1, 3, 11, 22, 22)
    steps = found[0].float().mean((0, 2, 3)).diff() / 6
    assert steps == pytest.approx(np.ones(10), abs=0.35)


@pytest.mark.parametrize("dataset", ["ucf101", "hmdb51"])
@pytest.mark.parametrize("split", ["1", "2", "3"])
def test_split_comes_from_the_environment(dataset, split, monkeypatch):
    monkeypatch.setenv("SPLIT", split)
    for name in (f"hidden2s_tsn_{dataset}", f"spatial_tsn_{dataset}"):
        config = Config.fromfile(find_config(f"{name}.py"))
        files = [
            config[f"{loader}_dataloader"].dataset.ann_file
            for loader in ("train", "test")
        ]
        assert [f"split_{split}_videos" in file for file in files] == [True, True]


@pytest.mark.parametrize("network", ["vgg16", "tsn", "i3d"])
@pytest.mark.parametrize("dataset", ["ucf101", "hmdb51", "thumos14", "activitynet"])
def test_modes_are_one_option(network, dataset):
    """(c) unless another is asked for; in (b) and (c) MotionNet learns slowly."""
    config = Config.fromfile(find_config(f"hidden2s_{network}_{dataset}.py"))
    assert config.model.backbone.train_motion == "all"
    assert config.model.neck.type == "MotionLossNeck"
    optimizer = config.optim_wrapper
    rates = optimizer.paramwise_cfg.custom_keys
    assert rates["backbone.temporal"].lr_mult == rates["cls_head"].lr_mult == 1000
    assert optimizer.optimizer.lr == 1e-6
