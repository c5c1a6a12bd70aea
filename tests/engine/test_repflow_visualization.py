"""Images of representation flow in mmengine's loops."""

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner

from flowzoo.engine import RepFlowVisualizationHook
from flowzoo_kernels import RepresentationFlow


class Model(BaseModel):
    """Flow of the red channel of every view."""

    def __init__(self, layer=RepresentationFlow):
        super().__init__()
        self.flow = layer(1)

    def forward(self, inputs, mode):
        red = torch.stack(inputs).flatten(0, 1)[:, :1].float()
        return list(self.flow(red))


class Metric(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += [1] * len(data_samples)

    def compute_metrics(self, results):
        return dict(samples=len(results))


def make_runner(folder, hook, model=None):
    g = torch.Generator().manual_seed(0)
    shape = (5, 2, 3, 4, 8, 8)  # samples, views
    clips = torch.randint(256, shape, generator=g, dtype=torch.uint8)
    loader = dict(
        batch_size=2,
        sampler=dict(type="DefaultSampler", shuffle=False),
        dataset=[dict(inputs=clip) for clip in clips],
        collate_fn=dict(type="pseudo_collate"),
    )
    return Runner(
        model or Model(),
        work_dir=str(folder),
        val_dataloader=loader,
        val_cfg={},
        val_evaluator=Evaluator(Metric()),
        test_dataloader=loader,
        test_cfg={},
        test_evaluator=Evaluator(Metric()),
        custom_hooks=[hook],
        default_scope="mmaction",
        experiment_name=f"{folder.name}_{id(hook)}",
    )


def drawn(folder):
    return sorted(
        str(video.parent.relative_to(folder)) for video in folder.rglob("*.mp4")
    )


def test_chosen_samples_are_drawn(tmp_path):
    hook = RepFlowVisualizationHook(interval=2, out_dir=str(tmp_path / "out"))
    runner = make_runner(tmp_path, hook)
    runner.test()
    numbers = ["000000", "000002", "000004"]
    assert drawn(tmp_path / "out") == [f"test/{n}/flow" for n in numbers]
    assert len(list((tmp_path / "out/test/000004/flow/channel_000").iterdir())) == 3
    assert not runner.model.flow._forward_hooks
    runner.val()
    assert "val_epoch_0/000002/flow" in drawn(tmp_path / "out")


def test_most_samples_and_place(tmp_path):
    hook = RepFlowVisualizationHook(interval=1, max_samples=3)
    runner = make_runner(tmp_path, hook)
    runner.test()
    folder = tmp_path / runner.timestamp / "flow_pictures" / "test"
    assert drawn(folder) == [f"{n:06d}/flow" for n in range(3)]


def test_needs_a_layer(tmp_path):
    runner = make_runner(tmp_path, RepFlowVisualizationHook(), Model(torch.nn.Identity))
    with pytest.raises(ValueError, match="Model has no RepresentationFlow layer"):
        runner.test()
    with pytest.raises(ValueError, match="interval=0"):
        RepFlowVisualizationHook(interval=0)
