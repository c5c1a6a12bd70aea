from .op import tvl1_flow
from .tvnet import TVNet, tvl1_energy

__all__ = ["TVNet", "tvl1_energy", "tvl1_flow"]
