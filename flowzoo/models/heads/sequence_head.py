"""Classifiers of feature sequences: what they share, and the linear one."""

from __future__ import annotations

from mmaction.models.heads.base import BaseHead
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from torch import Tensor, nn

from ..layers.sequence import check_sequence, mean_over_steps


class SequenceHead(BaseHead):
    """A classifier of features (N, T, D) with a mask (N, T) of valid steps.

    With ``multi_class`` a video has any number of labels: its ``gt_label`` holds a 0 or
    1 for each class, and probabilities are sigmoids, not a softmax.

    Args:
        num_classes: C.
        in_channels: D.
        multi_class: several labels for a video.
        loss_cls: by default mmaction2's ``CrossEntropyLoss``, or with ``multi_class``
            its ``BCELossWithLogits``.
        **kwargs: of mmaction2's ``BaseHead``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        multi_class: bool = False,
        loss_cls: dict | None = None,
        **kwargs,
    ) -> None:
        if loss_cls is None:
            name = "BCELossWithLogits" if multi_class else "CrossEntropyLoss"
            loss_cls = dict(type=name)
        super().__init__(
            num_classes, in_channels, loss_cls, multi_class=multi_class, **kwargs
        )

    def forward(self, x: Tensor, mask: Tensor | None = None, **kwargs) -> Tensor:
        """Classify sequences.

        Args:
            x: (N, T, D).
            mask: (N, T) bool, False for padded steps, which have no influence.

        Returns:
            Logits, (N, C), float32: mmaction2 turns them into numpy arrays, which know
            no bfloat16.
        """
        check_sequence(self, x, mask, self.in_channels)
        return self.logits(x, mask).float()

    def logits(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(N, T, D) to (N, C)."""
        raise NotImplementedError

    def probabilities(self, logits: Tensor) -> Tensor:
        """(N, C) in [0, 1]: softmax, or with ``multi_class`` sigmoid."""
        return logits.sigmoid() if self.multi_class else logits.softmax(1)

    def predict_by_feat(
        self, cls_scores: Tensor, data_samples: SampleList
    ) -> SampleList:
        """Put probabilities and the best class into the data samples."""
        scores = self.probabilities(cls_scores)
        for sample, score in zip(data_samples, scores, strict=True):
            sample.set_pred_score(score)
            sample.set_pred_label(score.argmax(0, keepdim=True))
        return data_samples


@MODELS.register_module()
class LinearSequenceHead(SequenceHead):
    """The mean over time, then a linear layer.

    Args:
        dropout_ratio: dropout on the mean.
        **kwargs: of :class:`SequenceHead`.
    """

    def __init__(
        self, num_classes: int, in_channels: int, dropout_ratio: float = 0.5, **kwargs
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        self.dropout = nn.Dropout(dropout_ratio)
        self.fc_cls = nn.Linear(in_channels, num_classes)

    def logits(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return self.fc_cls(self.dropout(mean_over_steps(x, mask)))
