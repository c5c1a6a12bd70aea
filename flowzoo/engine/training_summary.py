"""What to know when training has ended."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from flowzoo.inference import takes_videos

_WINDOW = 20  # iterations that the drawn loss is averaged over
_TIMES = ("val/time", "val/data_time")


@HOOKS.register_module()
class TrainingSummaryHook(Hook):
    """Say how good the network is, where it lies, and how to test and to demo it.

    ``curves.png`` in the work directory shows the training loss and the metric that the
    best checkpoint is chosen by, or the first one.
    """

    priority = "LOWEST"  # after the last checkpoint is written

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Print the summary, and draw the curves."""
        folder = Path(runner.work_dir)
        history = {
            name: np.asarray(buffer.data[0], float)
            for name, buffer in runner.message_hub.log_scalars.items()
        }
        metrics = {
            name.removeprefix("val/"): values
            for name, values in history.items()
            if name.startswith("val/") and name not in _TIMES and len(values)
        }
        lines = [
            (name, f"{_in_words(name, v[-1])}, last of {len(v)} validations")
            for name, v in list(metrics.items())[:4]
        ]
        info = runner.message_hub.runtime_info
        best = info.get("best_ckpt")
        if best and info.get("best_score") is not None:
            lines.append(("best checkpoint", f"{info['best_score']:.4g}: {best}"))
        if (last := folder / "last_checkpoint").is_file():
            lines.append(("last checkpoint", last.read_text().strip()))
            best = best or lines[-1][1]
        metric = next((m for m in metrics if _slug(m) in Path(best or "").name), None)
        metric = metric or next(iter(metrics), None)
        curves = folder / "curves.png"
        _draw(history.get("train/loss"), metric, metrics.get(metric), curves)
        lines.append(("curves", str(curves)))
        if best and (config := runner.cfg.filename):
            written = folder / Path(config).name  # by mmengine, with --cfg-options
            config = written if written.is_file() else config
            lines.append(("test", _command("test.py", str(config), str(best))))
            if runner.cfg.model.type != "MotionEstimator" and takes_videos(runner.cfg):
                options = ["--model", str(config), "--weights", str(best)]
                lines.append(("demo", _command("demo.py", "VIDEO", *options)))
        width = max(len(name) for name, _ in lines)
        text = "\n".join(f"  {name:<{width}}  {value}" for name, value in lines)
        print_log(f"Training has ended.\n{text}", "current")


def _command(tool: str, *arguments: str) -> str:
    """For the folder that one is in: the tool beside the one that trained."""
    # mmaction2's tool, which FlowZoo's runs, has taken the latter's place in sys.argv
    script = next((a for a in sys.orig_argv[1:] if a.endswith(".py")), "")
    folder = Path(script).parent
    if not (folder / "mmaction_tool.py").is_file():  # trained by a script of one's own
        folder = Path("tools")
    path = folder / tool
    return shlex.join(["python", str(path), *arguments])


def _slug(metric: str) -> str:
    return metric.replace("/", "_")


def _in_words(metric: str, value: float) -> str:
    return f"{value:.2%}" if metric.startswith("acc/") else f"{value:.4g}"


def _draw(
    loss: np.ndarray | None, metric: str | None, values: np.ndarray | None, path: Path
) -> None:
    from matplotlib.figure import Figure  # a second, which only this needs

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    if loss is not None and len(loss):
        window = min(_WINDOW, len(loss))
        left.plot(
            np.arange(window, len(loss) + 1),
            np.convolve(loss, np.full(window, 1 / window), "valid"),
        )
    left.set(xlabel="iteration", ylabel=f"training loss, mean of {_WINDOW} iterations")
    if values is not None:
        right.plot(np.arange(1, len(values) + 1), values, "o-")
    right.set(xlabel="validation", ylabel=metric or "no validation")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100)
