"""MoNet: flow features imagined from appearance features.

Paper: Hallucinating Optical Flow Features for Video Classification, section 3.2.

Where the paper and the authors' released network differ, ``variant`` chooses:

1. Gates: each of the paper's sees one neighbor, s_{t-1} or s_{t+1}; the released ones
   see s_{t-1}, s_t and s_{t+1} (a convolution of width 3).
2. The weights of h_t, s_{t+1} and s_{t-1}: softmax over (1, sigmoid, sigmoid) in the
   paper, over three learned values in the released network.
3. Activation of h_t: ReLU in the paper, tanh in the released network by default.
4. Biases: the paper leaves them out of its equations; the released network has one in
   every product. Here the paper's variant has one per gate.
"""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.sequence import check_sequence, zero_padding

VARIANTS = ("paper", "released")


@MODELS.register_module()
class MoNet(BaseModule):
    """Motion hallucination network: s = MoNet(x), refined layer by layer.

    The layers share their weights, so that their number may be changed after
    training. Steps beyond the ends of a sequence count as zeros, and so do padded
    ones: what comes out for a sequence does not depend on its padding. (In the
    released network the states of padded steps leak into the last valid ones.)

    Args:
        in_channels: D_in, of the appearance features.
        out_channels: D, of the flow features; by default D_in.
        num_layers: recursive expansions; the paper's best is 5.
        variant: 'paper' (Eqs. 6-11) or 'released'.
        activation: of h_t, 'relu' or 'tanh'; by default 'relu' for 'paper', 'tanh' for
            'released' ('relu' is its ``last_relu``).
        init_cfg: of mmengine's ``BaseModule``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int | None = None,
        num_layers: int = 5,
        variant: str = "paper",
        activation: str | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if variant not in VARIANTS:
            raise ValueError(
                f"variant={variant!r} is unknown; choose one of {VARIANTS}"
            )
        activation = activation or ("relu" if variant == "paper" else "tanh")
        if activation not in ("relu", "tanh"):
            raise ValueError(f"activation={activation!r} should be 'relu' or 'tanh'")
        if num_layers < 1:
            raise ValueError(f"num_layers should be at least 1, got {num_layers}")
        self.in_channels = in_channels
        self.out_channels = channels = out_channels or in_channels
        self.num_layers = num_layers
        self.variant = variant
        self.activation = activation
        if variant == "paper":
            # rows: r_f, z_f, r_b, z_b, h
            self.of_x = nn.Linear(in_channels, 5 * channels)
            # rows: r_f, z_f (of s_{t-1}), r_b, z_b (of s_{t+1})
            self.of_s = nn.Linear(channels, 4 * channels, bias=False)
            # columns: s_{t+1} * r_b, s_{t-1} * r_f
            self.of_reset = nn.Linear(2 * channels, channels, bias=False)
        else:
            # rows: z, z_b, z_f, r_b, r_f, h
            self.of_x = nn.Linear(in_channels, 6 * channels)
            # rows: z, z_b, z_f, r_b, r_f
            self.of_s = nn.Conv1d(channels, 5 * channels, 3, padding=1)
            self.of_reset_f = nn.Linear(channels, channels)
            self.of_reset_b = nn.Linear(channels, channels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Hallucinate.

        Args:
            x: appearance features, (N, T, D_in).
            mask: (N, T) bool, False for padded steps; None for no padding.

        Returns:
            (N, T, D), zero where padded.
        """
        check_sequence(self, x, mask, self.in_channels)
        x_terms = self.of_x(zero_padding(x, mask))
        s = x_terms.new_zeros(*x.shape[:2], self.out_channels)
        layer = self._paper_layer if self.variant == "paper" else self._released_layer
        for _ in range(self.num_layers):
            s = zero_padding(layer(x_terms, s), mask)
        return s

    def _paper_layer(self, x_terms: Tensor, s: Tensor) -> Tensor:
        """Eqs. 6 to 11."""
        x_f, x_b, x_h = x_terms.split(
            [2 * self.out_channels] * 2 + [self.out_channels], 2
        )
        s_f, s_b = self.of_s(s).chunk(2, 2)
        r_f, z_f = (x_f + previous(s_f)).sigmoid().chunk(2, 2)
        r_b, z_b = (x_b + following(s_b)).sigmoid().chunk(2, 2)
        before, after = previous(s), following(s)
        resets = torch.cat([after * r_b, before * r_f], 2)
        h = self._activate(x_h + self.of_reset(resets))
        return mix(h, after, before, torch.ones_like(z_b), z_b, z_f)

    def _released_layer(self, x_terms: Tensor, s: Tensor) -> Tensor:
        *x_gates, x_h = x_terms.chunk(6, 2)
        s_gates = self.of_s(s.transpose(1, 2)).transpose(1, 2).chunk(5, 2)
        z, z_b, z_f, r_b, r_f = (a + b for a, b in zip(x_gates, s_gates, strict=True))
        before, after = previous(s), following(s)
        h = self._activate(
            x_h
            + self.of_reset_f(before * r_f.sigmoid())
            + self.of_reset_b(after * r_b.sigmoid())
        )
        return mix(h, after, before, z, z_b, z_f)

    def _activate(self, h: Tensor) -> Tensor:
        return h.relu() if self.activation == "relu" else h.tanh()


def previous(s: Tensor) -> Tensor:
    """s_{t-1} at every t, (N, T, D); zero at the first."""
    return F.pad(s[:, :-1], (0, 0, 1, 0))


def following(s: Tensor) -> Tensor:
    """s_{t+1} at every t, (N, T, D); zero at the last."""
    return F.pad(s[:, 1:], (0, 0, 0, 1))


def mix(h: Tensor, after: Tensor, before: Tensor, *logits: Tensor) -> Tensor:
    """Sum of the three, weighted by the softmax of ``logits``, element by element."""
    weights = torch.stack(logits).softmax(0)
    return weights[0] * h + weights[1] * after + weights[2] * before
