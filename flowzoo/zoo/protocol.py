"""How a config tests its model: data, views, metric, and the shape of one view."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from mmengine.config import Config, ConfigDict

from ..datasets.motionshapes.files import MotionShapesSpec
from ..datasets.motionshapes.scene import FRAME_SIZE

_CROPS = {"CenterCrop": 1, "ThreeCrop": 3, "TenCrop": 10}
_METRICS = {
    "AccMetric": "top-1",
    "UntrimmedMAP": "mAP",
    "YouTube8MMetric": "Hit@1, PERR, GAP@20, MAP@20",
}
# By the folder of its files; that of features ends in "_features".
_DATASETS = {
    "activitynet": "ActivityNet v1.2",
    "activitynet12": "ActivityNet v1.2",
    "activitynet13": "ActivityNet v1.3",
    "hmdb51": "HMDB51",
    "kinetics400": "Kinetics-400",
    "kinetics600": "Kinetics-600",
    "kinetics700": "Kinetics-700",
    "minikinetics": "Mini-Kinetics",
    "motionshapes": "MotionShapes",
    "thumos14": "THUMOS14",
    "ucf101": "UCF101",
    "ut_interaction": "UT-Interaction set 1",
    "weizmann": "Weizmann",
    "youtube8m": "YouTube-8M",
}
# What FeatureTwoStream predicts, with per_stream and without it.
_STREAMS = {
    ("classifiers", True): "appearance, flow and two-stream",
    ("classifiers", False): "two-stream with true flow",
    ("hallucination", True): "hallucinated flow stream",
    ("hallucination", False): "hallucinated two-stream",
    ("fusion", True): "appearance and hallucinated two-stream",
    ("fusion", False): "hallucinated two-stream",
}


def exit_on_other_split() -> None:
    """The rows of the zoo are of the split that configs have without SPLIT."""
    if (split := os.environ.get("SPLIT", "1").strip()) != "1":
        raise SystemExit(f"SPLIT={split} is set, but the zoo is of split 1: unset it")


@dataclass(frozen=True)
class Views:
    """The views of a video that a test pipeline makes.

    Args:
        clips, crops: views are clips x crops; a 2D network's clip is what it classifies
            at once, a frame or its segments.
        input: shape of a view, as :func:`flowzoo.zoo.complexity.complexity` takes it;
        text: all of it in words.
    """

    clips: int
    crops: int
    input: list[int]
    text: str


def views(config: Config) -> Views | None:
    """The views of a config's test pipeline; None where it reads features."""
    clips = frames = crops = 1
    segments = (config.model.get("neck") or {}).get("num_segments", 1)
    channels, size, kind, notes = 3, None, "", []
    if config.test_dataloader.dataset.type == "MotionShapesDataset":
        size = (MotionShapesSpec.size,) * 2
    for step in _steps(config):
        if step.type == "RenderMotionScene":
            scene = config.test_dataloader.dataset.get("scene") or {}
            given = zip(("height", "width"), FRAME_SIZE, strict=True)
            frames, size = 2, tuple(scene.get(side, usual) for side, usual in given)
        if step.type == "PackFeatures":
            return None
        if "Sample" in step.type:
            if "Uniform" in step.type:
                notes.append("frames from all over the video")
            clips, frames = step.get("num_clips", 1) // segments, step.clip_len
            if stride := step.get("frame_interval", 1) - 1:
                notes.append(f"stride {stride + 1}")
            if rate := step.get("target_fps"):
                notes.append(f"{rate} frames a second")
        elif step.type == "Resize":
            exact = step.get("keep_ratio", True) is False
            size = tuple(step.scale[::-1]) if exact else None
        elif step.type == "MotionCrop":
            size = tuple(step.scale[::-1])
            notes.append("crop of what moves")
        elif step.type in _CROPS:
            crops, size = _CROPS[step.type], (step.crop_size,) * 2
            if crops == 1:
                notes.append("center crop")
        elif step.type == "TVL1Flow":
            kind = "TV-L1 flow, "
        elif step.type == "LoadMotionShapesFlow":
            kind = "true flow, "
        elif step.type == "FlowAsFrames":
            frames, channels = frames - 1, 2
            notes.insert(0, kind.rstrip(", "))
    if size is None:
        raise ValueError(
            f"{config.filename}: the test pipeline says no size; crop, or resize with "
            f"keep_ratio=False"
        )
    flat = [channels, *size]
    on_flow = _flow_preprocessor(config) is not None
    volume = on_flow or (config.model.type != "Recognizer2D" and segments == 1)
    shape = [1, channels, frames, *size] if volume else [segments, *flat]
    length = frames if volume else segments
    what = "clip" if length > 1 else "frame"
    many = f"{clips} {what}{'s' * (clips > 1)}"
    many += f" x {crops} crops" * (crops > 1)
    extent = "x".join(map(str, [length, *size] if length > 1 else size))
    if on_flow:
        notes.insert(0, "TV-L1 flow")
    return Views(clips, crops, shape, ", ".join([f"{many} of {extent}", *notes]))


