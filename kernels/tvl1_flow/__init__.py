from .op import tvl1_flow

__all__ = ["tvl1_flow"]
