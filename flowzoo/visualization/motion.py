"""The flow to show beside a clip: a model's own, or TV-L1 flow."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from flowzoo.models import MotionNet, ResNet50MotionNet, TinyMotionNet, VGG16MotionNet
from flowzoo.models.backbones import PyramidMotionNet
from flowzoo_kernels import RepresentationFlow, TVNet, tvl1_flow

# In this order: the first of them that a model has is shown.
_LAYERS = {
    "representation flow": RepresentationFlow,
    "TVNet": TVNet,
    "MotionNet": (
        PyramidMotionNet,
        MotionNet,
        TinyMotionNet,
        VGG16MotionNet,
        ResNet50MotionNet,
    ),
}
_HEIGHT = 120  # of the frames that flow is computed of, in pixels


class MotionRecorder:
    """Keep the first flow that a model computes, by whatever layer it has for it.

    A context manager; hooks of the layers do the work::

        with MotionRecorder(model) as recorder:
            model.test_step(batch)
        flow = recorder.flow(clip_length)

    Args:
        model: any module.

    Attributes:
        name: what kind of flow the model has, or None.
    """

    def __init__(self, model: nn.Module) -> None:
        self.name: str | None = None
        self._layers: list[nn.Module] = []
        for name, types in _LAYERS.items():
            layers = [m for m in model.modules() if isinstance(m, types)]
            # what a network finds at one level is not the flow of a pyramid
            inner = {
                id(part.motion_net)
                for part in layers
                if isinstance(part, PyramidMotionNet)
            }
            layers = [layer for layer in layers if id(layer) not in inner]
            if layers:
                self.name, self._layers = name, layers
                break

    def __enter__(self) -> MotionRecorder:
        self._recorded: tuple[nn.Module, Tensor | tuple[Tensor, ...]] | None = None
        self._handles = [m.register_forward_hook(self._keep) for m in self._layers]
        return self

    def __exit__(self, *_) -> None:
        for handle in self._handles:
            handle.remove()

    def _keep(
        self, layer: nn.Module, _args: tuple, output: Tensor | tuple[Tensor, ...]
    ) -> None:
        if self._recorded is None:
            self._recorded = layer, output

    def flow(self, clip_length: int) -> Tensor | None:
        """Flow of the first clip of ``clip_length`` frames, (2C, S, h, w).

        u1 of all channels, then u2, in the layer's unit. None where no layer was
        called, as MotionNet under a branched stream is not.
        """
        if self._recorded is None:
            return None
        layer, output = self._recorded
        if isinstance(output, Tensor):
            return output[0].detach().cpu()
        windows = max(1, (clip_length - 1) // (layer.num_frames - 1))
        pairs = output[0][:windows].detach().cpu().unflatten(1, (-1, 2))
        return pairs.flatten(0, 1).transpose(0, 1)


@torch.no_grad()
def tvl1_of_frames(frames: np.ndarray) -> Tensor | None:
    """TV-L1 flow of a clip, computed at a height of at most 120 pixels.

    Args:
        frames: (T, H, W, 3) uint8 RGB.

    Returns:
        (2, T - 1, h, w), in pixels of the reduced frames; None of a single frame.
    """
    if len(frames) < 2:
        return None
    frames = reduce_frames(frames)
    clip = torch.from_numpy(np.ascontiguousarray(frames)).permute(3, 0, 1, 2)
    return tvl1_flow(clip[None], "fast")[0]


def reduce_frames(frames: np.ndarray) -> np.ndarray:
    """Frames (T, H, W, 3) at a height of at most 120 pixels."""
    height, width = frames.shape[1:3]
    if height <= _HEIGHT:
        return frames
    size = max(1, round(width * _HEIGHT / height)), _HEIGHT
    return np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])
