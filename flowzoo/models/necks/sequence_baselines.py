"""The sequence-to-sequence baselines of MoNet's table 1.

All take appearance features (N, T, D_in) and a mask (N, T) of valid steps, as MoNet
does, and give flow features (N, T, D). The paper names them without details; unless
said otherwise they have as many hidden channels as D and end in a linear layer, because
flow features are not confined to the range of a tanh.
"""

from __future__ import annotations

import itertools

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ..layers.sequence import check_sequence, lengths_of, zero_padding

CELLS = ("gru", "lstm", "indrnn")


class SequenceBaseline(BaseModule):
    """What the baselines share: hidden states, one linear layer, the mask.

    Args:
        in_channels: D_in, of the appearance features.
        out_channels: D, of the flow features; by default D_in.
        hidden_channels: by default D.
        init_cfg: of mmengine's ``BaseModule``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int | None = None,
        hidden_channels: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.out_channels = out_channels or in_channels
        self.hidden_channels = hidden_channels or self.out_channels

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Hallucinate.

        Args:
            x: appearance features, (N, T, D_in).
            mask: (N, T) bool, False for padded steps, which come after the valid ones.

        Returns:
            (N, T, D), zero where padded.
        """
        check_sequence(self, x, mask, self.in_channels)
        hidden = self.hidden_states(zero_padding(x, mask), mask)
        return zero_padding(self.project(hidden), mask)

    def hidden_states(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(N, T, D_in) to what ``self.project`` takes."""
        raise NotImplementedError


@MODELS.register_module()
class SequenceMLP(SequenceBaseline):
    """Each step on its own: a linear layer, ReLU, a linear layer."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.hidden = nn.Linear(self.in_channels, self.hidden_channels)
        self.project = nn.Linear(self.hidden_channels, self.out_channels)

    def hidden_states(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return self.hidden(x).relu()


@MODELS.register_module()
class SequenceConv(SequenceBaseline):
    """1D convolutions over time with ReLU between them.

    Args:
        num_layers: convolutions before the last, linear layer.
        kernel_size: odd.
    """

    def __init__(
        self, *args, num_layers: int = 2, kernel_size: int = 3, **kwargs
    ) -> None:
        super().__init__(*args, **kwargs)
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size should be odd, got {kernel_size}")
        channels = [self.in_channels] + num_layers * [self.hidden_channels]
        self.convs = nn.ModuleList(
            nn.Conv1d(before, after, kernel_size, padding=kernel_size // 2)
            for before, after in itertools.pairwise(channels)
        )
        self.project = nn.Linear(self.hidden_channels, self.out_channels)

    def hidden_states(self, x: Tensor, mask: Tensor | None) -> Tensor:
        for conv in self.convs:
            x = conv(x.transpose(1, 2)).transpose(1, 2).relu()
            x = zero_padding(x, mask)  # padding must look like the end to the next
        return x


@MODELS.register_module()
class SequenceRNN(SequenceBaseline):
    """A recurrent network.

    Args:
        cell: 'gru', 'lstm' or 'indrnn'.
        num_layers: 1 or more.
        bidirectional: one network each way, hidden states side by side.
    """

    def __init__(
        self,
        *args,
        cell: str = "gru",
        num_layers: int = 1,
        bidirectional: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        if cell not in CELLS:
            raise ValueError(f"cell={cell!r} is unknown; choose one of {CELLS}")
        if cell == "indrnn" and bidirectional:
            raise ValueError("there is no bidirectional 'indrnn'")
        sizes = (self.in_channels, self.hidden_channels, num_layers)
        if cell == "indrnn":
            self.rnn = IndRNN(*sizes)
        else:
            network = nn.GRU if cell == "gru" else nn.LSTM
            self.rnn = network(*sizes, batch_first=True, bidirectional=bidirectional)
        self.bidirectional = bidirectional
        directions = 2 if bidirectional else 1
        self.project = nn.Linear(directions * self.hidden_channels, self.out_channels)

    def hidden_states(self, x: Tensor, mask: Tensor | None) -> Tensor:
        # What comes after the last valid step matters to the way back only.
        if mask is None or not self.bidirectional:
            return self.rnn(x)[0]
        packed = pack_padded_sequence(
            x, lengths_of(x, mask).cpu(), batch_first=True, enforce_sorted=False
        )
        hidden, _ = pad_packed_sequence(
            self.rnn(packed)[0], batch_first=True, total_length=x.shape[1]
        )
        return hidden


class IndRNN(nn.Module):
    """h_t = relu(W x_t + u * h_{t-1} + b): every channel remembers itself only.

    Li et al., Independently Recurrent Neural Network (IndRNN), CVPR 2018.

    Args:
        in_channels: D_in.
        channels: D.
        num_layers: 1 or more.
    """

    def __init__(self, in_channels: int, channels: int, num_layers: int) -> None:
        super().__init__()
        sizes = [in_channels] + (num_layers - 1) * [channels]
        self.inputs = nn.ModuleList(nn.Linear(size, channels) for size in sizes)
        # Below 1 in magnitude, or a long sequence explodes.
        self.recurrent = nn.Parameter(torch.empty(num_layers, channels).uniform_(0, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, T, D_in) to hidden states (N, T, D) and the last ones (layers, N, D)."""
        last = []
        for inputs, u in zip(self.inputs, self.recurrent, strict=True):
            h = x.new_zeros(())
            steps = []
            for term in inputs(x).unbind(1):
                h = (term + u * h).relu()
                steps.append(h)
            x = torch.stack(steps, 1)
            last.append(h)
        return x, torch.stack(last)
