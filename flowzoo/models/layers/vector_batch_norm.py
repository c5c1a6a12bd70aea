"""Batch norm over vectors that takes a batch of one."""

import warnings

from torch import Tensor, nn


class VectorBatchNorm(nn.BatchNorm1d):
    """``BatchNorm1d`` of (N, C), which in training takes N = 1 as well.

    One vector has no variance, and PyTorch raises an error. The last batch of an epoch
    may be of one video; it is normalized by the running statistics, as in evaluation,
    and does not change them.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) == 1 and self.track_running_stats:
            warnings.warn(
                "batch norm over a batch of one uses its running statistics; if all "
                "batches are of one video, they are never learned: raise batch_size",
                stacklevel=2,
            )
            return nn.functional.batch_norm(
                x,
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                eps=self.eps,
            )
        return super().forward(x)
