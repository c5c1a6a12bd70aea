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


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class CaffeOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Learning rates and weight decay as in the authors' Caffe definitions.

    Weight decay is for the weights of convolutions and linear layers alone: biases and
    norms have none, and transposed convolutions neither, whose biases stay as they are.
    All this is on top of ``custom_keys``, which mmengine lets win over its own rules. A
    custom key may say ``bias_lr_mult`` beside ``lr_mult``: the rate of biases against
    that of the weights beside them.
    """

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
        is_deconv = isinstance(module, nn.ConvTranspose2d)
        is_norm = isinstance(module, nn.modules.batchnorm._NormBase)
        own = {id(p): name for name, p in module.named_parameters(recurse=False)}
        for group in params[first:]:
            name = own.get(id(group["params"][0]))
            if name is None:  # of a child, which has had its turn
                continue
            bias_lr_mult = group.pop("bias_lr_mult", 1.0)
            if name == "bias" and not is_norm:
                rate = group.get("lr", self.base_lr)
                group["lr"] = rate * (0.0 if is_deconv else bias_lr_mult)
            if name == "bias" or is_deconv or is_norm:
                group["weight_decay"] = 0.0
