"""NetVLAD and NeXtVLAD classifiers of feature sequences."""

from __future__ import annotations

import math

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.vector_batch_norm import VectorBatchNorm
from .sequence_head import SequenceHead


class VLADHead(SequenceHead):
    """Encoding, dropout, hidden layer, context gating, linear classifier.

    Args:
        encoded_channels: of the encoding.
        hidden_channels: H.
        gating_reduction: of the gate's bottleneck; None for a gate without one.
        dropout_ratio: dropout on the encoding.
        **kwargs: of :class:`SequenceHead`.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        encoded_channels: int,
        hidden_channels: int = 1024,
        gating_reduction: int | None = None,
        dropout_ratio: float = 0.5,
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        H = hidden_channels
        self.hidden = nn.Sequential(
            nn.Dropout(dropout_ratio),
            nn.Linear(encoded_channels, H, bias=False),
            VectorBatchNorm(H),
        )
        if gating_reduction is None:
            gate = [nn.Linear(H, H, bias=False), VectorBatchNorm(H)]
        else:
            narrow = max(1, H // gating_reduction)
            gate = [
                nn.Linear(H, narrow, bias=False),
                VectorBatchNorm(narrow),
                nn.ReLU(),
                nn.Linear(narrow, H, bias=False),
            ]
        self.gate = nn.Sequential(*gate, nn.Sigmoid())
        self.fc_cls = nn.Linear(H, num_classes)

    def encode(self, x: Tensor, mask: Tensor) -> Tensor:
        """(N, T, D) and mask (N, T) to (N, encoded_channels)."""
        raise NotImplementedError

    def logits(self, x: Tensor, mask: Tensor | None) -> Tensor:
        if mask is None:
            mask = x.new_ones(x.shape[:2], dtype=torch.bool)
        hidden = self.hidden(self.encode(x, mask))
        return self.fc_cls(hidden * self.gate(hidden))


@MODELS.register_module()
class NetVLADHead(VLADHead):
    """Gated NetVLAD (Miech et al., Learnable Pooling with Context Gating, 2017).

    Args:
        num_clusters: K.
        **kwargs: of :class:`VLADHead`, such as ``hidden_channels`` (1024 by default),
            and of :class:`SequenceHead`.
    """

    def __init__(
        self, num_classes: int, in_channels: int, num_clusters: int = 64, **kwargs
    ) -> None:
        encoded = num_clusters * in_channels
        super().__init__(num_classes, in_channels, encoded, **kwargs)
        self.assign = nn.Linear(in_channels, num_clusters, bias=False)
        self.norm_assign = VectorBatchNorm(num_clusters)
        self.centers = nn.Parameter(
            torch.randn(num_clusters, in_channels) / math.sqrt(in_channels)
        )

    def encode(self, x: Tensor, mask: Tensor) -> Tensor:
        assignment = normalized_softmax(self.norm_assign, self.assign(x[mask]))
        assignment = scatter(assignment, mask)  # (N, T, K)
        vlad = aggregate(assignment, scatter(x[mask], mask), self.centers)
        return F.normalize(vlad.flatten(1), dim=1)


@MODELS.register_module()
class NeXtVLADHead(VLADHead):
    """NeXtVLAD (Lin et al., 2018): NetVLAD on groups of expanded features.

    Args:
        num_clusters: K.
        expansion: factor by which channels are first expanded.
        groups: the expanded channels are split into so many, each with an attention.
        gating_reduction: of the context gate's bottleneck.
        **kwargs: as of :class:`NetVLADHead`.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        num_clusters: int = 64,
        expansion: int = 2,
        groups: int = 8,
        gating_reduction: int = 8,
        **kwargs,
    ) -> None:
        expanded = expansion * in_channels
        if expanded % groups:
            raise ValueError(
                f"expansion * in_channels = {expanded} cannot be split into "
                f"groups={groups} of equal size"
            )
        width = expanded // groups
        super().__init__(
            num_classes,
            in_channels,
            encoded_channels=num_clusters * width,
            gating_reduction=gating_reduction,
            **kwargs,
        )
        self.groups = groups
        self.expand = nn.Linear(in_channels, expanded)
        self.attention = nn.Linear(expanded, groups)
        self.assign = nn.Linear(expanded, groups * num_clusters, bias=False)
        self.norm_assign = VectorBatchNorm(groups * num_clusters)
        self.centers = nn.Parameter(torch.randn(num_clusters, width) / math.sqrt(width))
        self.norm_vlad = VectorBatchNorm(num_clusters * width)

    def encode(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.expand(x[mask])  # (steps, expanded)
        attention = self.attention(x).sigmoid()[..., None]  # (steps, G, 1)
        assignment = normalized_softmax(self.norm_assign, self.assign(x), self.groups)
        # (N, T * G, K) and (N, T * G, width): every group is a step of its own
        assignment = scatter(assignment * attention, mask).flatten(1, 2)
        x = scatter(x.unflatten(1, (self.groups, -1)), mask).flatten(1, 2)
        return self.norm_vlad(aggregate(assignment, x, self.centers).flatten(1))


def normalized_softmax(norm: nn.Module, logits: Tensor, groups: int = 0) -> Tensor:
    """Softmax over clusters after batch norm: (steps, K), or (steps, groups, K)."""
    logits = norm(logits)
    return (logits.unflatten(1, (groups, -1)) if groups else logits).softmax(-1)


def scatter(valid: Tensor, mask: Tensor) -> Tensor:
    """(steps, ...) of the valid steps only to (N, T, ...), zero where padded.

    Batch norm before it sees no padding, which its statistics must not contain.
    """
    full = valid.new_zeros(*mask.shape, *valid.shape[1:])
    full[mask] = valid
    return full


def aggregate(assignment: Tensor, x: Tensor, centers: Tensor) -> Tensor:
    """Residuals to the centers, summed over steps, of length 1 for each cluster.

    Args:
        assignment: (N, T, K), zero where padded.
        x: (N, T, D).
        centers: (K, D).

    Returns:
        (N, K, D).
    """
    total = assignment.sum(1)[..., None]  # (N, K, 1)
    return F.normalize(assignment.transpose(1, 2) @ x - total * centers, dim=2)
