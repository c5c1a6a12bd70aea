from __future__ import annotations

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor


@MODELS.register_module()
class MotionLossNeck(BaseModule):
    """MotionNet's losses beside the loss of the action.

    Takes what ``StackedTemporalStream`` or ``BranchedTemporalStream`` return, adds the
    losses of the flow and passes on the features. Features alone, which these return
    where MotionNet is not trained by its own losses, pass through.

    Args:
        loss: of the flow, such as ``UnsupervisedFlowLoss``. The published training end
            to end takes a tenth of the SSIM weights of MotionNet alone.
        loss_weight: of these losses against the loss of the action.
    """

    def __init__(self, loss: dict, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.flow_loss = MODELS.build(loss)
        self.loss_weight = loss_weight

    def forward(
        self,
        x: Tensor | tuple[Tensor, Tensor, tuple[Tensor, ...]],
        data_samples: list | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Features, and what is added to the losses and to the log."""
        if isinstance(x, Tensor):
            return x, {}
        features, clips, flows = x
        losses = self.flow_loss(clips, flows, data_samples)
        # mmengine adds up what has "loss" in its name, and logs the rest
        return features, {
            name: self.loss_weight * value if "loss" in name else value
            for name, value in losses.items()
        }
