import torch
from mmengine.runner import Runner

from ._patch import wrap


def step_uncompiled() -> None:
    """InternalTorchDynamoError: 'UserDefinedDictVariable' ... no attribute 'items'.

    ``compile=True`` in a config compiles the whole training step, and PyTorch fails on
    the optimizer in it. The network is compiled, the optimizer's step is not.
    """

    def make(compile_step):
        def _maybe_compile(self, target: str) -> None:
            if target == "train_step" and self.cfg.get("compile"):
                plain = torch.compiler.disable(self.optim_wrapper.update_params)
                self.optim_wrapper.update_params = plain
            compile_step(self, target)

        return _maybe_compile

    wrap(Runner, "_maybe_compile", make)
