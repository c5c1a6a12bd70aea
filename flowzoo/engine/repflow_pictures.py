"""Pictures of representation flow, drawn while a model is validated or tested."""

from collections.abc import Sequence
from pathlib import Path

from mmaction.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from flowzoo.visualization import FlowRecorder, first_clip, write_flow_pictures


@HOOKS.register_module()
class RepFlowPicturesHook(Hook):
    """Write the representation flow of some samples as PNG pictures and films.

    For any model with :class:`flowzoo_kernels.RepresentationFlow` layers; of several
    views or clips of a sample the first is drawn. Files go to
    ``OUT_DIR/val_epoch_E/SAMPLE/LAYER/`` after E epochs of training, or to
    ``OUT_DIR/test/SAMPLE/LAYER/``; see
    :func:`flowzoo.visualization.write_flow_pictures` for what is in them.

    Args:
        interval: every how many samples one is drawn, from the first.
        max_samples: samples drawn in each validation or test.
        out_dir: None takes ``flow_pictures`` in the run's folder of logs.
        channels, max_flow, rate: see
            :func:`flowzoo.visualization.write_flow_pictures`.

    In distributed runs, the main process draws its own samples.

    Raises:
        ValueError: The model has no representation-flow layer.
    """

    def __init__(
        self,
        interval: int = 50,
        max_samples: int = 8,
        out_dir: str | None = None,
        channels: Sequence[int] | None = None,
        max_flow: float | None = None,
        rate: int = 8,
    ) -> None:
        if interval < 1:
            raise ValueError(f"interval={interval}, but at least 1 is needed")
        self.interval = interval
        self.max_samples = max_samples
        self.out_dir = out_dir
        self.options = dict(channels=channels, max_flow=max_flow, rate=rate)
        self._recorder: FlowRecorder | None = None

    def before_val(self, runner: Runner) -> None:
        self._begin(runner)

    def before_test(self, runner: Runner) -> None:
        self._begin(runner)

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        self._record(data_batch)

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        self._record(data_batch)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        self._draw(runner, f"val_epoch_{runner.epoch}", data_batch)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        self._draw(runner, "test", data_batch)

    def _begin(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self._recorder = FlowRecorder(model)
        self._seen = self._drawn = 0

    def _record(self, data_batch: dict) -> None:
        """Choose samples of the batch; record the flow if there are any."""
        first, self._seen = self._seen, self._seen + len(data_batch["inputs"])
        left = self.max_samples - self._drawn if is_main_process() else 0
        numbers = range(-(-first // self.interval) * self.interval, self._seen)
        self._chosen = [(n, n - first) for n in numbers[:: self.interval][:left]]
        if self._chosen:
            self._recorder.__enter__()

    def _draw(self, runner: Runner, stage: str, data_batch: dict) -> None:
        if not self._chosen:
            return
        self._recorder.__exit__()
        out_dir = Path(self.out_dir or Path(runner.log_dir) / "flow_pictures")
        inputs = data_batch["inputs"]
        for layer, flow in self._recorder.flows.items():
            num_clips = len(flow) // len(inputs)
            for number, place in self._chosen:
                write_flow_pictures(
                    out_dir / stage / f"{number:06d}" / layer,
                    first_clip(inputs[place], num_clips),
                    flow[place * num_clips],
                    **self.options,
                )
        self._drawn += len(self._chosen)
