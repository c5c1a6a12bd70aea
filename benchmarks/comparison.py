"""Methods side by side on a small real benchmark: same input, same budget, all folds.

usage: python benchmarks/comparison.py weizmann ROOT [--methods NAME ...]
           [--folds N ...] [--results DIR] [--work-dir DIR] [--threads N]

ROOT is the folder with the official clips. For each method (a config, by its name):

1. The learning rate is searched on the first fold's training clips alone: the method is
   trained without two of their groups (actors), at each of RATES, and the rate with the
   highest accuracy on these two is taken, the lower loss deciding between equals.
2. For each fold the method is trained on the other groups with this rate and classifies
   the clips of the fold once, after the last epoch: no clip of it is seen before.

Each run is written to comparison_weizmann/ in the folder of results (default:
benchmarks/results) when it ends, and a checkpoint every five epochs to the work
directory, so that the same command continues a comparison that was killed; runs that
are there, such as the repository's, are not trained again. At the end the table and the
image, comparison_weizmann.{md,png}, are written from all runs that are there; a method
of which folds are missing says so. --methods without a name trains nothing. Processes
that run at the same time need a work directory each.
"""

import argparse
import hashlib
import json
import os
import pickle
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from comparison_benchmarks import BENCHMARKS, Benchmark
from comparison_monet import FRAMES, checksums, run_monet
from comparison_report import machine, write_report
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from flowzoo.config_lookup import find_config
from flowzoo.datasets.preparation.records import PreparationError
from flowzoo.io.text import read_text
from flowzoo.io.video import VideoReader
from flowzoo.zoo.complexity import complexity
from flowzoo.zoo.protocol import counted_input

RATES = (1e-3, 3e-3, 1e-2)
RESULTS = Path(__file__).parent / "results"
LAST = 20  # iterations over which the training's end is averaged


class TrainingTimeHook(Hook):
    """Sum up the CPU seconds of a training over its interruptions.

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


def run(
    method: str,
    rate: float,
    train_file: Path,
    test_file: Path,
    runs: Path,
    out: Path,
) -> dict:
    """Train a method on the clips of one list and classify those of another.

    Args:
        runs: folder that the result is for.
        out: of the checkpoints, from which a run that was killed continues.
    """
    settings, results = fingerprint(method), str(runs.resolve())
    begin(out, settings=settings, rate=rate, results=results)
    config = Config.fromfile(find_config(f"{method}.py"))
    config.work_dir = str(out)
    config.randomness = dict(seed=0)
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
    runner.register_hook(TrainingTimeHook())
    runner.train()
    scalars = runner.message_hub.log_scalars
    start = time.process_time()
    runner.test()
    test_seconds = time.process_time() - start
    predictions = pickle.loads(scores.read_bytes())
    clips = runner.test_dataloader.dataset
    return dict(
        method=method,
        rate=rate,
        epochs=runner.max_epochs,
        iterations=runner.max_iters,
        training_seconds=round(runner.message_hub.get_info(TrainingTimeHook.key), 1),
        test_milliseconds_a_clip=round(1000 * test_seconds / len(clips), 1),
        training_loss=round(scalars["train/loss"].mean(LAST), 4),
        training_accuracy=round(scalars["train/top1_acc"].mean(LAST), 4),
        clips=[
            dict(
                clip=Path(clips.get_data_info(i)["filename"]).stem,
                label=prediction["gt_label"].item(),
                scores=[round(s, 6) for s in prediction["pred_score"].tolist()],
            )
            for i, prediction in enumerate(predictions)
        ],
    )


def kept(path: Path, method: str, make: Callable[[], dict]) -> dict:
    """What a file holds, or what is made and written to it now."""
    if not path.exists():
        result = dict(settings=fingerprint(method), machine=machine(), **make())
        path.parent.mkdir(parents=True, exist_ok=True)
        partial_path = path.with_suffix(f".{os.getpid()}.partial")
        partial_path.write_text(json.dumps(result) + "\n")
        partial_path.rename(path)
        print(f"{path.stem}: {accuracy(result):.1f} %", flush=True)
    return read_run(path, method)


def read_run(path: Path, method: str) -> dict:
    """The result of a run.

    Raises:
        SystemExit: the file is damaged, or its run is another config's.
    """
    try:
        result = json.loads(path.read_text())
        accuracy(result)
        settings = result["settings"]
    except (ValueError, LookupError, TypeError, ZeroDivisionError):
        raise SystemExit(f"{path} is damaged: delete it, and run again") from None
    if settings != fingerprint(method):
        raise SystemExit(
            f"{path} is from a run before {method} was changed: move the runs of this "
            "method away, or give --results another folder"
        )
    return result


def begin(out: Path, **run: str | float) -> None:
    """Empty the folder of a run's checkpoints if they are of another run."""
    marker = out / "run.json"
    if out.exists() and (not marker.exists() or json.loads(marker.read_text()) != run):
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps(run))


