"""The runs of comparison.py: trained, tested, and kept in files."""

import hashlib
import json
import math
import os
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from comparison_benchmarks import BENCHMARKS
from comparison_monet import stages
from comparison_report import machine, predicted
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from flowzoo.config_lookup import find_config

LAST = 20  # iterations over which the training's end is averaged
COSTS = ("training_seconds", "test_milliseconds_a_clip")
USUAL_SAMPLER = dict(type="DefaultSampler", shuffle=True)
TRAINED = ("rate", "iterations", "training_accuracy")  # not of MoNet's several parts


class TimeHook(Hook):
    """Sum up the CPU seconds of a training over its interruptions; those of a test.

    The sum is part of the checkpoints: what a kill throws away is not counted.
    """

    priority = "NORMAL"  # before the checkpoint of the epoch is written
    key = "training_seconds"

    def before_train_epoch(self, runner: Runner) -> None:
        self.start = time.process_time()

    def after_train_epoch(self, runner: Runner) -> None:
        hub = runner.message_hub
        seconds = time.process_time() - self.start
        hub.update_info(self.key, hub.get_info(self.key, 0.0) + seconds)

    def before_test_epoch(self, runner: Runner) -> None:
        self.start = time.process_time()

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        self.test_seconds = time.process_time() - self.start


def run(
    method: str,
    rate: float,
    train_file: Path,
    test_file: Path,
    runs: Path,
    out: Path,
    seed: int = 0,
) -> dict:
    """Train a method on the clips of one list and classify those of another.

    Args:
        runs: folder that the result is for.
        out: of the checkpoints, from which a run that was killed continues.
    """
    settings, results = fingerprint(method), str(runs.resolve())
    begin(out, settings=settings, rate=rate, results=results, seed=seed)
    config = Config.fromfile(find_config(f"{method}.py"))
    config.work_dir = str(out)
    config.randomness = dict(seed=seed)
    config.log_level = "WARNING"
    # nothing is chosen by looking at the test clips, so there is no validation
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    config.default_hooks.checkpoint = dict(
        type="CheckpointHook", interval=5, max_keep_ckpts=1, save_optimizer=True
    )
    config.resume = True
    config.optim_wrapper.optimizer.lr = rate
    config.train_dataloader.dataset.ann_file = str(train_file)
    config.test_dataloader.dataset.ann_file = str(test_file)
    scores = out / "scores.pkl"
    config.test_evaluator = [
        config.test_evaluator,
        dict(type="DumpResults", out_file_path=str(scores)),
    ]
    runner = Runner.from_cfg(config)
    hook = TimeHook()
    runner.register_hook(hook)
    runner.train()
    scalars = runner.message_hub.log_scalars
    losses, _ = scalars["train/loss"].data
    runner.test()
    predictions = pickle.loads(scores.read_bytes())
    clips = runner.test_dataloader.dataset
    return dict(
        method=method,
        rate=rate,
        seed=seed,
        epochs=runner.max_epochs,
        iterations=runner.max_iters,
        training_seconds=round(runner.message_hub.get_info(TimeHook.key), 1),
        test_milliseconds_a_clip=round(1000 * hook.test_seconds / len(clips), 1),
        training_loss=round(scalars["train/loss"].mean(LAST), 4),
        training_accuracy=round(scalars["train/top1_acc"].mean(LAST), 4),
        epoch_losses=losses.reshape(runner.max_epochs, -1).mean(1).round(3).tolist(),
        clips=[
            dict(
                clip=Path(clips.get_data_info(i)["filename"]).stem,
                label=prediction["gt_label"].item(),
                scores=[round(s, 6) for s in prediction["pred_score"].tolist()],
            )
            for i, prediction in enumerate(predictions)
        ],
    )


def kept(
    path: Path,
    method: str,
    clips: dict[str, int],
    make: Callable[[], dict],
    seed: int = 0,
    rate: float | None = None,
) -> dict:
    """What a file holds, or what is made and written to it now.

    Args:
        clips: labels by paths, of those that the run is tested on.
        rate: the learning rate that the run must have, where it must have one.
    """
    if not path.exists():
        told = dict(settings=fingerprint(method), machine=machine())
        if streams := stream_fingerprints(method):
            told["streams"] = streams
        result = dict(told, **make())
        path.parent.mkdir(parents=True, exist_ok=True)
        partial_path = path.with_suffix(f".{os.getpid()}.partial")
        partial_path.write_text(json.dumps(result) + "\n")
        partial_path.rename(path)
        print(f"{path.stem}: {accuracy(result):.1f} %", flush=True)
    return read_run(path, method, clips, seed, rate)


