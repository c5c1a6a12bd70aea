"""True flow beside the frames: loading it, and moving it as the frames are moved.

``gt_flow`` is a list of (H, W, 2) float32 arrays, one for each pair of consecutive
frames: x to the right, y down, in pixels. NaN: not known.
"""

from __future__ import annotations

import mmcv
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ..motionshapes import true_flow

_UNKNOWN = 1e9  # Middlebury's files: where a component is larger, flow is not known


@TRANSFORMS.register_module()
class LoadMotionShapesFlow(BaseTransform):
    """Add the true flow between the sampled frames of a MotionShapes video.

    Required keys: ``filename``, ``frame_inds``, ``clip_len``. Added key: ``gt_flow``.

    A frame that is repeated (at the end of a video) stands still.

    Raises:
        ValueError: Frames are left out between the sampled ones.
    """

    def transform(self, results: dict) -> dict:
        flow = true_flow(results["filename"]).transpose(0, 2, 3, 1)
        still = np.zeros_like(flow[0])
        clips = np.asarray(results["frame_inds"]).reshape(-1, results["clip_len"])
        steps = np.diff(clips, axis=1)
        if not np.isin(steps, (0, 1)).all():
            raise ValueError(
                f"the true flow is between consecutive frames, but frames {clips[0]} "
                f"were sampled; set frame_interval=1 in SampleFrames"
            )
        results["gt_flow"] = [
            flow[start].copy() if step else still.copy()
            for start, step in zip(clips[:, :-1].ravel(), steps.ravel(), strict=True)
        ]
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@TRANSFORMS.register_module()
class LoadFlowPair(BaseTransform):
    """Read two frames and the true flow from the first to the second.

    Required keys: ``first``, ``second`` and ``flow``, paths of two images and of a
    Middlebury .flo file. Added keys: ``imgs``, ``gt_flow``, ``img_shape``,
    ``original_shape``, ``modality``, ``clip_len``, ``num_clips``, as a video's decoder
    adds them.

    Raises:
        ValueError: The three differ in size.
    """

    def transform(self, results: dict) -> dict:
        frames = [
            mmcv.imread(results[key], channel_order="rgb")
            for key in ("first", "second")
        ]
        flow = mmcv.flowread(results["flow"]).astype(np.float32)
        sizes = {image.shape[:2] for image in (*frames, flow)}
        if len(sizes) > 1:
            raise ValueError(
                f"{results['first']}, {results['second']} and {results['flow']} differ "
                f"in size: {sorted(sizes)}"
            )
        flow[(np.abs(flow) > _UNKNOWN).any(-1)] = np.nan
        shape = flow.shape[:2]
        return results | dict(
            imgs=frames,
            gt_flow=[flow],
            img_shape=shape,
            original_shape=shape,
            modality="RGB",
            clip_len=2,
            num_clips=1,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@TRANSFORMS.register_module()
class TransformWithFlow(BaseTransform):
    """Apply one of mmaction2's ``Resize``, crops and ``Flip`` to frames and true flow.

    The flow's maps go through the transform as the frames do. Then its vectors are
    lengthened by a ``Resize`` and mirrored by a ``Flip``. Without the key ``gt_flow``,
    this is the transform itself.

    Args:
        transform: configuration of the transform. One that returns another number of
            images than it is given (``ThreeCrop``, ``TenCrop``) is rejected.
    """

    def __init__(self, transform: dict) -> None:
        self.inner = TRANSFORMS.build(transform)

    def transform(self, results: dict) -> dict:
        if "gt_flow" not in results:
            return self.inner(results)
        flows = results.pop("gt_flow")
        frames = list(results["imgs"])
        scale = np.array(results.get("scale_factor", (1, 1)), np.float32)
        results["imgs"] = frames + flows
        results = self.inner(results)
        images = list(results["imgs"])
        if len(images) != len(frames) + len(flows):
            raise ValueError(
                f"{self.inner} made {len(images)} of {len(frames)} frames and "
                f"{len(flows)} maps of flow; true flow cannot follow it"
            )
        results["imgs"] = images[: len(frames)]
        factor = np.array(results.get("scale_factor", (1, 1)), np.float32) / scale
        # a Flip says what it did; the key may be left from an earlier one
        if type(self.inner).__name__ == "Flip" and results["flip"]:
            axis = 0 if results["flip_direction"] == "horizontal" else 1
            factor[axis] = -factor[axis]
        results["gt_flow"] = [flow * factor for flow in images[len(frames) :]]
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.inner})"


@TRANSFORMS.register_module()
class FormatFlow(BaseTransform):
    """Turn ``gt_flow`` into a tensor (pairs, 2, H, W) for ``PackActionInputs``.

    Use it before ``PackActionInputs(algorithm_keys=('gt_flow',))``. Without the key
    ``gt_flow`` nothing happens.
    """

    def transform(self, results: dict) -> dict:
        if "gt_flow" in results:
            flow = np.stack(results["gt_flow"]).transpose(0, 3, 1, 2)
            results["gt_flow"] = torch.from_numpy(np.ascontiguousarray(flow))
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
