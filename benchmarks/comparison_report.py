"""Tables and images of comparison.py's results."""

import os
import platform
import statistics
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch


def predicted(clip: dict) -> int:
    return int(np.argmax(clip["scores"]))


def fold_accuracies(method: dict) -> dict[int, float]:
    return {
        number: 100 * statistics.mean(c["label"] == predicted(c) for c in fold["clips"])
        for number, fold in method["folds"].items()
    }


def mean_and_spread(values: list[float], sign: str = "") -> str:
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):{sign}.1f}{spread}"


def machine() -> str:
    cores = f"{os.cpu_count()} CPU cores ({platform.machine()})"
    return f"{cores}, torch {torch.__version__}"


def row(
    method: dict, control: dict, num_folds: int, folds_of_search: list[int]
) -> dict:
    """One method's line of the table.

    Args:
        control: the method whose accuracy is subtracted, on the folds of both.
        folds_of_search: whose clips had a part in the choice of the learning rate.
    """
    folds = list(method["folds"].values())
    accuracies, others = fold_accuracies(method), fold_accuracies(control)
    distances = [
        accuracies[fold] - others[fold] for fold in accuracies if fold in others
    ]
    unseen = [a for fold, a in accuracies.items() if fold not in folds_of_search]
    trained = folds[0]["rate"] is not None  # not fused from others
    return {
        "method": method["title"],
        "folds": f"{len(folds)} of {num_folds}",
        "accuracy ± sd of the folds": mean_and_spread(list(accuracies.values())),
        "without the folds of the search": (
            f"{statistics.mean(unseen):.1f}" if unseen else ""
        ),
        f"minus {control['title']}, same folds": (
            mean_and_spread(distances, "+")
            if distances and method is not control
            else ""
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
        "training, CPU s": (
            f"{statistics.median(f['training_seconds'] for f in folds):.0f}"
        ),
        "test, CPU ms a clip": (
            f"{statistics.median(f['test_milliseconds_a_clip'] for f in folds):.0f}"
        ),
    }


def write_report(
    folder: Path,
    name: str,
    classes: tuple[str, ...],
    rates: tuple[float, ...],
    num_folds: int,
    folds_of_search: list[int],
    length_baseline: float,
    methods: dict,
) -> None:
    """Write comparison_NAME.{md,png} to a folder.

    Args:
        folds_of_search: whose clips had a part in the choice of the learning rate.
        length_baseline: per cent of the clips that their number of frames gives away.
        methods: {config: dict(title, parameters, multiply_adds, folds)}, where folds
            are {number: run}; the first method is the control.
    """
    control = next(iter(methods.values()))
    rows = [
        row(method, control, num_folds, folds_of_search) for method in methods.values()
    ]
    lines = [
        f"| {' | '.join(cells)} |"
        for cells in (rows[0], ["---"] * len(rows[0]), *(r.values() for r in rows))
    ]
    machines = {
        fold["machine"] for m in methods.values() for fold in m["folds"].values()
    }
    partial = [m["title"] for m in methods.values() if len(m["folds"]) < num_folds]
    text = (
        f"{num_folds} folds, each of which leaves one group out. Chance is "
        f"{100 / len(classes):.0f} %, and the number of frames alone gives "
        f"{length_baseline:.1f} % (5 nearest neighbors). Each method has the same "
        f"input and the learning rate of {rates} that was best on two groups of the "
        f"first fold's training clips, which are the test clips of folds "
        f"{' and '.join(map(str, folds_of_search))}. Trained on "
        f"{'; '.join(sorted(machines))}. Written by "
        f"`python benchmarks/comparison.py {name} ROOT`.\n\n"
    )
    if partial:
        text += (
            "**Not finished**: the second column says how many folds are done. "
            "Accuracies over different folds cannot be compared.\n\n"
        )
    path = folder / f"comparison_{name}"
    path.with_suffix(".md").write_text(text + "\n".join(lines) + "\n")
    _draw(classes, methods, path.with_suffix(".png"))
    print(text + "\n".join(lines))


def _draw(classes: tuple[str, ...], methods: dict, path: Path) -> None:
    """Accuracy against time per clip, and a confusion matrix of each method."""
    columns = 1 + len(methods)
    figure, axes = plt.subplots(1, columns, figsize=(4.5 * columns, 4.5))
    for method in methods.values():
        folds = list(method["folds"].values())
        accuracies = list(fold_accuracies(method).values())
        axes[0].errorbar(
            statistics.median(f["test_milliseconds_a_clip"] for f in folds),
            statistics.mean(accuracies),
            statistics.stdev(accuracies) if len(accuracies) > 1 else None,
            marker="o",
            capsize=3,
            label=f"{method['title']}, {len(folds)} folds",
        )
    axes[0].set(xlabel="CPU milliseconds a clip", ylabel="accuracy, %", ylim=(0, 105))
    axes[0].legend(fontsize=8, loc="lower right")
    for axis, method in zip(axes[1:], methods.values(), strict=True):
        counts = np.zeros((len(classes), len(classes)), int)
        for fold in method["folds"].values():
            for clip in fold["clips"]:
                counts[clip["label"], predicted(clip)] += 1
        axis.imshow(counts, cmap="Blues")
        for (i, j), count in np.ndenumerate(counts):
            if count:
                color = "white" if count > counts.max() / 2 else "black"
                axis.text(j, i, count, ha="center", va="center", color=color)
        axis.set_xticks(range(len(classes)), classes, rotation=90)
        axis.set_yticks(range(len(classes)), classes)
        axis.set(
            title=f"{method['title']}, {len(method['folds'])} folds", xlabel="predicted"
        )
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)