def read_run(
    path: Path,
    method: str,
    clips: dict[str, int],
    seed: int = 0,
    rate: float | None = None,
) -> dict:
    """The result of a run, with its clips in the order of their names.

    Raises:
        SystemExit: the file is damaged, or its run is another config's, of other clips,
            of another seed or of another rate.
    """
    try:
        result = json.loads(path.read_text())
        _check_values(result, has_rate=len(stages(method)) == 1)
        settings, own_rate = result["settings"], result["rate"]
        result["clips"].sort(key=lambda c: c["clip"])
        found = [(c["clip"], c["label"]) for c in result["clips"]]
    except OSError as error:
        raise SystemExit(f"{path} is not readable: {error.strerror}") from None
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        raise SystemExit(f"{path} is damaged: delete it, and run again") from None
    if settings != fingerprint(method):
        raise SystemExit(
            f"{path} is from a run before {method} was changed: move the runs of this "
            "method away, or give --results another folder"
        )
    streams = stream_fingerprints(method)
    if result.get("streams", streams) != streams:  # the first runs do not say it
        raise SystemExit(
            f"{path} is from a run before one of {', '.join(streams)} was changed, "
            f"whose features it takes: move the runs of {method} away, or give "
            "--results another folder"
        )
    if found != sorted((Path(clip).stem, label) for clip, label in clips.items()):
        raise SystemExit(
            f"{path} is of other clips than the list that it stands for: move it away, "
            "or give the ROOT that it was made with"
        )
    if (found := result.get("seed", 0)) != seed:  # the first runs do not say it
        raise SystemExit(f"{path} is of the seed {found}: name it so, or delete it")
    if rate is not None and own_rate != rate:
        raise SystemExit(
            f"{path} is of the learning rate {own_rate}, but its name, the search or "
            f"the method's other runs say {rate}: move the ones or the others away"
        )
    return result


def _check_values(result: dict, has_rate: bool) -> None:
    """Raise one of Python's errors unless the table can be made of a result."""
    accuracy(result)
    scores = np.array([clip["scores"] for clip in result["clips"]], float)
    numbers = [result[name] for name in (COSTS + TRAINED if has_rate else COSTS)]
    if not (
        all(map(math.isfinite, numbers))
        and min(numbers) >= 0
        and (not has_rate or result["training_accuracy"] <= 1)
        and all(0 <= c["label"] < scores.shape[1] for c in result["clips"])
        and isinstance(result["machine"], str)
        and (has_rate or result["rate"] is None)
        and scores.ndim == 2
    ):
        raise ValueError


def begin(out: Path, **run: str | float) -> None:
    """Empty the folder of a run's checkpoints if they are of another run."""
    marker, text = out / "run.json", json.dumps(run)
    if out.exists() and (not marker.exists() or marker.read_text() != text):
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    marker.write_text(text)


def stream_fingerprints(method: str) -> dict[str, str]:
    """Of the networks whose features MoNet takes; of none for other methods."""
    parts = (
        benchmark.hallucinations[method][1]
        for benchmark in BENCHMARKS.values()
        if method in benchmark.hallucinations
    )
    return {part: fingerprint(part) for part in next(parts, ())}


def _unusual(config: Config, several_stages: bool) -> dict:
    """What else decides a result, where it is not what all methods have."""
    runtime = Config.fromfile(find_config("_base_/default_runtime.py"))
    loader = config.train_dataloader
    found = dict(
        custom_hooks=[h for h in config.custom_hooks if h not in runtime.custom_hooks],
        sampler={k: v for k, v in loader.sampler.items() if USUAL_SAMPLER.get(k) != v},
    )
    if not several_stages:  # MoNet's begin with those before
        found |= dict(load_from=config.load_from)
        if loader.dataset.type != "CheckedVideoDataset":
            found |= dict(dataset=loader.dataset.type)
    return {name: value for name, value in found.items() if value}


def fingerprint(method: str) -> str:
    """Of what decides a method's result: a run of another one is not its own.

    It is of the config, not of the code. The learning rate is not among it: each run
    says its own.
    """
    digest = hashlib.sha256()
    for name in stages(method):
        config = Config.fromfile(find_config(f"{name}.py"))
        if name == method:
            config.optim_wrapper.optimizer.lr = None
        parts = ("model", "train_pipeline", "test_pipeline", "optim_wrapper")
        parts += ("param_scheduler", "train_cfg")
        content = {part: config[part] for part in parts}
        content["batch_size"] = config.train_dataloader.batch_size
        content |= _unusual(config, several_stages=len(stages(method)) > 1)
        digest.update(Config(content).dump().encode())
    return digest.hexdigest()[:16]


def accuracy(result: dict) -> float:
    right = [c["label"] == predicted(c) for c in result["clips"]]
    return 100 * sum(right) / len(right)


def loss(result: dict) -> float:
    """Mean cross-entropy of the averaged scores; as of 0 where one is not a number."""
    picked = torch.tensor([c["scores"][c["label"]] for c in result["clips"]])
    return -picked.nan_to_num(0.0).clamp_min(1e-6).log().mean().item()
