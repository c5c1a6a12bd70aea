"""What MoNet minimizes."""

from __future__ import annotations

from mmaction.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class HallucinationLoss(nn.Module):
    """Distance of hallucinated from true flow features (MoNet, Eq. 13).

    Mean square error over sequences, steps and channels, plus ``alpha`` times the mean
    over sequences and classes of |p(S) - p(S_hat)|. Padded steps do not count.

    Args:
        alpha: weight of the probabilities' distance.
    """

    def __init__(self, alpha: float = 10.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(
        self,
        hallucinated: Tensor,
        true: Tensor,
        hallucinated_probabilities: Tensor,
        true_probabilities: Tensor,
        mask: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Compute both terms.

        Args:
            hallucinated, true: flow features, (N, T, D).
            hallucinated_probabilities, true_probabilities: a classifier's, (N, C).
            mask: (N, T) bool, False for padded steps.

        Returns:
            ``loss_mse`` and ``loss_prob`` (with its weight), to be added.
        """
        for a, b, what in (
            (hallucinated, true, "features"),
            (hallucinated_probabilities, true_probabilities, "probabilities"),
        ):
            if a.shape != b.shape:
                raise ValueError(
                    f"hallucinated and true {what} differ in shape: {tuple(a.shape)} "
                    f"and {tuple(b.shape)}"
                )
        square = (hallucinated - true).square()
        if mask is not None:
            square = square[mask]
        distance = (hallucinated_probabilities - true_probabilities).abs().mean()
        return dict(loss_mse=square.mean(), loss_prob=self.alpha * distance)
