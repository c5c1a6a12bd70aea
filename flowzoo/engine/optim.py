from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from flowzoo_kernels import RepresentationFlow, TVNet


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class FlowOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Give the parameters of representation-flow layers and TVNet their own rate.

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
        if not isinstance(module, RepresentationFlow | TVNet):
            return
        for group in params[first:]:
            self._scale(group, "lr", self.base_lr, "flow_lr_mult")
            self._scale(group, "weight_decay", self.base_wd, "flow_decay_mult")

    def _scale(self, group: dict, key: str, base: float | None, mult: str) -> None:
        value = group.get(key, base)
        if value is not None:
            group[key] = value * self.paramwise_cfg[mult]
