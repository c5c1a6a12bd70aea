"""Recognizers as files that run without FlowZoo: ONNX, TorchScript, torch.export."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from mmaction.models import ActionDataPreprocessor, Recognizer3D
from torch import Tensor, nn

FORMATS = {"onnx": ".onnx", "torchscript": ".pt", "pt2": ".pt2"}


class ClipClassifier(nn.Module):
    """A recognizer from the pixels of one view to the scores of its classes.

    Args:
        model: a ``Recognizer3D`` that takes clips of RGB frames.

    Raises:
        TypeError: a model of another kind.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        preprocessor = getattr(model, "data_preprocessor", None)
        if not (
            isinstance(model, Recognizer3D)
            and type(preprocessor) is ActionDataPreprocessor
            and hasattr(model, "cls_head")
        ):
            raise TypeError(
                f"a {type(model).__name__} with {type(preprocessor).__name__} cannot "
                "be written as one file from clips to scores; a Recognizer3D with "
                "ActionDataPreprocessor can. See docs/deployment.md for other networks"
            )
        self.backbone = model.backbone
        self.neck = model.neck if model.with_neck else None
        self.cls_head = model.cls_head
        normalized = preprocessor._enable_normalize
        mean = preprocessor.mean if normalized else torch.zeros(1)
        std = preprocessor.std if normalized else torch.ones(1)
        self.register_buffer("mean", mean.reshape(1, -1, 1, 1, 1))
        self.register_buffer("std", std.reshape(1, -1, 1, 1, 1))
        self.eval()

    def forward(self, clips: Tensor) -> Tensor:
        """(N, 3, T, H, W), float32, 0 to 255, RGB, to scores (N, classes)."""
        x = self.backbone((clips - self.mean) / self.std)
        if self.neck is not None:
            x, _ = self.neck(x)
        return self.cls_head(x)


def export(
    net: ClipClassifier,
    example: Tensor,
    kind: str,
    path: Path,
    classes: Sequence[str] | None = None,
) -> None:
    """Write a network for batches of any size.

    Args:
        example: clips as the network takes them, two or more.
        kind: one of :data:`FORMATS`.
        classes: their names, kept in the file as a list in JSON: ``classes`` of an ONNX
            file's metadata, or the extra file ``classes`` of the others.
    """
    extra = {} if classes is None else {"classes": json.dumps(list(classes))}
    if kind == "onnx":
        # The default exporter takes minutes for the iterations of the flow.
        torch.onnx.export(
            net,
            (example,),
            str(path),
            dynamo=False,
            input_names=["clips"],
            output_names=["scores"],
            dynamic_axes={"clips": {0: "N"}, "scores": {0: "N"}},
        )
        import onnx

        model = onnx.load(path)
        onnx.helper.set_model_props(model, extra)
        onnx.save(model, path)
    elif kind == "torchscript":
        with torch.no_grad():
            trace = torch.jit.trace(net, (example,), check_trace=False)
            trace.save(str(path), _extra_files=extra)
    else:
        batch = {0: torch.export.Dim("N")}
        program = torch.export.export(net, (example,), dynamic_shapes=(batch,))
        torch.export.save(program, str(path), extra_files=extra)


def load_exported(kind: str, path: Path) -> Callable[[Tensor], Tensor]:
    """A function from clips to scores that runs the file, on the CPU."""
    if kind == "onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()  # for a fair comparison
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        return lambda clips: torch.from_numpy(
            session.run(["scores"], {"clips": clips.numpy()})[0]
        )
    if kind == "torchscript":
        return torch.jit.load(str(path))
    return torch.export.load(str(path)).module()


@torch.no_grad()
def compare(
    net: ClipClassifier,
    exported: Callable[[Tensor], Tensor],
    inputs: dict[str, Tensor],
    rounds: int = 5,
) -> dict:
    """Largest difference of the scores for each input, and milliseconds a clip.

    Both are timed on the last input, in turns, one clip at a time.

    Returns:
        {"differences": {input: share of the largest score}, "torch ms", "exported ms"}
    """
    differences = {}
    for name, clips in inputs.items():
        expected = net(clips)
        error = (exported(clips) - expected).abs().max() / expected.abs().max()
        differences[name] = error.item()
    clip = next(reversed(inputs.values()))[:1]
    seconds = {net: [], exported: []}
    for _ in range(rounds):
        for run, times in seconds.items():
            start = time.perf_counter()
            run(clip)
            times.append(time.perf_counter() - start)
    medians = [1000 * statistics.median(times) for times in seconds.values()]
    return {
        "differences": differences,
        "torch ms": medians[0],
        "exported ms": medians[1],
    }
