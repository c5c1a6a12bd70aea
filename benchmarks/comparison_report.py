"""Tables and images of comparison.py's results."""

import math
import os
import platform
import statistics
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from comparison_benchmarks import BENCHMARKS, Benchmark


def predicted(clip: dict) -> int:
    """The class of the highest score; -1, no class, if training has diverged."""
    scores = np.array(clip["scores"])
    return int(scores.argmax()) if np.isfinite(scores).all() else -1


def fold_accuracies(folds: dict[int, dict]) -> dict[int, float]:
    return {
        number: 100 * statistics.mean(c["label"] == predicted(c) for c in fold["clips"])
        for number, fold in folds.items()
    }


def mean_and_spread(values: list[float], sign: str = "") -> str:
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{sign}.1f}{spread}"


def machine() -> str:
    cores = f"{os.cpu_count()} CPU cores ({platform.machine()})"
    return f"{cores}, torch {torch.__version__}"


def row(
    method: dict, control: dict | None, num_folds: int, folds_of_search: list[int]
) -> dict:
    """One method's line of the table.

    Args:
        control: the method whose accuracy is subtracted, on the folds of both; None
            if there is none, or no run of it.
        folds_of_search: whose clips had a part in the choice of the learning rate.
    """
    folds = list(method["folds"].values())
    accuracies = fold_accuracies(method["folds"])
    others = {} if control is None else fold_accuracies(control["folds"])
    distances = [
        accuracies[fold] - others[fold] for fold in accuracies if fold in others
    ]
    unseen = [a for fold, a in accuracies.items() if fold not in folds_of_search]
    trained = folds[0]["rate"] is not None  # not fused from others
    seconds = [
        f["training_seconds"] for f in folds if f["training_seconds"] is not None
    ]
    return {
        "method": method["title"],
        "folds": f"{len(folds)} of {num_folds}",
        "accuracy ± sd of the folds": mean_and_spread(list(accuracies.values())),
        "without the folds of the search": (
            f"{statistics.mean(unseen):.1f}" if unseen else ""
        ),
        "minus the network without the layer, same folds": (
            mean_and_spread(distances, "+") if distances else ""
        ),
        "other seeds": ", ".join(
            f"{statistics.mean(fold_accuracies(runs).values()):.1f}"
            + (f" ({len(runs)} of {num_folds})" if len(runs) < num_folds else "")
            for runs in method["seeds"]
        ),
        "training clips": (
            f"{100 * statistics.mean(f['training_accuracy'] for f in folds):.1f}"
            if trained
            else ""
        ),
        "iterations": f"{folds[0]['iterations']}" if trained else "",
        "rate": f"{folds[0]['rate']:g}" if trained else "",
        "parameters": f"{method['parameters'] / 1e6:.2f} M",
        "GFLOPs a view": f"{method['multiply_adds'] / 1e9:.2f}",
        "training, CPU s": f"{statistics.median(seconds):.0f}" if seconds else "",
        "test, CPU ms a clip": (
            f"{statistics.median(f['test_milliseconds_a_clip'] for f in folds):.0f}"
        ),
    }


