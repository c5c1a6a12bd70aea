"""A MotionNet at every level of a pyramid, for motion that is large for it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from flowzoo_kernels import backward_warp

from ..flow_units import PIXELS_PER_UNIT


def halve(x: Tensor) -> Tensor:
    """Means of squares of two by two pixels, (N, C, H, W), sizes rounded up."""
    return F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)


def enlarge_flow(flow: Tensor, size: tuple[int, int], factor: int = 2) -> Tensor:
    """Flow (N, 2, h, w) at a size ``factor`` times as large; its unit stays.

    A pixel is an area, as in :func:`halve`: two by two pixels of twice the size lie in
    it. Where halving rounded a size up, what is too much at the end is cut off.
    """
    h, w = size
    return F.interpolate(
        flow, scale_factor=factor, mode="bilinear", align_corners=False
    )[..., :h, :w]


@MODELS.register_module()
class PyramidMotionNet(BaseModule):
    """Coarse-to-fine flow by one network of two frames, with one set of weights.

    The frames are halved in size several times. At the coarsest level the network sees
    both frames; at each finer one, the first frame and the second one warped by the
    flow found so far, and adds what is left. Motion far beyond what a network has
    learned, or its kernels reach, comes within its reach. The scheme is SPyNet's
    (Ranjan and Black, CVPR 2017), which has a network for each level.

    Args:
        motion_net: config of a MotionNet or a variant, with ``num_frames=2``.
        num_frames: frames of a clip; each pair of consecutive ones is taken alone.
        levels: of the pyramid, the frames themselves included. Each level more doubles
            the largest motion.
        finest: the level to end at; 1, half the frames' size, takes a quarter of the
            time of 0.
        iterations: at each level.
    """

    def __init__(
        self,
        motion_net: dict,
        num_frames: int = 2,
        levels: int = 5,
        finest: int = 0,
        iterations: int = 1,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        least = dict(num_frames=2, levels=1, finest=0, iterations=1)
        given = dict(
            num_frames=num_frames, levels=levels, finest=finest, iterations=iterations
        )
        for name, value in given.items():
            if not isinstance(value, int) or value < least[name]:
                raise ValueError(
                    f"{name}={value!r}, but a whole number of at least {least[name]} "
                    "is needed"
                )
        if finest >= levels:
            raise ValueError(f"finest={finest} is no level of {levels}")
        self.motion_net = MODELS.build(motion_net)
        if isinstance(self.motion_net, PyramidMotionNet):
            raise TypeError(
                "motion_net is a PyramidMotionNet, but a network whose flow has half "
                "the frames' size is needed, such as TinyMotionNet"
            )
        if self.motion_net.num_frames != 2:
            raise ValueError(
                f"motion_net has num_frames={self.motion_net.num_frames}, but pairs of "
                "frames are warped: set num_frames=2 in it"
            )
        self.num_frames = num_frames
        self.levels = levels
        self.finest = finest
        self.iterations = iterations

    def pairs(self, clips: Tensor, levels: int) -> list[tuple[Tensor, Tensor]]:
        """Consecutive frames at each level, from fine to coarse.

        Args:
            clips: (N, 3, T, H, W).
            levels: how many.

        Returns:
            First and second frames, (N (T - 1), 3, h, w) each.
        """
        frames = clips.transpose(1, 2)
        n, t = frames.shape[:2]
        pyramid = []
        for level in range(levels):
            frames = halve(frames.flatten(0, 1)) if level else frames.flatten(0, 1)
            frames = frames.unflatten(0, (n, t))
            pyramid.append((frames[:, :-1].flatten(0, 1), frames[:, 1:].flatten(0, 1)))
        return pyramid

    @staticmethod
    def warped_clips(first: Tensor, second: Tensor, flow: Tensor | None) -> Tensor:
        """Clips (N, 3, 2, h, w) of what is left of the motion.

        Args:
            first, second: (N, 3, h, w).
            flow: found so far, (N, 2, h, w) in pixels of these frames; None if none is.
        """
        if flow is not None:
            second = backward_warp(second, flow, "border")
        return torch.stack([first, second], dim=2)

    @staticmethod
    def start(first: Tensor, coarser: Tensor | None) -> Tensor | None:
        """Flow to begin a level with, in its pixels: none, or twice the coarser one."""
        if coarser is None:
            return None
        return 2 * enlarge_flow(coarser, tuple(first.shape[-2:]))

    @staticmethod
    def add(flow: Tensor | None, flows: tuple[Tensor, ...], first: Tensor) -> Tensor:
        """Add what the network has found, its finest flow, to flow in pixels."""
        left = PIXELS_PER_UNIT * flows[0].float()
        left = enlarge_flow(left, tuple(first.shape[-2:]))
        return left if flow is None else flow + left

    def forward(self, clips: Tensor) -> tuple[Tensor]:
        """Compute the flow between consecutive frames.

        Args:
            clips: as of :class:`MotionNet`.

        Returns:
            One flow, of the frames' size, (N, 2 (T - 1), H, W) in units of 20 pixels.
        """
        if clips.ndim != 5 or tuple(clips.shape[1:3]) != (3, self.num_frames):
            raise ValueError(
                f"clips have shape {tuple(clips.shape)}, but (N, 3, T, H, W) with "
                f"T={self.num_frames} is needed; num_frames and clip_len of "
                "SampleFrames must go together"
            )
        flow = None
        for first, second in reversed(self.pairs(clips, self.levels)[self.finest :]):
            flow = self.start(first, flow)
            for _ in range(self.iterations):
                seen = self.warped_clips(first, second, flow)
                flow = self.add(flow, self.motion_net(seen), first)
        factor = 2**self.finest
        flow = factor * enlarge_flow(flow, tuple(clips.shape[-2:]), factor)
        flow = (flow / PIXELS_PER_UNIT).unflatten(0, (-1, self.num_frames - 1))
        return (flow.flatten(1, 2),)
