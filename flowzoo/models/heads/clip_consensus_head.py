from __future__ import annotations

from mmaction.models.heads import I3DHead
from mmaction.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class ClipConsensusHead(I3DHead):
    """mmaction2's ``I3DHead`` for videos that are trained on several clips at once.

    The scores of a video's clips are averaged before the loss, as temporal segment
    networks do (``num_clips=3`` of ``SampleFrames``). With one clip it is ``I3DHead``.
    """

    def loss(self, feats: Tensor, data_samples: list, **kwargs) -> dict[str, Tensor]:
        """Losses of features (N clips, C, T, H, W), the clips of a video in a row."""
        scores = self(feats, **kwargs)
        scores = scores.unflatten(0, (len(data_samples), -1)).mean(1)
        return self.loss_by_feat(scores, data_samples)