def fingerprint(method: str) -> str:
    """Of what decides a method's result: a run of another one is not its own.

    The learning rate is not among it: each run says its own.
    """
    config = Config.fromfile(find_config(f"{method}.py"))
    config.optim_wrapper.optimizer.lr = None
    parts = ("model", "train_pipeline", "test_pipeline", "optim_wrapper")
    parts += ("param_scheduler", "train_cfg")
    content = {part: config[part] for part in parts}
    content["batch_size"] = config.train_dataloader.batch_size
    return hashlib.sha256(Config(content).dump().encode()).hexdigest()[:16]


def accuracy(result: dict) -> float:
    right = [c["label"] == _argmax(c["scores"]) for c in result["clips"]]
    return 100 * sum(right) / len(right)


def loss(result: dict) -> float:
    """Mean cross-entropy of the averaged scores."""
    picked = torch.tensor([c["scores"][c["label"]] for c in result["clips"]])
    return -picked.clamp_min(1e-6).log().mean().item()


def _argmax(scores: list[float]) -> int:
    return max(range(len(scores)), key=scores.__getitem__)


def _mean(scores: list[list[float]]) -> list[float]:
    return [sum(values) / len(values) for values in zip(*scores, strict=True)]


def search_rate(
    benchmark: Benchmark, method: str, data: Path, runs: Path, work_dir: Path
) -> float:
    """The learning rate of a method, without a look at the test clips of any fold."""
    lines = read_text(data / benchmark.lists.format(part="train", fold=1)).splitlines()
    parts = {"search_train": [], "search_val": []}
    for line in lines:
        held_out = benchmark.group(line.split()[0]) in benchmark.search_groups
        parts["search_val" if held_out else "search_train"].append(line)
    files = [work_dir / f"{name}.txt" for name in parts]
    for file, part in zip(files, parts.values(), strict=True):
        file.write_text("".join(f"{line}\n" for line in part))
    results = []
    for rate in RATES:
        name = f"{method}-search-{rate}"
        make = partial(run, method, rate, *files, runs, work_dir / name)
        results.append(kept(runs / f"{name}.json", method, make))
        shutil.rmtree(work_dir / name, ignore_errors=True)  # its checkpoint
    return min(results, key=lambda r: (-accuracy(r), loss(r)))["rate"]


def fuse(title: str, streams: list[dict]) -> dict:
    """The streams' scores, averaged clip by clip; what they cost together.

    Folds that a stream lacks are left out.
    """
    shared = sorted(set.intersection(*(set(stream["folds"]) for stream in streams)))
    folds = {}
    for fold in shared:
        runs = [stream["folds"][fold] for stream in streams]
        folds[fold] = dict(
            runs[0],
            rate=None,
            training_accuracy=None,
            training_seconds=sum(r["training_seconds"] for r in runs),
            test_milliseconds_a_clip=sum(r["test_milliseconds_a_clip"] for r in runs),
            clips=[
                dict(clips[0], scores=_mean([c["scores"] for c in clips]))
                for clips in zip(*(r["clips"] for r in runs), strict=True)
            ],
        )
    return dict(
        title=title,
        parameters=sum(stream["parameters"] for stream in streams),
        multiply_adds=sum(stream["multiply_adds"] for stream in streams),
        folds=folds,
    )


def length_baseline(benchmark: Benchmark, data: Path, neighbors: int = 5) -> float:
    """Accuracy, in per cent, of a vote of the training clips of nearest length.

    What is above it was not learned from how many frames a clip has.
    """
    right, clips, lengths = 0, 0, {}

    def read(part: str, fold: int) -> list[tuple[int, int]]:
        """Number of frames and label of each clip."""
        samples = []
        for line in read_text(
            data / benchmark.lists.format(part=part, fold=fold)
        ).splitlines():
            name, label = line.rsplit(maxsplit=1)
            if name not in lengths:
                with VideoReader(data / "videos" / name) as reader:
                    lengths[name] = reader.frame_count
            samples.append((lengths[name], int(label)))
        return samples

    for fold in range(1, benchmark.folds + 1):
        train = read("train", fold)
        for length, label in read("val", fold):
            nearest = sorted(train, key=lambda sample: abs(sample[0] - length))
            votes = [vote for _, vote in nearest[:neighbors]]
            right += max(sorted(set(votes)), key=votes.count) == label
            clips += 1
    return 100 * right / clips


