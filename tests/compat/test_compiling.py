"""compile=True in a config."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.runner import runner


@pytest.mark.parametrize("fixed", [False, True])
def test_compiled_training_step(fixed):
    class Model(BaseModel):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def forward(self, inputs, mode):
            return dict(loss=self.layer(inputs).square().mean())

    model = Model()
    groups = [ConfigDict(params=list(model.parameters()))]  # as mmengine makes them
    optimizer = OptimWrapper(torch.optim.SGD(groups, lr=0.1))
    config = Config(dict(compile=dict(backend="eager")))
    silent = SimpleNamespace(info=lambda text: None)
    run = SimpleNamespace(
        cfg=config, model=model, optim_wrapper=optimizer, logger=silent
    )
    maybe_compile = runner.Runner._maybe_compile
    before = model.layer.weight.clone()
    torch._dynamo.reset()
    (maybe_compile if fixed else maybe_compile.__wrapped__)(run, "train_step")
    if fixed:
        losses = model.train_step(dict(inputs=torch.ones(3, 2)), optimizer)
        assert losses["loss"].isfinite() and (model.layer.weight != before).all()
    else:
        if torch.__version__ < "2.12":  # 2.11 can; what 2.12 does is unknown
            pytest.skip("this torch can compile the optimizer's step")
        with pytest.raises(torch._dynamo.exc.InternalTorchDynamoError):
            model.train_step(dict(inputs=torch.ones(3, 2)), optimizer)
