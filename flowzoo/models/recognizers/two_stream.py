"""Spatial and temporal stream in one network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.models import Recognizer2D
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from torch import Tensor

from flowzoo.deprecated import former_arguments
from flowzoo.score_fusion import SCORE_NORMS, fuse_scores


@MODELS.register_module()
class TwoStreamRecognizer(BaseModel):
    """Both streams of a two-stream network, from frames to fused scores.

    Simonyan, Zisserman: Two-Stream Convolutional Networks for Action Recognition in
    Videos, NIPS 2014, who average scores, too; the default weights are those of Zhu et
    al.: Hidden Two-Stream Convolutional Networks for Action Recognition, ACCV 2018.

    For testing and use: the streams are trained by themselves, each with a config of
    its own; ``tools/zoo/merge_streams.py`` makes one checkpoint of theirs. Clips go to
    the temporal stream, the middle frame of each to a 2D spatial one; each stream
    normalizes its input as it does alone, and averages the scores of a video's clips
    and crops before they are fused.

    Args:
        spatial: config of a ``Recognizer2D`` or a ``Recognizer3D``.
        temporal: config of a recognizer that makes flow of RGB clips, by a
            ``StackedTemporalStream`` or a ``TVL1DataPreprocessor``.
        weights: of spatial and temporal scores.
        score_norm: of the scores before they are fused, 'none', 'softmax' or
            'clamp_l1', see :func:`flowzoo.score_fusion.normalize_scores`. The released
            code takes 'clamp_l1', with ``average_clips='score'`` in both heads.
        data_preprocessor: ``ActionDataPreprocessor`` without mean, unless given.

    Raises:
        ValueError: weights that are not two, an unknown score_norm, heads with
            different numbers of classes, a head with ``average_clips=None``.
    """

    @former_arguments(handling="score_norm")
    def __init__(
        self,
        spatial: dict,
        temporal: dict,
        weights: Sequence[float] = (1.0, 1.5),
        score_norm: str = "none",
        data_preprocessor: dict | None = None,
    ) -> None:
        super().__init__(
            data_preprocessor
            or dict(type="ActionDataPreprocessor", format_shape="NCTHW")
        )
        if len(weights) != 2:
            raise ValueError(f"{len(weights)} weights for two streams")
        if score_norm not in SCORE_NORMS:
            raise ValueError(f"score_norm={score_norm!r}; choose one of {SCORE_NORMS}")
        self.weights = tuple(weights)
        self.score_norm = score_norm
        self.spatial = MODELS.build(spatial)
        self.temporal = MODELS.build(temporal)
        heads = self.spatial.cls_head, self.temporal.cls_head
        if heads[0].num_classes != heads[1].num_classes:
            raise ValueError(
                f"the spatial stream has {heads[0].num_classes} classes, the temporal "
                f"one {heads[1].num_classes}"
            )
        if None in (heads[0].average_clips, heads[1].average_clips):
            raise ValueError(
                "cls_head.average_clips must be 'score' or 'prob' in both streams, so "
                "that each has one score of each class"
            )

    def forward(
        self,
        inputs: Tensor,
        data_samples: Sequence[ActionDataSample] | None = None,
        mode: str = "tensor",
    ) -> Tensor | list[ActionDataSample]:
        """Fused scores.

        Args:
            inputs: (N, views, 3, T, H, W), values 0 to 255.
            data_samples: one for each of the N, for mode='predict'.
            mode: 'tensor' for the scores (N, classes), 'predict' for data samples
                with them.
        """
        if mode == "loss":
            raise NotImplementedError(
                "a TwoStreamRecognizer is not trained: train each stream with its own "
                "config and merge them with tools/zoo/merge_streams.py"
            )
        if inputs.ndim != 6:
            raise ValueError(
                f"inputs have shape {tuple(inputs.shape)}; (N, views, 3, T, H, W) is "
                "needed: use FormatShape(input_format='NCTHW')"
            )
        frames = inputs
        if isinstance(self.spatial, Recognizer2D):
            frames = inputs[:, :, :, inputs.shape[3] // 2]
        scores = fuse_scores(
            [
                self._score(self.spatial, frames),
                self._score(self.temporal, inputs),
            ],
            self.weights,
            self.score_norm,
        )
        if mode == "tensor":
            return scores
        for sample, score in zip(data_samples, scores, strict=True):
            sample.set_pred_score(score).set_pred_label(score.argmax(-1, keepdim=True))
        return data_samples

    @staticmethod
    def _score(stream: BaseModel, inputs: Tensor) -> Tensor:
        samples = [ActionDataSample() for _ in inputs]
        normal, _ = stream.data_preprocessor.preprocess(list(inputs), samples)
        return torch.stack([s.pred_score for s in stream.predict(normal, samples)])
