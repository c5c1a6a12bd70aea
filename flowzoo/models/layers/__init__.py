from .repflow_block import RepFlowBlock

__all__ = ["RepFlowBlock"]
