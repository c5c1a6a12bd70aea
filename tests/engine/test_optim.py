import pytest
import torch
from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS
from mmengine.optim import AmpOptimWrapper as MMEngineAmpOptimWrapper
from mmengine.optim import MultiStepLR, build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

from flowzoo.compat import AmpOptimWrapper, amp
from flowzoo_kernels import RepresentationFlow

LEARNED = {"flow.div_kernel", "flow.theta", "flow.lam", "flow.tau"}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.flow = RepresentationFlow(4, n_iters=2)


def build(model, paramwise_cfg=None, **kwargs):
    """As mmengine's Runner builds it from a config of mmaction2's scope."""
    optimizer = {"type": "SGD", "lr": 0.1, "momentum": 0.9, "weight_decay": 1e-2}
    with DefaultScope.overwrite_default_scope("mmaction"):
        return build_optim_wrapper(
            model,
            {
                "optimizer": optimizer,
                "constructor": "FlowOptimWrapperConstructor",
                "paramwise_cfg": paramwise_cfg,
                **kwargs,
            },
        )


def settings(wrapper, model):
    """(lr, weight decay) of each parameter by name."""
    names = {id(p): name for name, p in model.named_parameters()}
    return {
        names[id(p)]: (group["lr"], group["weight_decay"])
        for group in wrapper.optimizer.param_groups
        for p in group["params"]
    }


@pytest.mark.parametrize("paramwise_cfg", [None, {}])
def test_defaults(paramwise_cfg):
    model = Net()
    found = settings(build(model, paramwise_cfg), model)
    for name in LEARNED:
        assert found.pop(name) == (pytest.approx(1e-3), 0)
    assert set(found) == {"conv.weight", "conv.bias", "norm.weight", "norm.bias"}
    assert set(found.values()) == {(0.1, 1e-2)}


def test_multipliers():
    model = Net()
    found = settings(build(model, {"flow_lr_mult": 0.5, "flow_decay_mult": 2}), model)
    for name in LEARNED:
        assert found[name] == pytest.approx((0.05, 2e-2))


def test_with_other_keys_of_mmengine():
    model = Net()
    keys = {"norm_decay_mult": 0, "bias_lr_mult": 2, "custom_keys": {}}
    keys["custom_keys"] = {"flow.tau": {"lr_mult": 10}, "conv.w": {"lr_mult": 3}}
    found = settings(build(model, {"flow_decay_mult": 1, **keys}), model)
    assert found == {
        "conv.weight": pytest.approx((0.3, 1e-2)),
        "conv.bias": pytest.approx((0.2, 1e-2)),
        "norm.weight": pytest.approx((0.1, 0)),
        "norm.bias": pytest.approx((0.1, 0)),
        "flow.div_kernel": pytest.approx((1e-3, 1e-2)),
        "flow.theta": pytest.approx((1e-3, 1e-2)),
        "flow.lam": pytest.approx((1e-3, 1e-2)),
        "flow.tau": pytest.approx((1e-2, 1e-2)),
    }


def test_without_weight_decay_none_is_invented():
    model = Net()
    optimizer = {"type": "SGD", "lr": 0.1}
    found = settings(build(model, optimizer=optimizer), model)
    assert {decay for _, decay in found.values()} == {0}
    assert found["flow.tau"] == (pytest.approx(1e-3), 0)


def test_frozen_parameters_stay_out():
    model = Net()
    model.flow.theta.requires_grad_(False)
    assert (
        set(settings(build(model), model)) & {"flow.theta", "flow.image_kernel"}
        == set()
    )


def test_schedulers_keep_the_ratio():
    model = Net()
    wrapper = build(model)
    scheduler = MultiStepLR(wrapper, milestones=[1], gamma=0.1)
    wrapper.optimizer.step()
    scheduler.step()
    found = settings(wrapper, model)
    assert found["conv.weight"][0] == pytest.approx(0.01)
    assert found["flow.tau"][0] == pytest.approx(1e-4)


def test_constructor_is_registered():
    assert OPTIM_WRAPPER_CONSTRUCTORS.get("FlowOptimWrapperConstructor")


# --- AMP ---

needs_cpu_only = pytest.mark.skipif(
    torch.cuda.is_available(), reason="for machines without a GPU"
)


def sgd(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)


@needs_cpu_only
def test_mmengines_amp_rejects_a_cpu():
    with pytest.raises(AssertionError, match="only available training on gpu"):
        MMEngineAmpOptimWrapper(optimizer=sgd(nn.Linear(2, 2)))


@needs_cpu_only
@pytest.mark.parametrize("dtype", [None, "bfloat16", torch.bfloat16, "float16"])
def test_amp_on_cpu_trains_in_bfloat16(dtype):
    model = nn.Linear(2, 2)
    wrapper = AmpOptimWrapper(
        optimizer=sgd(model),
        loss_scale="dynamic",
        dtype=dtype,
        clip_grad={"max_norm": 1},
    )
    before = model.weight.clone()
    with wrapper.optim_context(model):
        out = model(torch.ones(1, 2))
    assert out.dtype == torch.bfloat16
    wrapper.update_params(out.float().sum())
    assert not torch.equal(model.weight, before)


@needs_cpu_only
def test_elsewhere_amp_is_mmengines(monkeypatch):
    monkeypatch.setattr(amp, "get_device", lambda: "cuda")
    with pytest.raises(AssertionError, match="only available training on gpu"):
        AmpOptimWrapper(optimizer=sgd(nn.Linear(2, 2)))


@needs_cpu_only
def test_amp_is_what_a_config_gets_in_mmactions_scope():
    model = Net()
    wrapper = build(model, type="AmpOptimWrapper", loss_scale="dynamic")
    assert type(wrapper) is AmpOptimWrapper
    assert settings(wrapper, model)["flow.tau"] == (pytest.approx(1e-3), 0)
    assert OPTIM_WRAPPERS.get("AmpOptimWrapper") is AmpOptimWrapper


@needs_cpu_only
def test_amp_state_goes_from_machine_to_machine():
    """A run started on a GPU has a loss scale, one started on a CPU has none."""
    wrapper = AmpOptimWrapper(optimizer=sgd(nn.Linear(2, 2)))
    state = wrapper.state_dict()
    assert state["loss_scaler"] == {}
    wrapper.load_state_dict(state)
    wrapper.load_state_dict(state | {"loss_scaler": {"scale": 65536.0}})
    wrapper.loss_scaler = torch.amp.GradScaler("cpu")  # stands for a GPU's
    wrapper.load_state_dict(state | {"loss_scaler": {}})
    assert wrapper.loss_scaler.get_scale() == 65536
