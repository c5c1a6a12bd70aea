"""The comparison's two-stream row, from the runs of its streams."""

import pytest
from comparison import fuse
from comparison_benchmarks import BENCHMARKS
from comparison_report import fold_accuracies, row
from mmengine.config import Config

from flowzoo.config_lookup import find_config
from flowzoo.zoo.protocol import counted_input


def stream(scores, **values):
    run = dict(
        rate=0.1,
        training_accuracy=1.0,
        training_seconds=2.0,
        test_milliseconds_a_clip=3.0,
        clips=[dict(clip="a", label=0, scores=s) for s in scores],
    )
    method = dict(title="stream", parameters=4e6, multiply_adds=5e9)
    return dict(method, folds={1: run, 2: dict(run, **values)})


def test_scores_are_averaged_and_costs_added():
    rgb = stream([[0.6, 0.4], [0.4, 0.6]])
    flow = stream([[0.2, 0.8], [0.7, 0.3]], training_seconds=4.0)
    fused = fuse("both", [rgb, flow])
    scores = [score for c in fused["folds"][1]["clips"] for score in c["scores"]]
    assert scores == pytest.approx([0.4, 0.6, 0.55, 0.45])
    assert fold_accuracies(fused) == {1: 50, 2: 50}
    assert row(fused, rgb, 2, [1]) == {
        "method": "both",
        "folds": "2 of 2",
        "accuracy ± sd of the folds": "50.0 ± 0.0",
        "without the folds of the search": "50.0",
        "minus stream, same folds": "+0.0 ± 0.0",
        "training clips": "",
        "rate": "",
        "parameters": "8.00 M",
        "GFLOPs a view": "10.00",
        "training, CPU s": "5",
        "test, CPU ms a clip": "6",
    }


def test_methods_with_some_folds_are_compared_on_these():
    control = stream([[1, 0]], clips=[dict(clip="b", label=1, scores=[1, 0])])
    method = stream([[1, 0]], clips=[dict(clip="b", label=1, scores=[0, 1])])
    assert row(method, control, 3, [])["minus stream, same folds"] == "+50.0 ± 70.7"
    del method["folds"][1]
    found = row(method, control, 3, [])
    assert found["folds"] == "1 of 3"
    assert found["minus stream, same folds"] == "+100.0"
    assert list(fuse("both", [method, control])["folds"]) == [2]
    assert row(control, control, 3, [])["minus stream, same folds"] == ""


def test_methods_are_configs_of_one_input():
    for benchmark in BENCHMARKS.values():
        inputs = set()
        for name in benchmark.methods:
            config = Config.fromfile(find_config(f"{name}.py"))
            assert counted_input(config)
            sampled = config.train_pipeline[1]
            epochs = config.train_cfg.max_epochs
            inputs.add((sampled.clip_len, sampled.frame_interval, epochs))
        assert len(inputs) == 1
        for name, (_, parts) in [
            *benchmark.fusions.items(),
            *benchmark.hallucinations.items(),
        ]:
            assert find_config(f"{name}.py")
            assert set(parts) <= set(benchmark.methods)
