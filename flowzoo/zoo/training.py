"""From which weights, and for how long, a config trains."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mmengine.config import Config, ConfigDict

from ..config_lookup import find_config

# tools/zoo merges their weights of those of other configs.
_MERGED = ("TwoStreamRecognizer", "HallucinatedTwoStream")
# In the names of files of networks for pictures.
_IMAGENET = re.compile(
    r"^imagenet$|(torchvision://|/)(resnet|vgg|bn_inception)[\w-]*(\.pth)?$"
)
_RUN = re.compile(r"work_dirs/([^/]+)/|flowzoo://([^/]+)")


def start(config: Config) -> str:
    """What training starts from: random weights, ImageNet weights, or other models.

    Raises:
        ValueError: A file is neither a model's of the zoo nor of a network of ImageNet.
    """
    if file := config.get("load_from"):
        # which replaces what the parts load that it has weights of
        before = _model_of(file)
        parts = {k: v for k, v in config.model.items() if before.get(k) is None}
        files = [file, *_files(ConfigDict(parts))]
    else:
        files = _files(config.model)
    return " and ".join(dict.fromkeys(map(_source, files))) or "random weights"


def _model_of(file: str) -> ConfigDict:
    """The model config of a file's network, empty where it is none of the zoo's."""
    if not (run := _RUN.match(file)):
        return ConfigDict()
    return Config.fromfile(find_config(f"{run[1] or run[2]}.py")).model


def _files(part: object) -> Iterator[str]:
    """What a model config loads when it is built."""
    if isinstance(part, list | tuple):
        for inner in part:
            yield from _files(inner)
    if not isinstance(part, ConfigDict):
        return
    for key, value in part.items():
        if key in ("pretrained", "checkpoint") and value:
            yield value
        else:
            yield from _files(value)


def _source(file: str) -> str:
    if run := _RUN.match(file):
        return run[1] or run[2]
    if _IMAGENET.search(file):
        return "ImageNet weights"
    raise ValueError(f"nobody knows what the weights {file} were trained on")


def schedule(config: Config) -> str:
    """For how long a config trains, and with how many samples a step."""
    train, samples = config.train_cfg, config.auto_scale_lr.base_batch_size
    if train.type == "EpochBasedTrainLoop":
        return f"{train.max_epochs} epochs of batches of {samples}"
    steps = train.max_iters // config.optim_wrapper.get("accumulative_counts", 1)
    return f"{steps:,} steps of {samples}"


def training(config: Config) -> str:
    """Both in words; empty where a config only tests what others have trained."""
    if config.model.type in _MERGED:
        return ""
    return f"from {start(config)}, {schedule(config)}"
