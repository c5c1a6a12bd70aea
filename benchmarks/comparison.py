"""Methods side by side on a small real benchmark: same input, same budget, all folds.

usage: python benchmarks/comparison.py BENCHMARK ROOT [--methods NAME ...]
           [--folds N ...] [--seed N] [--rates R ...] [--results DIR]
           [--work-dir DIR] [--threads N]

BENCHMARK is weizmann or ut_interaction, and ROOT the folder with the official clips (of
set 1 of UT-Interaction). For each method (a config, by its name):

1. The learning rate is searched on the first fold's training clips alone: the method is
   trained without some of their groups (actors, sequences), at each rate of the
   benchmark's list, and the rate with the highest accuracy on these groups is taken,
   the lower loss deciding between equals.
2. For each fold the method is trained on the other groups with this rate and classifies
   the clips of the fold once, after the last epoch: no clip of it is seen before.

Each run is written to comparison_BENCHMARK/ in the folder of results (default:
benchmarks/results) when it ends, and a checkpoint every five epochs to the work
directory, so that the same command continues a comparison that was killed; runs that
are there, such as the repository's, are not trained again. At the end the table and the
image, comparison_BENCHMARK.{md,png}, are written from all runs that are there; a method
of which folds are missing says so. --methods without a name trains nothing. --seed N
trains the folds once more, at the rate that was found with seed 0; the table has a
column for what other seeds give. --rates are what the search chooses from, instead of
the benchmark's list; such runs need --results, a folder of their own. Processes that
run at the same time need a work directory each: a second one is refused.
"""

import argparse
import contextlib
import math
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import torch
from comparison_benchmarks import BENCHMARKS, Benchmark
from comparison_monet import FRAMES, run_monet
from comparison_report import write_report
from comparison_runs import accuracy, kept, loss, read_run, run
from mmengine.config import Config
from timing import check_writable

from flowzoo.config_lookup import find_config
from flowzoo.datasets.preparation.records import PreparationError
from flowzoo.io.locks import lock
from flowzoo.zoo.complexity import complexity
from flowzoo.zoo.protocol import counted_input

RESULTS = Path(__file__).resolve().parent / "results"


def _mean(scores: list[list[float]]) -> list[float]:
    return [sum(values) / len(values) for values in zip(*scores, strict=True)]


def search_rate(
    benchmark: Benchmark, method: str, data: Path, runs: Path, work_dir: Path
) -> float:
    """The learning rate of a method, without a look at the test clips of any fold."""
    parts = {"search_train": {}, "search_val": {}}
    for path, label in benchmark.clips(data, "train", 1).items():
        held_out = benchmark.group(path) in benchmark.search_groups
        parts["search_val" if held_out else "search_train"][path] = label
    files = [work_dir / f"{name}.txt" for name in parts]
    for file, part in zip(files, parts.values(), strict=True):
        lines = (f"{path} {label}\n" for path, label in part.items())
        file.write_text("".join(lines), encoding="utf-8")
    results = []
    for rate in benchmark.rates:
        name = f"{method}-search-{rate}"
        make = partial(run, method, rate, *files, runs, work_dir / name)
        path = runs / f"{name}.json"
        results.append(kept(path, method, parts["search_val"], make, rate=rate))
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
        if len({len(clip["scores"]) for run in runs for clip in run["clips"]}) > 1:
            sys.exit(
                f"the runs of fold {fold} have scores of several numbers of classes"
            )
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
        seeds=[],
    )


