from mmaction.models.heads.base import BaseHead
from mmaction.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class FrameAverageHead(BaseHead):
    """A prediction per time step, averaged over time.

    Features (N, C, T, H, W) are averaged over space, each of the T steps is
    classified, and the scores of the steps are averaged (paper: Representation Flow
    for Action Recognition, section 3.3).

    Args:
        num_classes: number of classes.
        in_channels: C.
        dropout_ratio: dropout on the features of each time step; the paper takes 0.5
            for Kinetics and 0.8 for HMDB.
        init_std: standard deviation of the initial weights of the classifier.
        **kwargs: of mmaction2's ``BaseHead``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        dropout_ratio: float = 0.5,
        init_std: float = 0.01,
        **kwargs,
    ) -> None:
        kwargs.setdefault("init_cfg", dict(type="Normal", layer="Linear", std=init_std))
        super().__init__(num_classes, in_channels, **kwargs)
        self.dropout = nn.Dropout(dropout_ratio)
        self.fc_cls = nn.Linear(in_channels, num_classes)

    def forward(self, x: Tensor, **kwargs) -> Tensor:
        """Classify features.

        Args:
            x: (N, C, T, H, W).

        Returns:
            Scores, (N, num_classes), float32: mmaction2 turns them into numpy
            arrays, which know no bfloat16.
        """
        if x.ndim != 5:
            raise ValueError(
                f"FrameAverageHead takes features (N, C, T, H, W), got {tuple(x.shape)}"
            )
        x = x.mean((3, 4)).transpose(1, 2)  # (N, T, C)
        return self.fc_cls(self.dropout(x)).float().mean(1)
