"""Training and testing a motion estimator alone."""

from __future__ import annotations

from collections.abc import Sequence

from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from torch import Tensor

from ..flow_units import flow_in_pixels


@MODELS.register_module()
class MotionEstimator(BaseModel):
    """A MotionNet and a loss, trained and tested by mmaction2's tools.

    Args:
        backbone: MotionNet, TinyMotionNet or another one that gives flows, from fine to
            coarse, of clips (N, 3, T, H, W).
        loss: ``UnsupervisedFlowLoss``, ``SupervisedFlowLoss`` or another module that
            takes clips, flows and data samples and returns a dict of losses.
        data_preprocessor: ``ActionDataPreprocessor`` with the mean (123, 117, 104), the
            deviation (255, 255, 255) and format_shape='NCTHW'.
        init_cfg: of mmengine's ``BaseModule``.

    Data samples come back with ``pred_flow``, (pairs, 2, H, W), in pixels, the pairs of
    all clips of the sample in their order.
    """

    def __init__(
        self,
        backbone: dict,
        loss: dict,
        data_preprocessor: dict,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(MODELS.build(data_preprocessor), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.flow_loss = MODELS.build(loss)

    def forward(
        self,
        inputs: Tensor,
        data_samples: Sequence[ActionDataSample] | None = None,
        mode: str = "tensor",
    ) -> tuple[Tensor, ...] | dict[str, Tensor] | list[ActionDataSample]:
        """Flows, losses or data samples with flow.

        Args:
            inputs: (N, clips, 3, T, H, W), normalized.
            data_samples: one for each of the N.
            mode: 'tensor' for the network's flows of all N x clips, 'loss' or
                'predict'.
        """
        if inputs.ndim != 6:
            raise ValueError(
                f"inputs have shape {tuple(inputs.shape)}; (N, clips, 3, T, H, W) is "
                f"needed: use FormatShape(input_format='NCTHW')"
            )
        clips = inputs.flatten(0, 1)
        if mode == "tensor":
            return self.backbone(clips)
        if mode == "loss":
            return self.loss(clips, data_samples)
        if mode == "predict":
            return self._predict(inputs, self.backbone(clips)[0], data_samples)
        raise ValueError(f"mode={mode!r}; choose 'tensor', 'loss' or 'predict'")

    def loss(
        self, clips: Tensor, data_samples: Sequence[ActionDataSample] | None
    ) -> dict[str, Tensor]:
        """Losses of clips (N, 3, T, H, W)."""
        return self.flow_loss(clips, self.backbone(clips), data_samples)

    @staticmethod
    def _predict(
        inputs: Tensor, flow: Tensor, data_samples: Sequence[ActionDataSample] | None
    ) -> list[ActionDataSample]:
        size = tuple(inputs.shape[-2:])
        flow = flow_in_pixels(flow, size).reshape(len(inputs), -1, 2, *size)
        samples = list(data_samples or (ActionDataSample() for _ in flow))
        for sample, pairs in zip(samples, flow, strict=True):
            sample.set_field(pairs, "pred_flow")
        return samples
