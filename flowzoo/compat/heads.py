"""mmaction2's heads under mixed precision."""

from collections.abc import Callable

import torch
from mmaction.models.heads.base import BaseHead
from torch import Tensor

from ._patch import wrap


def score_in_float32() -> None:
    """Answer ``TypeError: Got unsupported ScalarType BFloat16``.

    mmaction2's heads and metrics turn scores into numpy arrays, and numpy knows no
    bfloat16. Wrapping the base class reaches every head that is built on it.
    """

    def make(original: Callable) -> Callable:
        def by_feat(self, cls_scores: Tensor, *args, **kwargs):
            if getattr(cls_scores, "dtype", None) == torch.bfloat16:
                cls_scores = cls_scores.float()
            return original(self, cls_scores, *args, **kwargs)

        return by_feat

    wrap(BaseHead, "loss_by_feat", make)
    wrap(BaseHead, "predict_by_feat", make)
