"""MotionShapes as a dataset of mmaction2."""

from __future__ import annotations

from collections.abc import Callable

from mmaction.registry import DATASETS

from ..video import CheckedVideoDataset
from .clip import CLASSES
from .files import MotionShapesSpec, prepare


@DATASETS.register_module()
class MotionShapesDataset(CheckedVideoDataset):
    """MotionShapes, generated on first use.

    Args:
        split: 'train', 'val' or 'test'.
        pipeline: data transforms.
        root: folder to generate in. Defaults to the environment variable
            ``FLOWZOO_DATA``, or else to a folder in the user's cache.
        spec: arguments of ``MotionShapesSpec`` that differ from its defaults.
        **kwargs: further arguments of :class:`CheckedVideoDataset`.
    """

    METAINFO = dict(classes=CLASSES)

    def __init__(
        self,
        split: str,
        pipeline: list[dict | Callable],
        root: str | None = None,
        spec: dict | None = None,
        **kwargs,
    ) -> None:
        self.split = split
        self.spec = MotionShapesSpec(**(spec or {}))
        self.spec.num_clips(split)  # an unknown split fails before generating
        folder = prepare(self.spec, root)
        super().__init__(
            ann_file=str(folder / f"{split}.txt"),
            pipeline=pipeline,
            data_prefix=dict(video=str(folder)),
            num_classes=len(CLASSES),
            **kwargs,
        )
