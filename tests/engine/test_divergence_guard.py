import pytest
import torch
from mmaction.registry import HOOKS
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from flowzoo.compat import AmpOptimWrapper
from flowzoo.engine import (
    DivergenceGuardHook,
    TrainingDivergedError,
    divergence_guard,
)

NAN = float("nan")


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr(
        divergence_guard, "print_log", lambda message, **_: found.append(message)
    )
    return found


class Scripted(BaseModel):
    """Gives the losses it is told, and gradients of 1 for each of its parameters."""

    def __init__(self, losses):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.losses = iter(losses)
        self.seen = []

    def forward(self, inputs, data_samples=None, mode="loss"):
        self.seen.append(round(-self.weight.item(), 6))
        loss = next(self.losses)
        if loss == "inf gradient":
            # finite forwards: |w| ** 0.5 has an infinite slope at 0
            return dict(loss=1 + (self.weight - self.weight.detach()).abs().sqrt())
        return dict(loss=loss + self.weight - self.weight.detach())


def run(losses, tmp_path, wrapper=OptimWrapper, accumulate=1, **options):
    """Train with SGD and a learning rate of 1; the model, the hook and the runner.

    After each accepted step the weight is one less.
    """
    model = Scripted(losses)
    hook = DivergenceGuardHook(**options)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    data = [dict(inputs=[torch.zeros(1)]) for _ in losses]
    runner = Runner(
        model,
        str(tmp_path),
        train_dataloader=torch.utils.data.DataLoader(
            data, batch_size=1, collate_fn=lambda batch: dict(inputs=batch[0]["inputs"])
        ),
        train_cfg=dict(by_epoch=False, max_iters=len(losses)),
        optim_wrapper=wrapper(optimizer=optimizer, accumulative_counts=accumulate),
        param_scheduler=dict(type="ConstantLR", factor=1.0, by_epoch=False),
        default_hooks=dict(checkpoint=None, logger=None),
        custom_hooks=[hook],
        default_scope="mmaction",
        log_level="ERROR",
        experiment_name=f"{tmp_path.name}-{wrapper.__name__}-{accumulate}-{len(losses)}",
    )
    runner.train()
    return model, hook, runner


@pytest.mark.parametrize("wrapper", [OptimWrapper, AmpOptimWrapper])
def test_spikes_and_nan_are_skipped_and_counted(wrapper, tmp_path, messages):
    losses = [1.0] * 4 + [3.5, 2.9, NAN, 1.0, float("inf"), 1.0]
    model, hook, runner = run(losses, tmp_path, wrapper, min_history=4)
    assert model.seen == [0, 1, 2, 3, 4, 4, 5, 5, 6, 6]
    assert model.weight.item() == -7
    assert hook.num_skipped == 3
    assert runner.message_hub.get_scalar("train/skipped_steps").current() == 3
    assert "iteration 5: the loss is 3.5, 1 is usual" in messages[0]
    assert "iteration 7: the loss is nan" in messages[1]
    assert messages[-1].endswith("3 steps were skipped in all")


def test_first_losses_may_vary(tmp_path):
    model, hook, _ = run([0.1, 5.0, 1.0, 9.0], tmp_path, min_history=4)
    assert model.weight.item() == -4 and hook.num_skipped == 0


def test_bad_batch_spoils_its_step_and_no_other(tmp_path, messages):
    # steps of three batches; the seventh batch makes a step of its own
    losses = [1.0, 1.0, 1.0, 1.0, NAN, 1.0, 1.0]
    model, hook, _ = run(losses, tmp_path, accumulate=3)
    assert model.seen == [0, 0, 0, 1, 1, 1, 1]
    assert model.weight.item() == -2  # also: gradients of the fourth batch are gone
    assert hook.num_skipped == 1


@pytest.mark.parametrize("wrapper", [OptimWrapper, AmpOptimWrapper])
def test_gradient_that_is_not_finite_is_skipped(wrapper, tmp_path, messages):
    model, hook, _ = run([1.0, "inf gradient", 1.0], tmp_path, wrapper)
    assert model.weight.item() == -2 and hook.num_skipped == 1
    assert "iteration 2: a gradient is not finite" in messages[0]


def test_repeated_spikes_stop_training_and_say_what_to_lower(tmp_path, messages):
    losses = [1.0] * 3 + [9.0, 1.0] * 10
    with pytest.raises(TrainingDivergedError) as error:
        run(losses, tmp_path, min_history=3, max_skipped=4, window=20)
    message = str(error.value)
    assert "5 of the last 12 steps were skipped" in message
    assert "Lower optim_wrapper.optimizer.lr (now 1), e.g. to 0.5" in message
    assert "clip_grad" in message and "iteration 12" in message


def test_skips_long_ago_do_not_count(tmp_path, messages):
    losses = [1.0] * 3 + [9.0, 1.0, 1.0, 1.0, 1.0] * 4
    _, hook, _ = run(losses, tmp_path, min_history=3, max_skipped=1, window=5)
    assert hook.num_skipped == 4


def test_wrapper_is_given_back(tmp_path):
    _, _, runner = run([1.0, 1.0], tmp_path)
    wrapper = runner.optim_wrapper
    assert "update_params" not in vars(wrapper)
    # the scheduler's counter, which was there before
    assert wrapper.step._with_counter
    assert "guarded" not in wrapper.step.__qualname__


def test_another_process_has_a_bad_loss(tmp_path, messages, monkeypatch):
    calls = []

    def all_reduce(flag, op):
        calls.append(op)
        flag.fill_(int(len(calls) == 2))

    monkeypatch.setattr(divergence_guard, "all_reduce", all_reduce)
    model, hook, _ = run([1.0, 1.0, 1.0], tmp_path)
    assert set(calls) == {"max"}
    assert model.weight.item() == -2 and hook.num_skipped == 1
    assert "another process" in messages[0]


def test_loss_scaling_is_left_to_the_scaler():
    class Scaler:
        def is_enabled(self):
            return True

    weight = torch.nn.Parameter(torch.zeros(()))
    wrapper = OptimWrapper(torch.optim.SGD([weight], lr=1.0))
    wrapper.loss_scaler = Scaler()
    stepped = []
    wrapper.step = lambda: stepped.append(1)
    hook = DivergenceGuardHook()
    hook.before_train(type("Runner", (), dict(optim_wrapper=wrapper, iter=0)))
    weight.grad = torch.tensor(float("inf"))
    wrapper.step()
    assert stepped == [1] and hook.num_skipped == 0


def test_errors():
    assert HOOKS.get("DivergenceGuardHook") is DivergenceGuardHook
    with pytest.raises(ValueError, match="factor=1"):
        DivergenceGuardHook(factor=1.0)
    with pytest.raises(ValueError, match="max_skipped=100"):
        DivergenceGuardHook(max_skipped=100)
    runner = type("Runner", (), dict(optim_wrapper=object()))
    with pytest.raises(TypeError, match="one OptimWrapper, not with object"):
        DivergenceGuardHook().before_train(runner)
