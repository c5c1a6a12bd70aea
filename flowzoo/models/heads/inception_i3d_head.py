from __future__ import annotations

from mmaction.models.heads import I3DHead
from mmaction.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class InceptionI3DHead(I3DHead):
    """mmaction2's ``I3DHead`` with the time average of Kinetics-I3D.

    The authors average the features of every two consecutive steps, and then the
    results of all pairs, so that the first and the last step count half as much as the
    others. Arguments and weights are those of ``I3DHead``.
    """

    def forward(self, x: Tensor, **kwargs) -> Tensor:
        """Features (N, in_channels, T, H, W) to scores (N, num_classes)."""
        if x.shape[2] > 1:
            x = (x[:, :, 1:] + x[:, :, :-1]) / 2
        return super().forward(x, **kwargs)
