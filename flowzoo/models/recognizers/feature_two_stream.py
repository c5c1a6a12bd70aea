"""Two-stream classification of feature sequences, with true or imagined flow."""

from __future__ import annotations

from mmaction.registry import MODELS
from mmaction.utils import SampleList
from mmengine.model import BaseModel
from torch import Tensor, nn

PARTS = ("classifiers", "hallucination", "fusion")


@MODELS.register_module()
class FeatureTwoStream(BaseModel):
    """Appearance features, flow features, a classifier for each (MoNet, section 3.3).

    Training has three stages, and a model of each loads the checkpoint of the one
    before (``load_from``), as the parts have the same names in all of them:

    1. ``learn='classifiers'``: ``appearance_head`` and ``flow_head`` on true features.
    2. ``learn='hallucination'``: ``neck`` on appearance features, so that its results
       resemble the true flow features and are classified alike (Eq. 13). The heads are
       fixed.
    3. ``learn='fusion'``: both heads, on appearance features and on what the fixed
       neck makes of them.

    The two-stream prediction is the mean of both heads' probabilities.

    Args:
        learn: 'classifiers', 'hallucination' or 'fusion'.
        appearance_head, flow_head: heads of feature sequences; one may be left out.
        neck: ``MoNet`` or a baseline; needed in stages 2 and 3.
        hallucination_loss: of stage 2.
        per_stream: predict a dict of scores, 'appearance', 'flow' and 'two_stream', for
            metrics of each, instead of the two-stream scores alone.
        data_preprocessor: ``FeatureDataPreprocessor``.
        init_cfg: of mmengine's ``BaseModel``.
    """

    def __init__(
        self,
        learn: str,
        appearance_head: dict | None = None,
        flow_head: dict | None = None,
        neck: dict | None = None,
        hallucination_loss: dict | None = None,
        per_stream: bool = False,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        preprocessor = data_preprocessor or dict(type="FeatureDataPreprocessor")
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        if learn not in PARTS:
            raise ValueError(f"learn={learn!r} is unknown; choose one of {PARTS}")
        if appearance_head is None and flow_head is None:
            raise ValueError("FeatureTwoStream needs appearance_head or flow_head")
        if learn != "classifiers" and (neck is None or flow_head is None):
            raise ValueError(f"learn={learn!r} needs a neck and a flow_head")
        self.learn = learn
        self.per_stream = per_stream
        self.appearance_head = appearance_head and MODELS.build(appearance_head)
        self.flow_head = flow_head and MODELS.build(flow_head)
        self.neck = neck and MODELS.build(neck)
        self.hallucination_loss = None
        if learn == "hallucination":
            loss = hallucination_loss or dict(type="HallucinationLoss")
            self.hallucination_loss = MODELS.build(loss)
        for part in self._fixed_parts():
            part.requires_grad_(False)

    def _fixed_parts(self) -> list[nn.Module]:
        fixed = dict(
            classifiers=[self.neck],
            hallucination=[self.appearance_head, self.flow_head],
            fusion=[self.neck],
        )[self.learn]
        return [part for part in fixed if part is not None]

    def train(self, mode: bool = True) -> FeatureTwoStream:
        super().train(mode)
        for part in self._fixed_parts():  # no dropout, no statistics
            part.eval()
        return self

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: SampleList | None = None,
        mode: str = "tensor",
    ) -> dict[str, Tensor] | SampleList:
        """Compute losses, predictions or logits.

        Args:
            inputs: 'appearance' and 'flow', (N, T, D) each, and 'mask', (N, T). Flow is
                needed only to learn classifiers or the hallucination, and to test the
                former.
            data_samples: with labels, for losses; filled in by predictions.
            mode: 'loss', 'predict', or 'tensor' for a dict of each stream's logits.
        """
        if mode == "loss":
            return self.loss(inputs, data_samples)
        if mode == "predict":
            return self.predict(inputs, data_samples)
        if mode == "tensor":
            return self.stream_logits(inputs)
        raise ValueError(f"mode={mode!r} should be 'loss', 'predict' or 'tensor'")

    def loss(
        self, inputs: dict[str, Tensor], data_samples: SampleList
    ) -> dict[str, Tensor]:
        if self.learn == "hallucination":
            return self._hallucination_losses(inputs)
        mask = inputs.get("mask")
        losses = {}
        for stream, head, features in self._streams(inputs):
            of_stream = head.loss(features, data_samples, mask=mask)
            losses |= {f"{name}_{stream}": loss for name, loss in of_stream.items()}
        return losses

    def predict(
        self, inputs: dict[str, Tensor], data_samples: SampleList
    ) -> SampleList:
        scores = {}
        for stream, logits in self.stream_logits(inputs).items():
            scores[stream] = getattr(self, f"{stream}_head").probabilities(logits)
        fused = sum(scores.values()) / len(scores)
        scores["two_stream"] = fused
        for i, sample in enumerate(data_samples):
            if self.per_stream:
                sample.set_pred_score({name: p[i] for name, p in scores.items()})
            else:
                sample.set_pred_score(fused[i])
            sample.set_pred_label(fused[i].argmax(0, keepdim=True))
        return data_samples

    def stream_logits(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Logits (N, C) of each stream that has a head."""
        mask = inputs.get("mask")
        return {
            stream: head(features, mask)
            for stream, head, features in self._streams(inputs)
        }

    def _streams(self, inputs: dict[str, Tensor]):
        """Name, head and features (N, T, D) of each stream."""
        if self.appearance_head is not None:
            yield "appearance", self.appearance_head, self._input(inputs, "appearance")
        if self.flow_head is not None:
            if self.neck is None or self.learn == "classifiers":
                flow = self._input(inputs, "flow")
            else:
                x = self._input(inputs, "appearance")
                flow = self.neck(x, inputs.get("mask"))
            yield "flow", self.flow_head, flow

    def _hallucination_losses(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        mask, head = inputs.get("mask"), self.flow_head
        true = self._input(inputs, "flow")
        hallucinated = self.neck(self._input(inputs, "appearance"), mask)
        p, p_hat = (
            head.probabilities(head(features, mask))
            for features in (hallucinated, true)
        )
        return self.hallucination_loss(hallucinated, true, p, p_hat, mask)

    def _input(self, inputs: dict[str, Tensor], stream: str) -> Tensor:
        if stream not in inputs:
            raise ValueError(
                f"learn={self.learn!r} needs {stream!r} features, but the data has "
                f"{sorted(set(inputs) - {'mask'})}; give the dataset a file of them"
            )
        return inputs[stream]
