"""MotionShapes scenes as a dataset of mmaction2, rendered when they are asked for."""

from __future__ import annotations

from collections.abc import Callable

from mmaction.registry import DATASETS, TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.dataset import BaseDataset

from .files import SPLITS
from .scene import render_scene


@DATASETS.register_module()
class MotionScenesDataset(BaseDataset):
    """Scenes for motion estimators; see :func:`render_scene`.

    Nothing is written. With the same arguments, scene i of a split is the same.

    Args:
        split: 'train', 'val' or 'test'.
        length: scenes in the split.
        pipeline: data transforms, ``RenderMotionScene`` first.
        seed: another seed makes other scenes of the same distribution.
        scene: arguments of ``render_scene`` that differ from its defaults.
        **kwargs: of mmengine's ``BaseDataset``.
    """

    METAINFO = dict(task_name="optical flow")

    def __init__(
        self,
        split: str,
        length: int,
        pipeline: list[dict | Callable],
        seed: int = 0,
        scene: dict | None = None,
        **kwargs,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"MotionShapes has the splits {SPLITS}, got {split!r}")
        if length < 1:
            raise ValueError(f"length={length}, but at least one scene is needed")
        self.split, self.length, self.seed = split, length, seed
        self.scene = scene or {}
        super().__init__(pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict]:
        split = SPLITS.index(self.split)
        return [
            dict(
                filename=f"{self.split}/{index:06d}",
                scene=dict(self.scene, seed=(self.seed, split, index)),
            )
            for index in range(self.length)
        ]


@TRANSFORMS.register_module()
class RenderMotionScene(BaseTransform):
    """Render the frames of a scene and its true flow.

    Required key: ``scene``, arguments of ``render_scene``. Added keys: ``imgs``,
    ``gt_flow``, ``img_shape``, ``original_shape``, ``modality``, ``clip_len``,
    ``num_clips``, as a video's decoder adds them.
    """

    def transform(self, results: dict) -> dict:
        scene = render_scene(**results["scene"])
        shape = scene.frames.shape[1:3]
        return results | dict(
            imgs=list(scene.frames),
            gt_flow=list(scene.flow.transpose(0, 2, 3, 1)),
            img_shape=shape,
            original_shape=shape,
            modality="RGB",
            clip_len=len(scene.frames),
            num_clips=1,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
