"""A guard against training that runs away."""

from __future__ import annotations

import logging
from collections import deque
from functools import partial, wraps
from statistics import median

import torch
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor

_REPLACED = ("update_params", "step")  # methods of the optimizer wrapper


class TrainingDivergedError(RuntimeError):
    """Too many steps in a short time had to be skipped."""


@HOOKS.register_module()
class DivergenceGuardHook(Hook):
    """Skip steps whose loss jumps or is not a number, and stop when that lasts.

    Made for MotionNet, which may diverge in its first iterations. A step is skipped
    when its loss is not finite, when it exceeds ``factor`` times the median of the
    last accepted losses, or when a gradient is not finite. Nothing of a skipped step
    reaches the parameters or the optimizer's state. With gradient accumulation, a step
    is all its batches: one bad batch spoils it. When one process of several sees a bad
    loss, all of them skip. The log gets ``skipped_steps``, their number so far.

    It works on the optimizer wrapper of the runner, whatever its type. With float16 and
    loss scaling, gradients that are not finite are left to the scaler, which expects
    some.

    Args:
        factor: how many times the median a loss may be.
        window: losses that the median is taken of, and steps in which ``max_skipped``
            are counted.
        min_history: accepted losses before which only their being finite is checked:
            single losses at the beginning say little.
        max_skipped: steps that may be skipped within ``window`` steps.

    Raises:
        TrainingDivergedError: More steps than ``max_skipped`` had to be skipped. The
            message says what to lower.
    """

    priority = "VERY_LOW"

    def __init__(
        self,
        factor: float = 3.0,
        window: int = 100,
        min_history: int = 10,
        max_skipped: int = 20,
    ) -> None:
        if factor <= 1:
            raise ValueError(f"factor={factor}, but a loss must be allowed to be 1x")
        if not 0 < max_skipped < window or not 0 < min_history <= window:
            raise ValueError(
                f"max_skipped={max_skipped} and min_history={min_history} should be at "
                f"least 1 and smaller than window={window}"
            )
        self.factor = factor
        self.min_history = min_history
        self.max_skipped = max_skipped
        self.window = window
        self.num_skipped = 0
        self._accepted = deque(maxlen=window)
        self._skips = deque(maxlen=window)  # of the last steps, True where skipped
        self._spoiled = False  # the step that is being accumulated

    def before_train(self, runner: Runner) -> None:
        """Take the place of the optimizer wrapper's update_params and step."""
        wrapper = runner.optim_wrapper
        if not isinstance(wrapper, OptimWrapper):
            raise TypeError(
                f"DivergenceGuardHook works with one OptimWrapper, not with "
                f"{type(wrapper).__name__}"
            )
        self._runner = runner
        self._wrapper = wrapper
        self._update_params, self._step = wrapper.update_params, wrapper.step
        self._before = {k: v for k, v in vars(wrapper).items() if k in _REPLACED}
        # what schedulers have noted at the method goes over to its replacement
        wrapper.update_params = self._guarded_update_params
        wrapper.step = wraps(self._step)(partial(self._guarded_step))

    def after_train(self, runner: Runner) -> None:
        """Give the wrapper its own methods back."""
        for name in _REPLACED:
            delattr(self._wrapper, name)
        vars(self._wrapper).update(self._before)
        if self.num_skipped:
            self._log(f"{self.num_skipped} steps were skipped in all")

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        runner.message_hub.update_scalar("train/skipped_steps", self.num_skipped)

    def _guarded_update_params(
        self,
        loss: Tensor,
        step_kwargs: dict | None = None,
        zero_kwargs: dict | None = None,
    ) -> None:
        wrapper = self._wrapper
        if not self._spoiled:
            reason = self._reason(loss)
            if reason is None:
                self._accepted.append(float(loss.detach()))
                self._update_params(loss, step_kwargs, zero_kwargs)
                return
            self._spoiled = True
            self._note_skip(reason)
        # What update_params does, without the backward pass and the step.
        wrapper._inner_count += 1
        if wrapper.should_update():
            wrapper.zero_grad(**(zero_kwargs or {}))
            self._spoiled = False

    def _guarded_step(self, **kwargs) -> None:
        """Called once all batches of a step are accumulated, none of them bad."""
        scaler = getattr(self._wrapper, "loss_scaler", None)
        scaled = scaler is not None and scaler.is_enabled()
        if not scaled and not self._gradients_are_finite():
            # gradients are the sum over all processes: these agree without asking
            self._note_skip("a gradient is not finite")
            return
        self._skips.append(False)
        self._step(**kwargs)

    def _reason(self, loss: Tensor) -> str | None:
        """Why a loss is bad here or in another process, or None."""
        value = float(loss.detach())
        typical = median(self._accepted) if self._accepted else None
        known = len(self._accepted) >= self.min_history
        bad = not abs(value) < float("inf")
        bad = bad or (known and value > self.factor * typical)
        flag = torch.tensor(int(bad), device=loss.device)
        all_reduce(flag, op="max")
        if not flag:
            return None
        if not bad:
            return "the loss of another process is bad"
        usual = "" if typical is None else f", {typical:.4g} is usual"
        return f"the loss is {value:.4g}{usual}"

    def _gradients_are_finite(self) -> bool:
        groups = self._wrapper.optimizer.param_groups
        gradients = [p.grad for g in groups for p in g["params"] if p.grad is not None]
        if not gradients:
            return True
        norms = torch._foreach_norm(gradients)
        return bool(torch.stack([n.float() for n in norms]).isfinite().all())

    def _note_skip(self, reason: str) -> None:
        self.num_skipped += 1
        self._skips.append(True)
        iteration = self._runner.iter + 1
        self._log(f"step skipped in iteration {iteration}: {reason}")
        recent = sum(self._skips)
        if recent > self.max_skipped:
            lr = self._wrapper.optimizer.param_groups[0]["lr"]
            raise TrainingDivergedError(
                f"training diverges: {recent} of the last {len(self._skips)} steps "
                f"were skipped, the last one in iteration {iteration}, as {reason}. "
                f"Lower optim_wrapper.optimizer.lr (now {lr:.3g}), e.g. to {lr / 2:.2g}"
                f", add optim_wrapper.clip_grad=dict(max_norm=...) or a longer warm-up,"
                f" and start again, or continue from an earlier checkpoint. If healthy "
                f"losses vary more than {self.factor:g}x, raise the "
                f"factor of DivergenceGuardHook"
            )

    @staticmethod
    def _log(message: str) -> None:
        print_log(
            f"DivergenceGuardHook: {message}", logger="current", level=logging.WARNING
        )
