"""Clips of videos for looking at what a model makes of them."""

from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from torch import Tensor

from flowzoo.datasets.transforms import OpenVideo


def read_clip(config: Config, video: str | Path) -> dict:
    """The clip that a config's ``val_pipeline`` (or ``test_pipeline``) takes.

    Args:
        config: of a recognizer.
        video: a file with at least 2 frames.

    Returns:
        A batch of one sample for ``model.test_step``; of several views the first one.

    Raises:
        VideoError: The file cannot be read, or has fewer frames.
        ValueError: The config has no such pipeline.
    """
    pipeline = config.get("val_pipeline") or config.get("test_pipeline")
    if not pipeline:
        raise ValueError(f"{config.filename} has no val_pipeline and no test_pipeline")
    results = dict(filename=str(video), label=-1, start_index=0, modality="RGB")
    # whatever the pipeline decodes with, say what is wrong with the file
    OpenVideo(min_frames=2)(results.copy())["video_reader"].close()
    with DefaultScope.overwrite_default_scope("mmaction"):
        sample = Compose(pipeline)(results)
    if sample["inputs"].ndim == 5:
        sample["inputs"] = sample["inputs"][:1]
    return pseudo_collate([sample])


def first_clip(inputs: Tensor, num_clips: int) -> np.ndarray:
    """The frames of the first clip of a sample, as mmaction2 packs it.

    Args:
        inputs: (views, C, T, H, W) of a 3D recognizer or (frames, C, H, W) of a 2D
            one, RGB. Other types than uint8 are scaled to [0, 255] by their extremes.
        num_clips: clips of the sample: the number of views, or by how many the frames
            are shared.

    Returns:
        (T, H, W, 3) uint8.

    Raises:
        ValueError: Another number of dimensions or of channels.
    """
    if inputs.ndim == 5:
        clip = inputs[0].transpose(0, 1)
    elif inputs.ndim == 4:
        clip = inputs[: len(inputs) // num_clips]
    else:
        clip = inputs
    if clip.ndim != 4 or clip.shape[1] != 3:
        raise ValueError(
            f"inputs have shape {tuple(inputs.shape)}; expected (views, 3, T, H, W) or "
            "(frames, 3, H, W)"
        )
    if clip.dtype != torch.uint8:
        clip = clip.float()
        extent = clip.max() - clip.min()
        clip = 255 * (clip - clip.min()) / (extent if extent else 1)
    return clip.permute(0, 2, 3, 1).to("cpu", torch.uint8).numpy()
