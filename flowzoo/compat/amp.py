import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper as MMEngineAmpOptimWrapper
from mmengine.optim import OptimWrapper


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(MMEngineAmpOptimWrapper):
    """mmengine's AmpOptimWrapper, for CPUs too.

    On a CPU it autocasts to bfloat16 without loss scaling, whatever ``loss_scale`` and
    ``dtype`` say: configs are written for GPUs, and mmengine's class rejects a CPU with
    ``AmpOptimizerWrapper is only available training on gpu, npu, mlu or musa``.
    Elsewhere everything is mmengine's.
    """

    def __init__(
        self,
        loss_scale: float | str | dict = "dynamic",
        dtype: str | torch.dtype | None = None,
        use_fsdp: bool = False,
        **kwargs,
    ) -> None:
        if get_device() != "cpu":
            super().__init__(loss_scale, dtype, use_fsdp, **kwargs)
            return
        OptimWrapper.__init__(self, **kwargs)
        if dtype not in (None, "bfloat16", torch.bfloat16):
            print_log(f"AMP on a CPU: bfloat16 instead of {dtype}", logger="current")
        self._scale_update_param = None
        self.loss_scaler = torch.amp.GradScaler("cpu", enabled=False)
        self.cast_dtype = torch.bfloat16

    def load_state_dict(self, state_dict: dict) -> None:
        """Load a state; one saved on a CPU has no loss scale to continue with."""
        if not state_dict.get("loss_scaler", True):
            state_dict = {k: v for k, v in state_dict.items() if k != "loss_scaler"}
        super().load_state_dict(state_dict)