def folds_of_search(benchmark: Benchmark, data: Path) -> list[int]:
    """Folds that test on a group that the learning rates were chosen on."""
    return [
        fold
        for fold in range(1, benchmark.folds + 1)
        if benchmark.groups(data, "val", fold) & set(benchmark.search_groups)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmark", choices=BENCHMARKS)
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--methods", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--folds", type=int, nargs="+", help="default: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rates", type=float, nargs="+", metavar="R")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--work-dir", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    benchmark = BENCHMARKS[args.benchmark]
    known = [*benchmark.methods, *benchmark.hallucinations]
    methods = args.methods
    if methods is None:
        methods = benchmark.methods if args.seed else known
    if unknown := set(methods) - set(known):
        parser.error(f"unknown {sorted(unknown)}; there are {known}")
    folds = args.folds or range(1, benchmark.folds + 1)
    if args.threads < 1:
        parser.error(f"--threads {args.threads}: at least one is needed")
    if not set(folds) <= set(range(1, benchmark.folds + 1)):
        parser.error(f"there are folds 1 to {benchmark.folds}, got {args.folds}")
    if not 0 <= args.seed < 2**32:
        parser.error(f"--seed {args.seed}: 0 to {2**32 - 1} are possible")
    if args.seed and set(methods) & set(benchmark.hallucinations):
        parser.error(f"{', '.join(benchmark.hallucinations)} has the seed 0 alone")
    if args.rates:
        if args.results.resolve() == RESULTS:
            parser.error("--rates needs --results: runs at other rates do not mix")
        if not all(0 < rate < math.inf for rate in args.rates):
            parser.error(f"--rates {args.rates}: only numbers above 0 are possible")
        benchmark = replace(benchmark, rates=tuple(dict.fromkeys(args.rates)))
    name = f"comparison_{args.benchmark}"
    runs = args.results / name
    work_dir = (args.work_dir or Path("work_dirs") / name).absolute()
    torch.set_num_threads(args.threads)

    os.environ["FLOWZOO_DATA"] = str(work_dir)  # where the configs look
    os.environ.pop("SPLIT", None)  # folds are of --folds
    data = work_dir / args.benchmark
    with contextlib.ExitStack() as stack:
        try:
            check_writable(runs)
            check_writable(work_dir)
            stack.enter_context(lock(work_dir / "lock", wait=False))
            benchmark.prepare(args.root, data)
        except BlockingIOError:
            parser.error(f"another process uses {work_dir}: give another --work-dir")
        except PreparationError as error:
            parser.error(f"ROOT {args.root}: {error}")
        except OSError as error:
            parser.error(str(error))
        check_rates(benchmark, runs)
        for method in methods:
            train(benchmark, method, folds, args.seed, data, runs, work_dir)
        report(benchmark, args.root, data, args.results)


def train(
    benchmark: Benchmark,
    method: str,
    folds: Iterable[int],
    seed: int,
    data: Path,
    runs: Path,
    work_dir: Path,
) -> None:
    """A method's runs on some folds, where they are not there."""
    for fold in folds:
        files = [benchmark.clip_list(data, part, fold) for part in ("train", "val")]
        out = work_dir / run_name(method, fold, seed)

        def make(fold=fold, files=files, out=out) -> dict:
            if method in benchmark.hallucinations:
                _, parts = benchmark.hallucinations[method]
                streams = {part: work_dir / f"{part}-{fold}" for part in parts}
                for part, folder in streams.items():
                    # at once, if it was trained here; else it is trained here
                    rate = search_rate(benchmark, part, data, runs, work_dir)
                    run(part, rate, *files, runs, folder)
                return run_monet(method, streams, fold, out)
            rate = search_rate(benchmark, method, data, runs, work_dir)
            folds_in(runs, benchmark, data, method, seed, rate)
            return run(method, rate, *files, runs, out, seed)

        clips = benchmark.clips(data, "val", fold)
        kept(runs / f"{out.name}.json", method, clips, make, seed)


def report(benchmark: Benchmark, root: Path, data: Path, results: Path) -> None:
    """Write the table and the image of all runs that are there."""
    runs = results / f"comparison_{benchmark.name}"
    done = finished(benchmark, data, runs)
    rates = {m: next(iter(v["folds"].values()))["rate"] for m, v in done.items()}
    for method in set(rates) & set(benchmark.methods):
        if rates[method] not in benchmark.rates:
            sys.exit(
                f"{runs} has runs of {method} at the rate {rates[method]}, which is "
                f"none of {benchmark.rates}: give the --rates of these runs"
            )
    for seed in other_seeds(runs):
        for method, values in finished(benchmark, data, runs, seed, rates).items():
            if method in done:
                done[method]["seeds"].append(values["folds"])
    first = next(iter(benchmark.methods))
    if not done:
        sys.exit(f"{runs} has no runs of the seed 0, of which the table is")
    write_report(
        results,
        benchmark,
        folds_of_search(benchmark, data),
        benchmark.without_images(root, data),
        {name: benchmark.controls.get(name, first) for name in done},
        done,
    )


