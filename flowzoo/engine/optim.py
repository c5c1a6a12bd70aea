import torch
from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper as MMEngineAmpOptimWrapper
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from torch import nn

from flowzoo_kernels import RepresentationFlow


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(MMEngineAmpOptimWrapper):
    """mmengine's AmpOptimWrapper, for CPUs too.

    On a CPU it autocasts to bfloat16 without loss scaling, whatever ``loss_scale`` and
    ``dtype`` say: configs are written for GPUs, and mmengine's class refuses a CPU with
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
        """Load a state; one saved on a CPU has no loss scale to go on with."""
        if not state_dict.get("loss_scaler", True):
            state_dict = {k: v for k, v in state_dict.items() if k != "loss_scaler"}
        super().load_state_dict(state_dict)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class FlowOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Give the parameters of representation-flow layers their own learning rate.

    Paper: Representation Flow for Action Recognition, appendix A: 0.01 of the rate of
    the rest. Two keys of ``paramwise_cfg`` are added to mmengine's, and applied on top
    of what its other keys say about the same parameter:

    - ``flow_lr_mult`` (default 0.01)
    - ``flow_decay_mult`` (default 0): weight decay would pull theta, lambda, tau and
      the derivative kernels to zero.
    """

    def __init__(
        self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None
    ) -> None:
        # mmengine makes no parameter groups at all for an empty paramwise_cfg
        defaults = {"flow_lr_mult": 0.01, "flow_decay_mult": 0.0}
        super().__init__(optim_wrapper_cfg, defaults | (paramwise_cfg or {}))

    def add_params(
        self,
        params: list[dict],
        module: nn.Module,
        prefix: str = "",
        is_dcn_module: int | float | None = None,
    ) -> None:
        """Add a module's parameters to the groups; called for every submodule."""
        first = len(params)
        super().add_params(params, module, prefix, is_dcn_module)
        if not isinstance(module, RepresentationFlow):
            return
        for group in params[first:]:
            self._scale(group, "lr", self.base_lr, "flow_lr_mult")
            self._scale(group, "weight_decay", self.base_wd, "flow_decay_mult")

    def _scale(self, group: dict, key: str, base: float | None, mult: str) -> None:
        value = group.get(key, base)
        if value is not None:
            group[key] = value * self.paramwise_cfg[mult]
