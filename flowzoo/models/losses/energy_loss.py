from __future__ import annotations

from collections.abc import Sequence

from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from flowzoo_kernels import tvl1_energy


@MODELS.register_module()
class TVL1EnergyLoss(nn.Module):
    """The energy of TV-L1 flow, as :func:`flowzoo_kernels.tvl1_energy` has it.

    Args:
        lam: weight of the data term, for frames from 0 to 255.
    """

    def __init__(self, lam: float = 0.15) -> None:
        super().__init__()
        self.lam = lam

    def forward(
        self,
        clips: Tensor,
        flows: Sequence[Tensor],
        data_samples: Sequence[ActionDataSample] | None = None,
    ) -> dict[str, Tensor]:
        """``loss_energy`` of clips (N, 3, T, H, W) and one flow (N, 2, T-1, H, W)."""
        (flow,) = flows
        return {"loss_energy": tvl1_energy(clips, flow, self.lam)}
