"""Hooks that check the data against the model and report on it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import torch
from mmaction.datasets import VideoDataset
from mmaction.registry import HOOKS
from mmengine.config import Config
from mmengine.dist import all_reduce, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import OneCycleLR, OptimWrapperDict
from mmengine.runner import Runner
from torch.utils.data import Dataset

from flowzoo.datasets import CheckedVideoDataset
from flowzoo.io.missing import missing_files
from flowzoo_kernels import RepresentationFlow


@HOOKS.register_module()
class UnreadableVideosHook(Hook):
    """Say how many videos are missing or were skipped, and which.

    At the start it looks for the files of mmaction2's ``VideoDataset`` and of ours:
    those of training that are missing are listed, the others are an error. At the end
    of training it counts what ``CheckedVideoDataset`` skipped in all processes: data
    loader workers and ranks.

    Args:
        max_listed: file names to list.

    Raises:
        FileNotFoundError: Videos of validation or test are missing, or all videos of
            training.
    """

    def __init__(self, max_listed: int = 20) -> None:
        self.max_listed = max_listed

    def before_train(self, runner: Runner) -> None:
        self._check_files("train_dataloader", runner.train_dataloader.dataset)
        if runner.val_loop is not None:  # before, not after, the first epoch
            self._check_files("val_dataloader", runner.val_dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        self._check_files("test_dataloader", runner.test_dataloader.dataset)

    def _check_files(self, loader: str, dataset: Dataset) -> None:
        for data in _video_datasets(dataset, VideoDataset):
            steps = getattr(data.pipeline, "transforms", ())
            stores = {getattr(step, "io_backend", "disk") for step in steps}
            if not is_main_process() or stores - {"disk", "local"}:
                continue
            names = [data.get_data_info(i)["filename"] for i in range(len(data))]
            names = [name for name in names if "://" not in name]
            missing = missing_files(names)
            if not missing:
                continue
            message = (
                f"{len(missing)} videos of {loader} are missing ({data.ann_file} names "
                f"{len(set(names))}):\n  " + self._some(missing)
            )
            if data.test_mode or len(missing) == len(set(names)):
                raise FileNotFoundError(
                    f"{message}\nCorrect the names, or data_prefix, or take the lines "
                    "out of the list"
                )
            print_log(
                f"{message}\nOther videos take their places in training",
                logger="current",
                level=logging.WARNING,
            )

    def _some(self, names: list[str]) -> str:
        more = len(names) - self.max_listed
        shown = names[: self.max_listed] + (
            [f"... and {more} more"] if more > 0 else []
        )
        return "\n  ".join(shown)

    def after_train(self, runner: Runner) -> None:
        for dataset in _video_datasets(runner.train_dataloader.dataset):
            mask = dataset.unreadable_mask.to(torch.int32)
            all_reduce(mask, op="max")
            unreadable = torch.nonzero(mask).flatten().tolist()
            if not unreadable:
                continue
            names = [dataset.get_data_info(i)["filename"] for i in unreadable]
            print_log(
                f"{len(unreadable)} of {len(dataset)} training videos could not be "
                "read and were skipped:\n  " + self._some(names),
                logger="current",
                level=logging.WARNING,
            )


@HOOKS.register_module()
class LoadFromHook(Hook):
    """Begin with the config's ``load_from`` where ``--resume`` finds no checkpoint.

    mmaction2's ``--resume`` takes ``load_from`` out of the config, so that a first
    start with it would begin with random weights.
    """

    def before_train(self, runner: Runner) -> None:
        if not runner._resume or runner._has_loaded:
            return
        file = runner.cfg.filename
        if not file or not Path(file).is_file():  # Config.fromstring deletes its own
            return
        start = Config.fromfile(file).get("load_from")
        if start:
            runner._resume = False  # to the hooks that see the checkpoint
            runner.load_checkpoint(start)
            runner._has_loaded = True
            print_log(
                f"{runner.work_dir} has no checkpoint to resume: training begins with "
                f"{start}",
                logger="current",
            )


@HOOKS.register_module()
class CheckNumClassesHook(Hook):
    """Compare the labels of the data with the number of classes of the head.

    Looks at ``CheckedVideoDataset`` with one label per video, before training,
    validation and test, for recognizers whose ``cls_head`` has ``num_classes``.

    Raises:
        ValueError: A label has no output of the head, or the dataset's
            ``num_classes`` differs from the head's.
    """

    def before_train(self, runner: Runner) -> None:
        self._check(runner, "train_dataloader", runner.train_dataloader.dataset)
        if runner.val_loop is not None:  # before, not after, the first epoch
            self.before_val(runner)

    def before_val(self, runner: Runner) -> None:
        self._check(runner, "val_dataloader", runner.val_dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        self._check(runner, "test_dataloader", runner.test_dataloader.dataset)

    @staticmethod
    def _check(runner: Runner, loader: str, dataset: Dataset) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        num_outputs = getattr(getattr(model, "cls_head", None), "num_classes", None)
        if num_outputs is None:
            return
        for data in _video_datasets(dataset):
            if data.num_classes is not None:
                found = f"{data.num_classes} classes"
                wrong = data.num_classes != num_outputs
                needed = data.num_classes
            else:
                found = f"labels up to {data.max_label}"
                wrong = data.max_label >= num_outputs
                needed = data.max_label + 1
            if wrong:
                raise ValueError(
                    f"model.cls_head.num_classes is {num_outputs}, but {data.ann_file} "
                    f"({loader}.dataset) has {found}. Set model.cls_head.num_classes "
                    f"to {needed}, or correct {loader}.dataset."
                )


@HOOKS.register_module()
class CheckFlowLearningRateHook(Hook):
    """Warn when a schedule takes the flow parameters' own learning rate away.

    mmengine's ``OneCycleLR`` sets ``eta_max`` for every parameter group, whatever the
    optimizer constructor gave it; the other schedules scale each group's own rate.
    """

    def before_train(self, runner: Runner) -> None:
        model = runner.model
        flows = [m for m in model.modules() if isinstance(m, RepresentationFlow)]
        if not any(p.requires_grad for flow in flows for p in flow.parameters()):
            return
        if any(isinstance(s, OneCycleLR) for s in _schedulers(runner)):
            print_log(
                "OneCycleLR gives the parameters of representation flow the learning "
                "rate of all others, with which training may end at chance. Use "
                "another scheduler, or freeze them: flow_cfg=dict(learn=())",
                logger="current",
                level=logging.WARNING,
            )


@HOOKS.register_module()
class CheckBatchSizeHook(Hook):
    """Warn when the batches are not of the size that the learning rate is for.

    That size is ``auto_scale_lr.base_batch_size``. A batch is what all processes
    train on in one step, gradient accumulation included.
    """

    def before_train(self, runner: Runner) -> None:
        scaling = runner.auto_scale_lr or {}
        base, size = scaling.get("base_batch_size"), runner.train_dataloader.batch_size
        if not base or not size or scaling.get("enable"):
            return
        optim_wrapper = runner.optim_wrapper
        if isinstance(optim_wrapper, OptimWrapperDict):
            return
        counts = optim_wrapper._accumulative_counts
        batch = size * runner.world_size * counts
        if batch == base:
            return
        rate = optim_wrapper.optimizer.defaults.get("lr")
        if not rate:  # some optimizers find their own
            return
        # mmengine's own scaling does not know of accumulation
        scale = "--auto-scale-lr, or " if counts == 1 else ""
        accumulate = base / (size * runner.world_size)
        other = ""
        if accumulate > 1 and accumulate.is_integer():
            other = (
                "; or keep it, and accumulate gradients: --cfg-options "
                f"optim_wrapper.accumulative_counts={accumulate:g}"
            )
        print_log(
            f"The learning rate {rate:g} is for batches of {base}, but these are of "
            f"{batch}: {size} in each of {runner.world_size} processes"
            + (f", accumulated {counts} times" if counts > 1 else "")
            + f". Consider {rate * batch / base:g}: {scale}--cfg-options "
            f"optim_wrapper.optimizer.lr={rate * batch / base:g}{other}",
            logger="current",
            level=logging.WARNING,
        )


def _schedulers(runner: Runner) -> list:
    """The schedulers of all optimizers."""
    schedulers = runner.param_schedulers or []
    if isinstance(schedulers, dict):
        return [s for group in schedulers.values() for s in group]
    return schedulers


def _video_datasets(
    dataset: Dataset, kind: type[VideoDataset] = CheckedVideoDataset
) -> Iterator[VideoDataset]:
    """The video datasets inside mmengine's wrappers (repeat, concat and others)."""
    if isinstance(dataset, kind):
        yield dataset
    for inner in getattr(dataset, "datasets", ()):
        yield from _video_datasets(inner, kind)
    if hasattr(dataset, "dataset"):
        yield from _video_datasets(dataset.dataset, kind)
