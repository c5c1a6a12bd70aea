"""What the page shows of a video: predictions, flow, energy, parameters."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from flowzoo import zoo
from flowzoo.config_lookup import find_config
from flowzoo.inference import Inferencer, Prediction, takes_videos
from flowzoo.io.video import VideoError
from flowzoo.models.flow_units import flow_in_pixels
from flowzoo.visualization import FlowRecorder, energy_by_iteration, flow_to_color
from flowzoo.visualization.flow_color import place
from flowzoo.visualization.motion import reduce_frames, tvl1_of_frames
from flowzoo_kernels import RepresentationFlow

MAX_PARTS = 8  # of a video; tools/demo.py classifies long ones
MAX_ITERATIONS = 50
MOTION_NET = "tinymotionnet_motionshapes_2frames_refined"
_STEPS = 6  # columns of a sheet
_TILE = 112  # height of its images, in pixels
_GAP = ((0, 0), (0, 3), (0, 0))  # white at the right of each image
_LABEL = 20  # height of the line of text above a row


@dataclass(frozen=True)
class Part:
    """A part of a video: its prediction, and what reached the flow layer.

    Args:
        prediction: with frames of reduced size, and flow.
        features: (1, C, T, h, w) of the first layer of representation flow, or None.
    """

    prediction: Prediction
    features: Tensor | None


@dataclass(frozen=True)
class Analysis:
    """What a model makes of the first parts of a video."""

    parts: list[Part]
    layer: RepresentationFlow | None

    @property
    def channels(self) -> int:
        """Of the layer of representation flow; 0 without one."""
        return self.layer.channels if self.layer else 0

    def liveliest_channels(self, part: int, number: int = 3) -> list[int]:
        """Those with the longest flow, the longest first."""
        if self.layer is None:
            return []
        u1, u2 = self.parts[part].prediction.flow.chunk(2)
        length = torch.hypot(u1.float(), u2.float()).mean((1, 2, 3))
        return length.topk(min(number, len(length))).indices.tolist()

    @torch.no_grad()
    def flow_after(self, part: int, iterations: int) -> Tensor:
        """Representation flow after a number of iterations, (2C, T - 1, h, w)."""
        layer = copy.copy(self.layer)
        layer.n_iters = iterations
        return layer(self.parts[part].features)[0].float().cpu()

    def energies(self, part: int, channels: Sequence[int] = ()) -> list[float]:
        """Energy after 0, 1, ..., 50 iterations, as a share of that of no flow.

        The mean over the pairs of frames and over ``channels``, or over all of them.
        """
        energy, _ = energy_by_iteration(
            self.layer, self.parts[part].features, MAX_ITERATIONS
        )
        if len(channels):
            energy = energy[:, :, list(channels)]
        energy = energy.flatten(1).mean(1)
        return (energy / energy[0].clamp(min=1e-12)).tolist()

    def sheet(
        self, part: int, channels: Sequence[int] = (), iterations: int | None = None
    ) -> np.ndarray:
        """An image with the frames and each kind of flow in a row of its own.

        Args:
            part: its number, from 0.
            channels: of representation flow.
            iterations: of representation flow; the layer's own unless given.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        prediction = self.parts[part].prediction
        frames = prediction.frames
        rows = {"frames": frames[:-1]}
        height, width = frames.shape[1:3]
        size = max(1, round(_TILE * width / height)), _TILE

        def placed(flow: Tensor) -> np.ndarray:
            window = prediction.flow_window
            return np.stack([place(image, window, size) for image in _colors(flow)])

        if self.layer is not None:
            iterations = iterations or self.layer.n_iters
            flow = self.flow_after(part, iterations)
            pairs = flow.unflatten(0, (2, -1)).permute(1, 2, 0, 3, 4)
            for c in channels:
                rows[f"channel {c}, iterations: {iterations}"] = placed(pairs[c])
        elif prediction.flow_name != "TV-L1":
            pairs = prediction.flow.transpose(0, 1)
            rows[f"{prediction.flow_name} of the model"] = placed(pairs)
        rows["TV-L1"] = _colors(tvl1_of_frames(frames).transpose(0, 1))
        rows["MotionNet"] = _colors(motionnet_of_frames(frames))
        return np.concatenate([_row(n, images, size) for n, images in rows.items()])

    def parameters(self) -> list[tuple[str, str, str]]:
        """(name, value before training, learned value) of the layer's parameters."""
        if self.layer is None:
            return []
        layer = self.layer
        start = RepresentationFlow(layer.channels, variant=layer.variant)
        rows = []
        for name, value in layer.named_parameters():
            before, now = getattr(start, name).detach(), value.detach().cpu()
            if now.numel() == 1:
                rows.append((name, f"{before.item():.4f}", f"{now.item():.4f}"))
            else:
                change = (now - before).abs().mean().item()
                text = "as before" if not change else f"changed by {change:.4f} each"
                rows.append((name, " x ".join(map(str, now.shape)), text))
        return rows