def write_report(
    folder: Path,
    benchmark: Benchmark,
    folds_of_search: list[int],
    without_images: str,
    controls: dict[str, str],
    methods: dict,
) -> None:
    """Write comparison_BENCHMARK.{md,png} to a folder.

    Args:
        folds_of_search: whose clips had a part in the choice of the learning rate.
        without_images: what is known of a clip's class without its images.
        controls: {config: the method from which its accuracy is subtracted}.
        methods: {config: dict(title, parameters, multiply_adds, folds, seeds)}, where
            folds are {number: run}, and seeds the folds of other seeds than 0.
    """
    num_folds, classes = benchmark.folds, benchmark.classes
    rows = []
    for config, method in methods.items():
        control = controls[config] if controls[config] != config else None
        rows.append(row(method, methods.get(control), num_folds, folds_of_search))
    lines = [
        f"| {' | '.join(cells)} |"
        for cells in (rows[0], ["---"] * len(rows[0]), *(r.values() for r in rows))
    ]
    machines = {
        fold["machine"] for m in methods.values() for fold in m["folds"].values()
    }
    partial = [m["title"] for m in methods.values() if len(m["folds"]) < num_folds]
    rate = ", ".join(map(str, benchmark.rates))
    if len(benchmark.rates) > 1:
        rate = (
            f"of ({rate}) that was best on {len(benchmark.search_groups)} groups of "
            "the first fold's training clips, which are the test clips of folds "
            f"{', '.join(map(str, folds_of_search))}"
        )
    own = ""
    if benchmark.rates != BENCHMARKS.get(benchmark.name, benchmark).rates:
        own = f" --rates {' '.join(map(str, benchmark.rates))} --results DIR"
    text = (
        f"{num_folds} folds, each of which leaves one group out. Chance is "
        f"{100 / len(classes):.0f} %, and {without_images}. "
        f"{'Each method but MoNet' if benchmark.hallucinations else 'Each method'} has "
        f"the same input and the learning rate {rate}. GFLOPs are multiply-adds of "
        "layers; the iterations of TV-L1 and TVNet are not among them. Trained on "
        f"{'; '.join(sorted(machines))}. Written by "
        f"`python benchmarks/comparison.py {benchmark.name} ROOT{own}`.\n\n"
    )
    if partial:
        text += (
            "**Not finished**: the second column says how many folds are done. "
            "Accuracies over different folds cannot be compared.\n\n"
        )
    path = folder / f"comparison_{benchmark.name}"
    path.with_suffix(".md").write_text(text + "\n".join(lines) + "\n")
    _draw(classes, methods, path.with_suffix(".png"))
    print(text + "\n".join(lines))


def _draw(classes: tuple[str, ...], methods: dict, path: Path) -> None:
    """Accuracy against time per clip, and a confusion matrix of each method."""
    columns = 3
    lines = 1 + math.ceil(len(methods) / columns)
    figure = plt.figure(figsize=(5 * columns, 5 * lines), layout="constrained")
    colors = plt.colormaps["tab20"].colors
    grid = figure.add_gridspec(lines, columns)
    axis = figure.add_subplot(grid[0, :])
    for method, color in zip(methods.values(), colors, strict=False):
        folds = list(method["folds"].values())
        accuracies = list(fold_accuracies(method["folds"]).values())
        axis.errorbar(
            statistics.median(f["test_milliseconds_a_clip"] for f in folds),
            statistics.mean(accuracies),
            statistics.stdev(accuracies) if len(accuracies) > 1 else None,
            marker="o",
            capsize=3,
            color=color,
            label=f"{method['title']}, {_folds(method)}",
        )
    axis.set(xlabel="CPU milliseconds a clip", ylabel="accuracy, %", ylim=(0, 110))
    axis.legend(loc="lower right")
    for number, method in enumerate(methods.values()):
        axis = figure.add_subplot(grid[1 + number // columns, number % columns])
        counts = np.zeros((len(classes), len(classes)), int)
        for fold in method["folds"].values():
            for clip in fold["clips"]:
                if (guess := predicted(clip)) >= 0:
                    counts[clip["label"], guess] += 1
        axis.imshow(counts, cmap="Blues")
        for (i, j), count in np.ndenumerate(counts):
            if count:
                color = "white" if count > counts.max() / 2 else "black"
                axis.text(j, i, count, ha="center", va="center", color=color)
        axis.set_xticks(range(len(classes)), classes, rotation=90)
        axis.set_yticks(range(len(classes)), classes)
        axis.set(title=f"{method['title']}, {_folds(method)}", xlabel="predicted")
    figure.savefig(path, dpi=80)
    plt.close(figure)


def _folds(method: dict) -> str:
    number = len(method["folds"])
    return f"{number} fold{'s' * (number > 1)}"