def check_rates(benchmark: Benchmark, runs: Path) -> None:
    """Refuse a folder with runs whose rates were searched among others.

    The table says that all methods had the same search. One that lacks rates, of a
    method without runs on folds, was killed and continues.
    """
    rates = set(benchmark.rates)
    for method in benchmark.methods:
        stem = f"{method}-search-"
        files = runs.glob(f"{stem}*.json")
        searched = {float(path.stem.removeprefix(stem)) for path in files}
        trained = any(runs.glob(f"{method}-[0-9]*.json"))
        if searched - rates or (trained and searched and searched != rates):
            sys.exit(
                f"{runs} has runs of {method} whose rate was searched among "
                f"{sorted(searched)}, not {sorted(rates)}: give the --rates of these "
                "runs, or --results another folder"
            )


def run_name(method: str, fold: int, seed: int) -> str:
    return f"{method}-{fold}" + (f"-seed{seed}" if seed else "")


def other_seeds(folder: Path) -> list[int]:
    """Seeds other than 0 of the runs in a folder."""
    names = (re.search(r"-seed(\d+)$", path.stem) for path in folder.glob("*.json"))
    return sorted({int(found[1]) for found in names if found})


def finished(
    benchmark: Benchmark,
    data: Path,
    folder: Path,
    seed: int = 0,
    rates: Mapping[str, float | None] = MappingProxyType({}),
) -> dict[str, dict]:
    """The runs that are in a folder, of single methods and of those made of several.

    Args:
        rates: that those of single methods must have, by their names.
    """
    done = {}
    for method, title in benchmark.methods.items():
        rate = rates.get(method)
        if runs := folds_in(folder, benchmark, data, method, seed, rate):
            config = Config.fromfile(find_config(f"{method}.py"))
            parameters, multiply_adds = complexity(config, counted_input(config))
            done[method] = dict(
                title=title,
                parameters=parameters,
                multiply_adds=multiply_adds,
                folds=runs,
                seeds=[],
            )
    for name, (title, parts) in benchmark.fusions.items():
        if set(parts) <= set(done):
            fused = fuse(title, [done[part] for part in parts])
            if fused["folds"]:
                done[name] = fused
    for name, (title, parts) in benchmark.hallucinations.items():
        if runs := folds_in(folder, benchmark, data, name, seed):
            for fold, result in runs.items():
                streams = [
                    done.get(part, {}).get("folds", {}).get(fold) for part in parts
                ]
                if None in streams:
                    result["training_seconds"] = None  # not all of it is known
                else:
                    result["training_seconds"] += sum(
                        stream["training_seconds"] for stream in streams
                    )
            config = Config.fromfile(find_config(f"{name}.py"))
            stream = Config.fromfile(find_config(f"{parts[0]}.py"))
            shape = list(counted_input(stream))
            shape[2] = FRAMES
            parameters, multiply_adds = complexity(stream, shape)
            own, _ = complexity(config, counted_input(config))
            done[name] = dict(
                title=title,
                parameters=parameters + own,
                multiply_adds=multiply_adds,
                folds=runs,
                seeds=[],
            )
    return done


def folds_in(
    folder: Path,
    benchmark: Benchmark,
    data: Path,
    method: str,
    seed: int = 0,
    rate: float | None = None,
) -> dict[int, dict]:
    """A method's runs that are in a folder, all at one rate: at this, where given."""
    runs = {}
    for fold in range(1, benchmark.folds + 1):
        path = folder / f"{run_name(method, fold, seed)}.json"
        if path.exists():
            clips = benchmark.clips(data, "val", fold)
            runs[fold] = read_run(path, method, clips, seed, rate)
            rate = runs[fold]["rate"]
    return runs


if __name__ == "__main__":
    main()
