"""Methods that estimate the flow between two frames, by name."""

from __future__ import annotations

import pickle
import textwrap
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from flowzoo_kernels import tvl1_flow

_DIS_SIDE = 16  # pixels; with fewer OpenCV raises an error, or crashes

# Flow (H, W, 2) in pixels from the first frame to the second, (H, W, 3) in RGB.
FlowMethod = Callable[[np.ndarray, np.ndarray], np.ndarray]


class FlowMethodError(ValueError):
    """A name that is no method's, or a checkpoint that is not its own."""


def flow_method(
    name: str,
    preset: str = "opencv",
    checkpoint: str | None = None,
    device: str = "cpu",
) -> FlowMethod:
    """A method that estimates flow.

    Args:
        name: ``tvl1``, ``dis`` (OpenCV's), ``zero``, a MotionNet of the zoo for two
            frames, or with a checkpoint, a config of such a one.
        preset: of TV-L1.
        checkpoint: of the config.
        device: of TV-L1 and networks.

    Raises:
        FlowMethodError: there is no such method, or the checkpoint is not readable or
            another network's.
    """
    if checkpoint is not None and name in ("tvl1", "dis", "zero"):
        raise FlowMethodError(f"{name} has no checkpoint")
    if name == "tvl1":
        return _tvl1(preset, device)
    if name == "dis":
        return _dis()
    return _zero if name == "zero" else _network(name, checkpoint, device)


def _tvl1(preset: str, device: str) -> FlowMethod:
    def run(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        gray = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in (first, second)]
        pair = torch.from_numpy(np.stack(gray))[None].to(device)
        return tvl1_flow(pair, preset)[0, :, 0].permute(1, 2, 0).cpu().numpy()

    return run


def _dis() -> FlowMethod:
    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def run(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        h, w = first.shape[:2]
        padding = (0, max(_DIS_SIDE - h, 0)), (0, max(_DIS_SIDE - w, 0))
        gray = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in (first, second)]
        gray = [np.pad(g, padding, mode="edge") for g in gray]
        return estimator.calc(*gray, None)[:h, :w]

    return run


def _zero(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.zeros((*first.shape[:2], 2), np.float32)


def _network(name: str, checkpoint: str | None, device: str) -> FlowMethod:
    """A MotionEstimator; frames are padded to multiples of 64 pixels."""
    from mmaction.apis import init_recognizer
    from mmengine.config import Config

    from .. import zoo
    from ..config_lookup import find_config
    from ..models.recognizers.motion_estimator import MotionEstimator

    try:
        if checkpoint is None:
            model = zoo.load(name, device)
        else:
            path = Path(name)
            if not path.is_file():
                path = find_config(f"{name.removesuffix('.py')}.py")
            model = init_recognizer(Config.fromfile(path), device=device)
    except (AttributeError, LookupError, OSError, RuntimeError, SyntaxError) as error:
        reason = error.args[0] if isinstance(error, KeyError) else error
        raise FlowMethodError(f"is tvl1, dis, zero or a MotionNet: {reason}") from None
    if not isinstance(model, MotionEstimator):
        raise FlowMethodError(
            f"{name} estimates no flow; give tvl1, dis, zero or a MotionNet"
        )
    if (frames := getattr(model.backbone, "num_frames", 2)) != 2:
        raise FlowMethodError(
            f"{name} takes {frames} frames at once; give a MotionNet of two frames"
        )

    if checkpoint is not None:
        _load_weights(model, name, checkpoint)

    @torch.no_grad()
    def run(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        h, w = first.shape[:2]
        padding = ((0, 0), (0, -h % 64), (0, -w % 64), (0, 0))
        frames = np.pad(np.stack([first, second]), padding, mode="edge")
        clip = torch.from_numpy(frames).permute(3, 0, 1, 2)[None]
        data = dict(inputs=[clip.to(device)], data_samples=None)
        inputs = model.data_preprocessor(data)["inputs"]
        (sample,) = model(inputs, mode="predict")
        return sample.pred_flow[0, :, :h, :w].permute(1, 2, 0).cpu().numpy()

    return run


def _load_weights(model: torch.nn.Module, name: str, checkpoint: str) -> None:
    """All of the model's; mmaction2 leaves random what the checkpoint lacks."""
    from mmengine.runner import load_checkpoint

    try:
        load_checkpoint(model, checkpoint, "cpu", strict=True)
    except (
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        pickle.UnpicklingError,
    ) as error:
        reason = textwrap.shorten(str(error), 300)
        raise FlowMethodError(
            f"{name} cannot have the weights of {checkpoint}: {reason}"
        ) from None