def analyze(inferencer: Inferencer, video: str | Path) -> Analysis:
    """Classify the first parts of a video, and keep what the page shows.

    Raises:
        VideoError: The video cannot be read, or has a single frame.
    """
    try:
        recorder = FlowRecorder(inferencer.model)
    except ValueError:
        recorder = None
    predictions = inferencer(video, with_flow=True)
    parts: list[Part] = []
    while len(parts) < MAX_PARTS:
        features = None
        if recorder is None:
            prediction = next(predictions, None)
        else:
            with recorder:
                prediction = next(predictions, None)
            features = next(iter(recorder.inputs.values()), None)
        if prediction is None:
            break
        if len(prediction.frames) < 2:
            raise VideoError(
                f"{Path(video).name} has a single frame; motion needs at least two"
            )
        small = reduce_frames(prediction.frames)
        prediction = Prediction(**(vars(prediction) | dict(frames=small)))
        parts.append(Part(prediction, None if features is None else features[:1]))
    predictions.close()
    layer = next(iter(recorder.layers.values())) if recorder else None
    return Analysis(parts, layer)


def classifiers() -> list[str]:
    """Models of the zoo with published weights that classify videos."""
    names = [
        name
        for name, row in zoo.models().items()
        if row.checkpoint
        and row.result["metric"].startswith("acc/")
        and takes_videos(Config.fromfile(find_config(row.config)))
    ]
    return sorted(names, key=lambda name: name != "repflow_r18_motionshapes")


@cache
def _motion_net() -> torch.nn.Module:
    return zoo.load(MOTION_NET)


@torch.no_grad()
def motionnet_of_frames(frames: np.ndarray) -> Tensor:
    """Flow between (T, H, W, 3) frames by the zoo's TinyMotionNet, (T - 1, 2, H, W)."""
    model = _motion_net()
    clip = torch.from_numpy(frames).permute(3, 0, 1, 2)
    pairs = clip.unfold(1, 2, 1).permute(1, 0, 4, 2, 3)  # (T - 1, 3, 2, H, W)
    data = dict(inputs=[pairs], data_samples=[])
    clips = model.data_preprocessor(data)["inputs"].flatten(0, 1)
    return flow_in_pixels(model.backbone(clips)[0], frames.shape[1:3])[:, 0]


def _colors(pairs: Tensor) -> np.ndarray:
    """(S, 2, h, w) as (S, h, w, 3), 99 % of the values below full saturation."""
    length = torch.hypot(pairs[:, 0].float(), pairs[:, 1].float())
    longest = float(np.quantile(length.numpy(), 0.99))
    return flow_to_color(pairs, longest or None)


def _row(name: str, images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Some of the images side by side, with their name above."""
    chosen = images[np.arange(_STEPS) * len(images) // _STEPS]
    method = cv2.INTER_AREA if name == "frames" else cv2.INTER_NEAREST
    tiles = [cv2.resize(image, size, interpolation=method) for image in chosen]
    row = np.concatenate([np.pad(t, _GAP, constant_values=255) for t in tiles], axis=1)
    label = np.full((_LABEL, row.shape[1], 3), 255, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(label, name, (4, 14), font, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([label, row])
