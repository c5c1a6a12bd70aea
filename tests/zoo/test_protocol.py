"""What the zoo says about a row is what its config does."""

import numpy as np
import pytest
import yaml
from helpers.read_config import read_config
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from flowzoo.config_lookup import find_config
from flowzoo.datasets.transforms import LoadMotionShapesFlow, TVL1Flow
from flowzoo.io.write_video import write_video
from flowzoo.zoo import find, models
from flowzoo.zoo.complexity import complexity
from flowzoo.zoo.index import DERIVED, metafiles
from flowzoo.zoo.protocol import dataset_name, protocol, views

ROWS = list(models().values())


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """One as MotionShapes' and one as other datasets'."""
    folder = tmp_path_factory.mktemp("videos")
    for name, size in (("shapes", (64, 64)), ("others", (96, 128))):
        frames = np.zeros((40, *size, 3), np.uint8)
        write_video(folder / f"{name}.mp4", frames, rate=25)
    return folder


def no_motion(self, results):
    count = results["num_clips"] * (results["clip_len"] - 1)
    size = results["imgs"][0].shape[:2] if "imgs" in results else (64, 64)
    results["gt_flow"] = [np.zeros((*size, 2), np.float32)] * count
    return results


def test_views_are_what_the_pipeline_makes(videos, monkeypatch):
    monkeypatch.setattr(TVL1Flow, "transform", no_motion)
    monkeypatch.setattr(LoadMotionShapesFlow, "transform", no_motion)
    seen = set()
    for row in ROWS:
        config = read_config(row.name)
        dataset = config.test_dataloader.dataset
        derived = views(config)
        if derived is None or (key := repr(dataset.pipeline)) in seen:
            continue
        seen.add(key)
        name = "shapes" if dataset.type == "MotionShapesDataset" else "others"
        video = dict(filename=str(videos / f"{name}.mp4"), label=0, start_index=0)
        video["scene"] = dict(seed=(0,))  # what MotionShapes scenes are rendered from
        with DefaultScope.overwrite_default_scope("mmaction"):
            sample = Compose(dataset.pipeline)(video | dict(modality="RGB"))
        number = derived.clips * derived.crops
        per_view, *shape = derived.input
        assert tuple(sample["inputs"].shape) == (number * per_view, *shape), row.name
    assert len(seen) > 15


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "repflow_r34_minikinetics",
            "validation, 1 clip of 16x112x112, stride 2, center crop, top-1",
        ),
        (
            "i3d_inception_kinetics",
            "validation, 1 clip of 250x224x224, 25 frames a second, center crop, top-1",
        ),
        (
            "hidden2s_vgg16_ucf101",
            "split 1, 25 clips x 10 crops of 11x224x224, top-1",
        ),
        (
            "spatial_vgg16_thumos14",
            "untrimmed test, 25 frames x 10 crops of 224x224, mAP",
        ),
        (
            "tinymotionnet_motionshapes_2frames",
            "test split, 3 clips of 2x64x64, end-point error in pixels",
        ),
        ("monet_i3d_kinetics", "validation, hallucinated flow stream, top-1"),
    ],
)
def test_protocols_in_words(name, text, monkeypatch):
    monkeypatch.delenv("SPLIT", raising=False)
    assert find(name).protocol == text


def test_text_follows_the_config():
    config = read_config("hidden2s_vgg16_ucf101")
    steps = {step.type: step for step in config.test_dataloader.dataset.pipeline}
    steps["SampleFrames"].num_clips = 10
    steps["TenCrop"].type = "ThreeCrop"
    config.test_evaluator.type = "UntrimmedMAP"
    assert protocol(config) == "split 1, 10 clips x 3 crops of 11x224x224, mAP"


def test_dataset_follows_the_config(monkeypatch):
    def load(name):
        return Config.fromfile(find_config(f"{name}.py"))

    monkeypatch.setenv("FLOWZOO_DATA", "/ucf101/hmdb51")  # of all datasets
    config = load("repflow_r50_kinetics")
    assert dataset_name(config) == "Kinetics-400"
    for file, name in (
        ("/ucf101/hmdb51/minikinetics/val.txt", "Mini-Kinetics"),
        ("data/activitynet13/activitynet_val_videos.txt", "ActivityNet v1.3"),
    ):
        config.test_dataloader.dataset.ann_file = file
        assert dataset_name(config) == name
    config.test_dataloader.dataset.ann_file = "data/mine/val.txt"
    with pytest.raises(ValueError, match=r"data/mine/val\.txt lies in no folder"):
        dataset_name(config)
    assert dataset_name(load("monet_i3d_ucf101")) == "UCF101"
    assert dataset_name(load("monet_inception_youtube8m")) == "YouTube-8M"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_parameters(row):
    assert complexity(read_config(row.name), None)[0] == row.parameters


def slow_in_folders(rows):
    for row in rows:
        marks = [pytest.mark.slow] if "/" in str(row.config) else []
        yield pytest.param(row, id=row.name, marks=marks)


@pytest.mark.parametrize("row", list(slow_in_folders(ROWS)))
def test_measured_complexity(row):
    """Of the test pipeline's views; tools/zoo/count_flops.py writes it."""
    measured = complexity(read_config(row.name), row.input)
    assert measured == (row.parameters, row.multiply_adds)


@pytest.mark.parametrize("path", metafiles(), ids=lambda path: path.parent.name)
def test_metafiles_leave_to_configs_what_these_say(path):
    for row in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
        assert not set(DERIVED) & set(row), (
            f"{row['config']}: run tools/zoo/count_flops.py"
        )