def _flow_preprocessor(config: Config) -> ConfigDict | None:
    """The config of the ``TVL1DataPreprocessor``, if the model has one."""
    preprocessor = config.model.get("data_preprocessor") or {}
    return preprocessor if preprocessor.get("type") == "TVL1DataPreprocessor" else None


def dataset_name(config: Config) -> str:
    """The dataset that a config tests on.

    Raises:
        ValueError: Its files lie in a folder of no known dataset.
    """
    dataset = config.test_dataloader.dataset
    if dataset.type == "MotionShapesDataset":
        return _DATASETS["motionshapes"]
    if dataset.type == "MotionScenesDataset":
        return "MotionShapes scenes"
    folders = _test_files(config).split("/")[-2::-1]
    for folder in folders:
        if name := _DATASETS.get(folder.removesuffix("_features")):
            return name
    raise ValueError(
        f"{config.filename}: {_test_files(config)} lies in no folder of a known "
        f"dataset ({', '.join(_DATASETS)})"
    )


def _test_files(config: Config) -> str:
    dataset = config.test_dataloader.dataset
    return dataset.get("ann_file") or dataset.get("appearance") or dataset.files


def protocol(config: Config) -> str:
    """Data, views and metric of a config's test, in words."""
    if seen := views(config):
        what = seen.text
    else:
        model = config.model
        what = _STREAMS[model.learn, model.get("per_stream", False)]
    return f"{_data(config)}, {what}, {_metric(config)}"


def _steps(config: Config) -> list[ConfigDict]:
    """The test pipeline, with what ``TransformWithFlow`` wraps in its place."""
    return [s.get("transform", s) for s in config.test_dataloader.dataset.pipeline]


def _data(config: Config) -> str:
    dataset = config.test_dataloader.dataset
    if dataset.type in ("MotionShapesDataset", "MotionScenesDataset"):
        return f"{dataset.split} split"
    if dataset.type == "YouTube8MDataset":
        return "15 % held out"
    file = _test_files(config).split("/")[-1]
    if split := re.search(r"split_(\d+)", file):
        sequence = file.startswith("ut_interaction")
        return f"sequence {split[1]} left out" if sequence else f"split {split[1]}"
    part = "test" if "test" in file else "validation"
    return f"untrimmed {part}" if dataset.get("multi_class") else part


def _metric(config: Config) -> str:
    if config.test_evaluator.type != "FlowMetric":
        return _METRICS[config.test_evaluator.type]
    packed = _steps(config)[-1].get("algorithm_keys", ())
    return "end-point error in pixels" if "gt_flow" in packed else "photometric error"


def counted_input(config: Config) -> list[int] | None:
    """Shape of one view for counting; None where nothing is counted.

    That is for features, whose networks are small, and for ``TwoStreamRecognizer``,
    which looks at the values of its scores.
    """
    if config.model.type == "TwoStreamRecognizer":
        return None
    seen = views(config)
    preprocessor = _flow_preprocessor(config)
    if preprocessor is None:
        return seen and seen.input
    times = preprocessor.get("times", 1)
    clips, _, frames, *size = seen.input
    shape = [2**times, frames - times]
    if preprocessor.get("format_shape") == "NCHW":  # as channels
        return [clips, shape[0] * shape[1], *size]
    return [clips, *shape, *size]
