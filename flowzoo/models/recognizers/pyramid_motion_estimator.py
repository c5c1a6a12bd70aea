"""Training a pyramid of MotionNet's: every level sees a pair of frames alone."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor

from flowzoo_kernels import backward_warp, tvl1_flow
from flowzoo_kernels.tvl1_flow.op import make_options

from ..backbones.pyramid_motionnet import PyramidMotionNet, halve
from .motion_estimator import MotionEstimator


@MODELS.register_module()
class PyramidMotionEstimator(MotionEstimator):
    """A ``PyramidMotionNet`` and a loss, trained without labels.

    At each level the loss is given the first frames and the second ones, warped by the
    flow of the coarser levels, as if they were clips with small motion. The flow that a
    level hands on is detached, so that each learns what is left to itself.

    Args:
        backbone: config of PyramidMotionNet. Training is for clips of two frames.
        loss: as of ``MotionEstimator``. With a teacher, ``SupervisedFlowLoss``.
        data_preprocessor: as of ``MotionEstimator``.
        coarsest: the fewest and the most times that frames are halved in training,
            drawn anew in each step. Few teach the network large motion. Frames are
            not halved to fewer pixels than the network itself can halve: 8 with
            TinyMotionNet, 32 with MotionNet.
        crop: height and width of the window, at a random place, that is learned from at
            the finest level; None for all of it. No smaller than that, either.
        teacher: with it, the loss compares with the flow of
            :func:`flowzoo_kernels.tvl1_flow` between the frames, which needs no labels
            either; a dict of its preset and parameters.
        doubt: gray levels. Nothing is learned from the teacher where the frames differ
            by more, warped by its flow: what is hidden in the second frame.
    """

    def __init__(
        self,
        backbone: dict,
        loss: dict,
        data_preprocessor: dict,
        coarsest: tuple[int, int] = (1, 4),
        crop: tuple[int, int] | None = None,
        teacher: dict | None = None,
        doubt: float = 30.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(backbone, loss, data_preprocessor, init_cfg)
        if not isinstance(self.backbone, PyramidMotionNet):
            raise TypeError(
                f"backbone is {type(self.backbone).__name__}, but PyramidMotionNet is "
                "needed; MotionEstimator trains others"
            )
        if not 0 <= coarsest[0] <= coarsest[1]:
            raise ValueError(f"coarsest={coarsest}; (least, most) is needed")
        if teacher is not None:
            make_options(**{"preset": "opencv", **teacher})
        self._halvings = len(self.backbone.motion_net.feature_channels)
        self._least_size = 2**self._halvings
        if crop is not None:
            self._check_size("crop", tuple(crop))
        # a fifth faster on a CPU
        self.backbone.to(memory_format=torch.channels_last)
        self.coarsest = coarsest
        self.crop = crop
        self.teacher = teacher
        self.doubt = doubt

    def _check_size(self, name: str, size: tuple[int, int]) -> None:
        # PyTorch's bfloat16 convolutions with a stride, of maps one pixel wide, have
        # random gradients on CPUs (2.13).
        if min(size) < self._least_size:
            raise ValueError(
                f"{name} of {size[0]} x {size[1]} pixels, but "
                f"{type(self.backbone.motion_net).__name__} halves what it sees "
                f"{self._halvings} times: at least {self._least_size} pixels of height "
                "and of width are needed"
            )

    def loss(
        self, clips: Tensor, data_samples: Sequence[ActionDataSample] | None
    ) -> dict[str, Tensor]:
        """Losses of all levels; level 0 is that of the frames themselves."""
        self._check_size("frames", tuple(clips.shape[-2:]))
        most = (min(clips.shape[-2:]) // self._least_size).bit_length()
        levels = min(1 + random.randint(*self.coarsest), most)
        pairs = self.backbone.pairs(clips, levels)
        targets = [None] * levels
        if self.teacher is not None:
            targets = self._targets(clips, levels)
        losses, flow = {}, None
        for level in reversed(range(levels)):
            first, second = pairs[level]
            flow = self.backbone.start(first, flow)
            seen = self.backbone.warped_clips(first, second, flow)
            left = targets[level]
            if not (left is None or flow is None):
                left = left - flow
            if level == 0 and self.crop is not None:
                seen, left = self._cropped(seen, left)
            flows = self.backbone.motion_net(seen)
            if level:
                flow = self.backbone.add(flow, flows, first).detach()
            for name, value in self.flow_loss(seen, flows, _samples(left)).items():
                losses[f"level{level}_{name}"] = value
        return losses

    @torch.no_grad()
    def _targets(self, clips: Tensor, levels: int) -> list[Tensor]:
        """The teacher's flow at each level in its pixels; NaN where it is in doubt."""
        mean = self.data_preprocessor.mean.view(3, 1, 1, 1)
        frames = 255 * clips.float() + mean
        flow = tvl1_flow(frames, data_range=255.0, **self.teacher).flatten(1, 2)
        first, second = frames.unbind(2)
        difference = (first - backward_warp(second, flow, "border")).abs().mean(1, True)
        doubtful = difference > self.doubt
        targets = [flow.masked_fill(doubtful, float("nan"))]
        while len(targets) < levels:
            known = targets[-1].isfinite()
            share = halve(known.to(flow.dtype))
            mean = halve(targets[-1].nan_to_num(0)) / share
            targets.append(mean.masked_fill(share < 0.5, float("nan")) / 2)
        return targets

    def _cropped(
        self, seen: Tensor, left: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        h, w = (min(c, s) for c, s in zip(self.crop, seen.shape[-2:], strict=True))
        top = random.randint(0, seen.shape[-2] - h)
        x = random.randint(0, seen.shape[-1] - w)
        window = (..., slice(top, top + h), slice(x, x + w))
        return seen[window], None if left is None else left[window]


def _samples(flow: Tensor | None) -> list[ActionDataSample] | None:
    """Data samples that hold flow (N, 2, h, w) as what is to be learned."""
    if flow is None:
        return None
    samples = [ActionDataSample() for _ in flow]
    for sample, own in zip(samples, flow, strict=True):
        sample.set_field(own[None], "gt_flow")
    return samples
