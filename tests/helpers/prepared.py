"""Prepared datasets as the configs read them, and a miniature of UCF101."""

from mmaction.registry import DATASETS as MMACTION_DATASETS
from mmengine.config import Config

from flowzoo.config_lookup import find_config

from . import miniatures


def dataset_of(config, loader):
    """The dataset of a loader in a config."""
    config = Config.fromfile(find_config(f"{config}.py"))
    return MMACTION_DATASETS.build(config[f"{loader}_dataloader"].dataset)


UCF = [
    "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi",
    "ApplyEyeMakeup/v_ApplyEyeMakeup_g09_c01.avi",
    "HandstandPushups/v_HandStandPushups_g01_c01.avi",
    "HandstandPushups/v_HandStandPushups_g02_c01.avi",
]


def ucf101_folder(root, clip, videos=UCF):
    for video in videos:
        clip(root / "UCF-101" / video)
    miniatures.ucf101_splits(root, UCF)