def folds_of_search(benchmark: Benchmark, data: Path) -> list[int]:
    """Folds that test on a group that the learning rates were chosen on."""
    found = []
    for fold in range(1, benchmark.folds + 1):
        lines = read_text(data / benchmark.lists.format(part="val", fold=fold))
        groups = {benchmark.group(line.split()[0]) for line in lines.splitlines()}
        if groups & set(benchmark.search_groups):
            found.append(fold)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmark", choices=BENCHMARKS)
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--methods", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--folds", type=int, nargs="+", help="default: all")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--work-dir", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    benchmark = BENCHMARKS[args.benchmark]
    known = [*benchmark.methods, *benchmark.hallucinations]
    methods = known if args.methods is None else args.methods
    if unknown := set(methods) - set(known):
        parser.error(f"unknown {sorted(unknown)}; there are {known}")
    folds = args.folds or range(1, benchmark.folds + 1)
    if not set(folds) <= set(range(1, benchmark.folds + 1)):
        parser.error(f"there are folds 1 to {benchmark.folds}, got {args.folds}")
    name = f"comparison_{args.benchmark}"
    runs, work_dir = args.results / name, args.work_dir or Path("work_dirs") / name
    torch.set_num_threads(args.threads)

    os.environ["FLOWZOO_DATA"] = str(work_dir.absolute())  # where the configs look
    data = work_dir.absolute() / args.benchmark
    try:
        benchmark.prepare(args.root, data, force=True)
    except PreparationError as error:
        parser.error(f"ROOT {args.root}: {error}")
    for method in methods:
        for fold in folds:
            files = [
                data / benchmark.lists.format(part=part, fold=fold)
                for part in ("train", "val")
            ]
            out = work_dir / f"{method}-{fold}"

            def make(method=method, fold=fold, files=files, out=out) -> dict:
                if method in benchmark.hallucinations:
                    _, parts = benchmark.hallucinations[method]
                    streams = {part: work_dir / f"{part}-{fold}" for part in parts}
                    begin(
                        out,
                        settings=fingerprint(method),
                        results=str(runs.resolve()),
                        **checksums(streams),
                    )
                    return run_monet(method, streams, fold, out)
                rate = search_rate(benchmark, method, data, runs, work_dir)
                return run(method, rate, *files, runs, out)

            kept(runs / f"{out.name}.json", method, make)
    done = finished(benchmark, runs)
    if not done:
        sys.exit(f"there are no runs in {runs}")
    write_report(
        args.results,
        args.benchmark,
        benchmark.classes,
        RATES,
        benchmark.folds,
        folds_of_search(benchmark, data),
        length_baseline(benchmark, data),
        done,
    )


def finished(benchmark: Benchmark, folder: Path) -> dict[str, dict]:
    """The runs that are in a folder, of single methods and of those made of several."""
    done = {}
    for method, title in benchmark.methods.items():
        if runs := folds_in(folder, benchmark, method):
            config = Config.fromfile(find_config(f"{method}.py"))
            parameters, multiply_adds = complexity(config, counted_input(config))
            done[method] = dict(
                title=title,
                parameters=parameters,
                multiply_adds=multiply_adds,
                folds=runs,
            )
    for name, (title, parts) in benchmark.fusions.items():
        if set(parts) <= set(done):
            fused = fuse(title, [done[part] for part in parts])
            if fused["folds"]:
                done[name] = fused
    for name, (title, (appearance, _)) in benchmark.hallucinations.items():
        if runs := folds_in(folder, benchmark, name):
            config = Config.fromfile(find_config(f"{name}.py"))
            stream = Config.fromfile(find_config(f"{appearance}.py"))
            shape = list(counted_input(stream))
            shape[2] = FRAMES
            parameters, multiply_adds = complexity(stream, shape)
            own, _ = complexity(config, counted_input(config))
            done[name] = dict(
                title=title,
                parameters=parameters + own,
                multiply_adds=multiply_adds,
                folds=runs,
            )
    return done


def folds_in(folder: Path, benchmark: Benchmark, method: str) -> dict[int, dict]:
    paths = {
        fold: folder / f"{method}-{fold}.json" for fold in range(1, benchmark.folds + 1)
    }
    return {
        fold: read_run(path, method) for fold, path in paths.items() if path.exists()
    }


if __name__ == "__main__":
    main()
