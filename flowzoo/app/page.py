"""The page, on Gradio (the extra ``app``)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import gradio as gr
import numpy as np
from matplotlib.figure import Figure

from flowzoo.inference import Inferencer, average
from flowzoo.io.video import VideoError

from .analysis import MAX_ITERATIONS, MAX_PARTS, Analysis, analyze, classifiers

_INTRODUCTION = """# FlowZoo
Choose or record a clip and see what a network makes of it: its classes, the flow that
it computes from its own features, and beside it TV-L1 flow and MotionNet's. Hue is
direction: red to the right, yellow down, light blue to the left, violet up."""
_ERRORS = (VideoError, OSError, LookupError, ValueError)


def make_page(models: dict[str, tuple[str, str | None]] | None = None) -> gr.Blocks:
    """The page; ``launch()`` starts it.

    Args:
        models: {name: (config, weights)} of models to choose from before the zoo's.
    """
    models = (models or {}) | {name: (name, None) for name in classifiers()}

    @lru_cache(maxsize=2)
    def load(name: str) -> Inferencer:
        return Inferencer(*models[name])

    def run(video: str | None, name: str, progress=gr.Progress()):  # noqa: B008
        if video is None:
            raise gr.Error("Choose or record a video first.", duration=None)
        progress(0, desc="Loading the model")
        try:
            inferencer = load(name)
            progress(0.3, desc="Looking at the video")
            analysis = analyze(inferencer, video)
        except _ERRORS as error:
            raise gr.Error(_message(error, video), duration=None) from error
        parts = [part.prediction for part in analysis.parts]
        table = [
            [f"{p.start:.2f} - {p.end:.2f} s", p.classes[0], f"{p.scores[0]:.1%}"]
            for p in parts
        ]
        progress(0.7, desc="Computing flow")
        channels = analysis.liveliest_channels(0)
        has_layer = analysis.layer is not None
        iterations = analysis.layer.n_iters if has_layer else 1
        return (
            analysis,
            average(parts),
            table,
            gr.Slider(maximum=max(2, len(parts)), value=1, interactive=len(parts) > 1),
            gr.CheckboxGroup(
                choices=[str(c) for c in range(analysis.channels)],
                value=[str(c) for c in channels],
                visible=has_layer,
            ),
            gr.Slider(value=iterations, visible=has_layer),
            analysis.parameters(),
            *show(analysis, 1, channels, iterations),
        )

    def show(analysis: Analysis | None, part: int, channels: list, iterations: int):
        if analysis is None:
            return None, None
        chosen = sorted(int(c) for c in channels)
        part = min(int(part), len(analysis.parts)) - 1
        sheet = analysis.sheet(part, chosen, int(iterations))
        if analysis.layer is None:
            return sheet, None
        return sheet, _plot(analysis.energies(part, chosen), int(iterations))

    def clear():
        return None, None, [], [], None, None

    with gr.Blocks(title="FlowZoo", analytics_enabled=False) as page:
        state = gr.State(None)
        gr.Markdown(_INTRODUCTION)
        with gr.Row():
            with gr.Column():
                video = gr.Video(label="Clip", sources=["upload", "webcam"], height=280)
                model = gr.Dropdown(
                    list(models), label="Model", value=next(iter(models))
                )
                button = gr.Button("Analyze", variant="primary")
            with gr.Column():
                label = gr.Label(
                    label="Classes, mean over the parts", num_top_classes=5
                )
                table = gr.Dataframe(
                    headers=["part", "class", "score"],
                    label=f"Parts of the video, at most {MAX_PARTS}",
                    interactive=False,
                )
        part = gr.Slider(1, 2, 1, step=1, label="Part to look at", interactive=False)
        channels = gr.CheckboxGroup(
            [], label="Channels of the representation flow (checked: the liveliest)"
        )
        iterations = gr.Slider(1, MAX_ITERATIONS, 10, step=1, label="Iterations")
        sheet = gr.Image(label="Flow", interactive=False, elem_id="sheet")
        with gr.Row():
            energy = gr.Plot(label="Energy of the chosen channels", show_label=False)
            parameters = gr.Dataframe(
                headers=["parameter", "before training", "learned"],
                label="Parameters of the layer",
                interactive=False,
            )
        outputs = [state, label, table, part, channels, iterations, parameters]
        shared = dict(
            concurrency_limit=1, concurrency_id="model", api_visibility="private"
        )
        button.click(run, [video, model], [*outputs, sheet, energy], **shared)
        gr.on(  # nothing of one clip or model is seen beside another
            [video.change, model.change],
            clear,
            None,
            [state, label, table, parameters, sheet, energy],
            **shared,
        )
        views = [state, part, channels, iterations]
        for change in (part.input, channels.input, iterations.input):
            change(show, views, [sheet, energy], trigger_mode="always_last", **shared)
    return page


def _message(error: Exception, video: str) -> str:
    text = str(error.args[0] if isinstance(error, KeyError) else error)
    return text.replace(str(video), Path(video).name)


def _plot(energies: list[float], iterations: int) -> Figure:
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(np.arange(len(energies)), energies)
    axes.plot(iterations, energies[iterations], "o")
    axes.set(
        title="Energy of the chosen channels",
        xlabel="iterations",
        ylabel="energy (no flow: 1)",
    )
    axes.grid(alpha=0.3)
    return figure
