"""Two-stream prediction from RGB frames alone."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmaction.utils import SampleList
from mmengine.model import BaseModel
from torch import Tensor
from torch.nn import functional as F


@MODELS.register_module()
class HallucinatedTwoStream(BaseModel):
    """An appearance network, and MoNet with two classifiers on its features.

    For inference: neither optical flow nor a second network is needed. The parts are
    trained one by one (``docs/monet.md``).

    Args:
        appearance: a recognizer, ours or mmaction2's, without its head.
        two_stream: ``FeatureTwoStream``.
        grid: see :func:`feature_sequence`.
        data_preprocessor: that of the appearance network.
        init_cfg: of mmengine's ``BaseModel``.
    """

    def __init__(
        self,
        appearance: dict,
        two_stream: dict,
        grid: int = 1,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.appearance = MODELS.build(appearance)
        self.two_stream = MODELS.build(two_stream)
        if self.two_stream.neck is None or self.two_stream.learn == "classifiers":
            raise ValueError(
                "HallucinatedTwoStream needs a two_stream with a neck and "
                "learn='fusion' (or 'hallucination')"
            )
        self.grid = grid

    def forward(
        self,
        inputs: Tensor,
        data_samples: SampleList | None = None,
        mode: str = "tensor",
    ) -> dict[str, Tensor] | SampleList:
        """Predict, or give both streams' logits.

        Args:
            inputs: views of each video as the appearance network takes them,
                (N, views, C, ...); more than one view is one longer sequence.
            data_samples: filled in by predictions.
            mode: 'predict', or 'tensor' for a dict of each stream's logits.
        """
        if mode == "loss":
            raise NotImplementedError(
                "HallucinatedTwoStream is for inference; train its parts as "
                "docs/monet.md says"
            )
        features = feature_sequence(self.appearance, inputs, self.grid)
        return self.two_stream(dict(appearance=features), data_samples, mode)


def feature_sequence(recognizer: BaseModel, inputs: Tensor, grid: int = 1) -> Tensor:
    """The last features of a recognizer, pooled over space, in the order of time.

    Args:
        recognizer: of mmaction2's kind, 2D or 3D.
        inputs: (N, views, C, H, W) or (N, views, C, T, H, W), normalized. Views follow
            each other in time: frames of a 2D network, clips of a 3D one.
        grid: pool to grid x grid places, which become channels; 1 is the mean over
            space.

    Returns:
        (N, steps, C * grid * grid).
    """
    x, _ = recognizer.extract_feat(inputs, stage="backbone")
    if not isinstance(x, Tensor):
        raise ValueError(
            f"the backbone {type(recognizer.backbone).__name__} gives "
            f"{type(x).__name__} of several features; a sequence needs one"
        )
    if x.ndim == 4:  # a frame each
        x = x.unsqueeze(2)
    if x.ndim == 5:  # (N * views, C, T, H, W)
        steps = F.adaptive_avg_pool2d(x.transpose(1, 2).flatten(0, 1), grid)
        x = steps.reshape(x.shape[0], x.shape[2], -1)
    elif x.ndim != 2:
        raise ValueError(
            f"features {tuple(x.shape)} of {type(recognizer.backbone).__name__} are "
            "neither (N, C), (N, C, H, W) nor (N, C, T, H, W)"
        )
    return torch.reshape(x, (inputs.shape[0], -1, x.shape[-1]))
