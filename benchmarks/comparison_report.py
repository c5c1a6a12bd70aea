"""Tables and images of comparison.py's results."""

import json
import os
import platform
import statistics
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch

RESULTS = Path(__file__).parent / "results"


def predicted(clip: dict) -> int:
    return int(np.argmax(clip["scores"]))


def fold_accuracies(method: dict) -> list[float]:
    return [
        100 * statistics.mean(c["label"] == predicted(c) for c in fold["clips"])
        for fold in method["folds"]
    ]


def row(method: dict) -> dict:
    """One method's line of the table."""
    folds = method["folds"]
    accuracies = fold_accuracies(method)
    trained = folds[0]["rate"] is not None  # not fused from others
    times = [f["training_seconds"] for f in folds if f["training_seconds"] is not None]
    return {
        "method": method["title"],
        "accuracy ± sd of the folds": (
            f"{statistics.mean(accuracies):.1f} ± {statistics.stdev(accuracies):.1f}"
        ),
        "training clips": (
            f"{100 * statistics.mean(f['training_accuracy'] for f in folds):.1f}"
            if trained
            else ""
        ),
        "rate": f"{folds[0]['rate']:g}" if trained else "",
        "parameters": f"{method['parameters'] / 1e6:.2f} M",
        "GFLOPs a view": f"{method['multiply_adds'] / 1e9:.2f}",
        "training, CPU s": f"{statistics.median(times):.0f}" if times else "",
        "test, CPU ms a clip": (
            f"{statistics.median(f['test_milliseconds_a_clip'] for f in folds):.0f}"
        ),
    }


def write_report(
    name: str, classes: tuple[str, ...], rates: tuple[float, ...], methods: dict
) -> None:
    """Write results/comparison_NAME.{json,md,png}.

    Args:
        methods: {config: dict(title, parameters, multiply_adds, folds)}.
    """
    machine = (
        f"{os.cpu_count()} CPU cores ({platform.machine()}), torch {torch.__version__}"
    )
    rows = [row(method) for method in methods.values()]
    lines = [
        f"| {' | '.join(cells)} |"
        for cells in (rows[0], ["---"] * len(rows[0]), *(r.values() for r in rows))
    ]
    some = next(iter(methods.values()))["folds"]
    clips = sum(len(fold["clips"]) for fold in some)
    text = (
        f"{len(some)} folds, {clips} clips; one clip is {100 / clips:.1f} points, "
        f"chance {100 / len(classes):.0f} %. Each method: {some[0]['epochs']} epochs "
        f"({some[0]['iterations']} iterations), the same input, and the learning rate "
        f"of {rates} that was best on two groups of the first fold's training clips. "
        f"{machine}. Written by `python benchmarks/comparison.py {name} ROOT`.\n\n"
    )
    path = RESULTS / f"comparison_{name}"
    path.with_suffix(".md").write_text(text + "\n".join(lines) + "\n")
    content = dict(machine=machine, classes=classes, methods=methods)
    path.with_suffix(".json").write_text(json.dumps(content) + "\n")
    _draw(classes, methods, path.with_suffix(".png"))
    print(text + "\n".join(lines))


def _draw(classes: tuple[str, ...], methods: dict, path: Path) -> None:
    """Accuracy against time per clip, and a confusion matrix of each method."""
    columns = 1 + len(methods)
    figure, axes = plt.subplots(1, columns, figsize=(4.5 * columns, 4.5))
    for method in methods.values():
        times = [f["test_milliseconds_a_clip"] for f in method["folds"]]
        axes[0].errorbar(
            statistics.median(times),
            statistics.mean(fold_accuracies(method)),
            statistics.stdev(fold_accuracies(method)),
            marker="o",
            capsize=3,
            label=method["title"],
        )
    axes[0].set(xlabel="CPU milliseconds a clip", ylabel="accuracy, %", ylim=(0, 105))
    axes[0].legend(fontsize=8, loc="lower right")
    for axis, method in zip(axes[1:], methods.values(), strict=True):
        counts = np.zeros((len(classes), len(classes)), int)
        for fold in method["folds"]:
            for clip in fold["clips"]:
                counts[clip["label"], predicted(clip)] += 1
        axis.imshow(counts, cmap="Blues")
        for (i, j), count in np.ndenumerate(counts):
            if count:
                color = "white" if count > counts.max() / 2 else "black"
                axis.text(j, i, count, ha="center", va="center", color=color)
        axis.set_xticks(range(len(classes)), classes, rotation=90)
        axis.set_yticks(range(len(classes)), classes)
        axis.set(title=method["title"], xlabel="predicted")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)
