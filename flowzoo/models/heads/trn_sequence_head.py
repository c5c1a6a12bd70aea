"""Temporal relations among the steps of a feature sequence."""

from __future__ import annotations

import torch
from mmaction.models.heads.trn_head import RelationModule, RelationModuleMultiScale
from mmaction.registry import MODELS
from torch import Tensor, nn

from ..layers.sequence import lengths_of
from .sequence_head import SequenceHead

RELATIONS = ("TRN", "TRNMultiScale")


@MODELS.register_module()
class TRNSequenceHead(SequenceHead):
    """Temporal relation network (Zhou et al., ECCV 2018) on features (N, T, D).

    The relation modules are mmaction2's. ``num_segments`` steps, evenly spread over the
    valid ones, go into them; a shorter sequence repeats steps.

    Args:
        num_segments: steps that are related to each other.
        relation_type: 'TRN', all segments in order, or 'TRNMultiScale', also tuples of
            2 to num_segments - 1 of them.
        hidden_dim: channels of a step in the relation modules.
        dropout_ratio: dropout on the features of each step.
        **kwargs: of :class:`SequenceHead`.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        num_segments: int = 8,
        relation_type: str = "TRNMultiScale",
        hidden_dim: int = 256,
        dropout_ratio: float = 0.5,
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        if relation_type not in RELATIONS:
            raise ValueError(
                f"relation_type={relation_type!r} is unknown; choose one of {RELATIONS}"
            )
        self.num_segments = num_segments
        self.dropout = nn.Dropout(dropout_ratio)
        self.reduce = nn.Linear(in_channels, hidden_dim)
        relations = (
            RelationModule if relation_type == "TRN" else RepeatableRelationModule
        )
        self.relations = relations(hidden_dim, num_segments, num_classes)

    def logits(self, x: Tensor, mask: Tensor | None) -> Tensor:
        segments = torch.arange(self.num_segments, device=x.device) + 0.5
        steps = segments * lengths_of(x, mask)[:, None] / self.num_segments
        steps = steps.long()[..., None].expand(-1, -1, x.shape[2])  # (N, segments, D)
        return self.relations(self.reduce(self.dropout(x.gather(1, steps))))


class RepeatableRelationModule(RelationModuleMultiScale):
    """mmaction2's module, which takes random tuples of each scale in testing, too.

    Here they are random in training only; in testing they are evenly spread over all
    tuples, so that the same video gets the same scores.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, segments, hidden_dim) to (N, num_classes)."""
        scores = 0
        for relations, count, classify in zip(
            self.relations_scales,
            self.subsample_scales,
            self.fc_fusion_scales,
            strict=True,
        ):
            if self.training:
                chosen = torch.randperm(len(relations))[:count]
            else:
                chosen = torch.linspace(0, len(relations) - 1, count).long()
            for index in chosen.tolist():
                scores = scores + classify(x[:, list(relations[index])].flatten(1))
        return scores
