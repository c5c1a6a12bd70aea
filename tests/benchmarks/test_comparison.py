"""The comparison: its methods, its search and its table."""

import json
import math
from dataclasses import replace

import comparison
import comparison_runs
import pytest
from comparison import fuse
from comparison_benchmarks import BENCHMARKS
from comparison_report import fold_accuracies, row, write_report
from mmengine.config import Config

from flowzoo.config_lookup import find_config
from flowzoo.datasets.preparation import PreparationError, weizmann
from flowzoo.datasets.preparation.ut_interaction import Clip
from flowzoo.zoo.protocol import counted_input

COSTS = dict(training_seconds=2.0, test_milliseconds_a_clip=3.0)
TRAINED = dict(rate=0.1, iterations=10, training_accuracy=1.0)
MINUS = "minus the network without the layer, same folds"


def stream(scores, **values):
    clips = [dict(clip="a", label=0, scores=s) for s in scores]
    run = dict(machine="two cores", **COSTS, **TRAINED, clips=clips)
    method = dict(title="stream", parameters=4e6, multiply_adds=5e9, seeds=[])
    return dict(method, folds={1: run, 2: dict(run, **values)})


def test_scores_are_averaged_and_costs_added():
    rgb = stream([[0.6, 0.4], [0.4, 0.6]])
    flow = stream([[0.2, 0.8], [0.7, 0.3]], training_seconds=4.0)
    fused = fuse("both", [rgb, flow])
    scores = [score for c in fused["folds"][1]["clips"] for score in c["scores"]]
    assert scores == pytest.approx([0.4, 0.6, 0.55, 0.45])
    assert fold_accuracies(fused["folds"]) == {1: 50, 2: 50}
    assert row(fused, rgb, 2, [1]) == {
        "method": "both",
        "folds": "2 of 2",
        "accuracy ± sd of the folds": "50.0 ± 0.0",
        "without the folds of the search": "50.0",
        MINUS: "+0.0 ± 0.0",
        "other seeds": "",
        "training clips": "",
        "iterations": "",
        "rate": "",
        "parameters": "8.00 M",
        "GFLOPs a view": "10.00",
        "training, CPU s": "5",
        "test, CPU ms a clip": "6",
    }


def test_methods_with_some_folds_are_compared_on_these():
    control = stream([[1, 0]], clips=[dict(clip="b", label=1, scores=[1, 0])])
    method = stream([[1, 0]], clips=[dict(clip="b", label=1, scores=[0, 1])])
    assert row(method, control, 3, [])[MINUS] == "+50.0 ± 70.7"
    del method["folds"][1]
    found = row(method, control, 3, [])
    assert found["folds"] == "1 of 3"
    assert found[MINUS] == "+100.0"
    assert list(fuse("both", [method, control])["folds"]) == [2]
    assert row(control, None, 3, [])[MINUS] == ""


def test_scores_that_are_no_numbers_are_wrong_for_every_class():
    clips = [dict(clip="a", label=k, scores=[math.nan, math.nan]) for k in (0, 1)]
    assert comparison_runs.accuracy(dict(clips=clips)) == 0
    assert comparison_runs.loss(dict(clips=clips)) == pytest.approx(-math.log(1e-6))


def test_report_is_of_the_benchmark(tmp_path):
    runs = {n: stream([[1, 0]]) for n in ("a", "b", "c")}
    controls = {"a": "a", "b": "a", "c": "gone"}
    small = replace(BENCHMARKS["weizmann"], name="small", folds=2, classes=("x", "y"))
    write_report(tmp_path, small, [1], "dice give 17 %", controls, runs)
    assert {p.name for p in tmp_path.iterdir()} == {
        "comparison_small.md",
        "comparison_small.png",
    }
    text = (tmp_path / "comparison_small.md").read_text()
    assert "comparison.py small ROOT" in text and "two cores" in text
    assert "Chance is 50 %, and dice give 17 %." in text
    heads, _, *lines = [line for line in text.splitlines() if line.startswith("|")]
    cell = heads.split(" | ").index(MINUS)
    assert [x.split(" | ")[cell] for x in lines] == ["", "+0.0 ± 0.0", ""]


def test_methods_are_configs_of_one_input():
    for benchmark in BENCHMARKS.values():
        inputs, budgets = set(), set()
        for name in benchmark.methods:
            config = Config.fromfile(find_config(f"{name}.py"))
            assert counted_input(config)
            sampled = config.train_pipeline[1]
            if "tsn" in name:  # as many frames, from all over the video
                assert sampled == dict(type="UniformSample", clip_len=8)
            else:
                inputs.add((sampled.clip_len, sampled.get("frame_interval", 1)))
            if "lite0" not in name:  # all that start from random weights
                budgets.add(
                    (config.train_cfg.max_epochs, config.train_dataloader.batch_size)
                )
        assert len(inputs) == len(budgets) == 1
        assert set(benchmark.controls) | set(benchmark.controls.values()) <= set(
            benchmark.methods
        )
        for name, (_, parts) in [
            *benchmark.fusions.items(),
            *benchmark.hallucinations.items(),
        ]:
            assert name in benchmark.fusions or find_config(f"{name}.py")
            assert set(parts) <= set(benchmark.methods)


def test_scores_of_other_classes_are_not_averaged():
    with pytest.raises(SystemExit, match="fold 1 have scores of several numbers"):
        fuse("both", [stream([[0.6, 0.4]]), stream([[0.2, 0.7, 0.1]])])


def test_monet_has_its_row_without_the_runs_of_its_streams(tmp_path):
    """But not the seconds of a training of which a part is not known."""
    benchmark, method = BENCHMARKS["weizmann"], "monet_r18_weizmann"
    benchmark.clip_list(tmp_path, "val", 1).write_text("a.avi 0\n")
    run = dict(COSTS, rate=None, clips=[dict(clip="a", label=0, scores=[1.0, 0.0])])
    path = tmp_path / f"{method}-1.json"
    comparison_runs.kept(path, method, {"a.avi": 0}, lambda: run)
    done = comparison.finished(benchmark, tmp_path, tmp_path)
    cells = row(done[method], None, 9, [])
    assert cells["accuracy ± sd of the folds"] == "100.0"
    assert cells["training, CPU s"] == ""


def test_rates_are_chosen_on_two_groups_without_the_test_clips(tmp_path, monkeypatch):
    benchmark = BENCHMARKS["weizmann"]
    actors = ("daria", "denis", "eli", "ido")
    lists = {"train": actors[1:], "val": actors[:1]}
    for part, who in lists.items():
        lines = [f"my clips/{a}_{c}.avi {i}" for a in who for i, c in enumerate("xy")]
        benchmark.clip_list(tmp_path, part, 1).write_text("\n".join(lines) + "\n")
    seen = []

    def run(method, rate, train_file, test_file, runs, out):
        seen.append((train_file.read_text(), test_file.read_text()))
        right = 0.8 if rate == 3e-3 else 0.6  # equally many right clips, a lower loss
        names = [f"{a}_{c}" for a in ("denis", "eli") for c in "xy"]
        scores = [right, 1 - right], [1 - right, right]
        clips = [
            dict(clip=name, label=i % 2, scores=scores[i % 2])
            for i, name in enumerate(names)
        ]
        return dict(COSTS, **TRAINED | dict(rate=rate), clips=clips)

    monkeypatch.setattr(comparison, "run", run)
    method = "repflow_r18_weizmann"
    rate = comparison.search_rate(
        benchmark, method, tmp_path, tmp_path / "runs", tmp_path
    )
    assert rate == 3e-3
    file = tmp_path / "runs" / f"{method}-search-0.003.json"
    file.rename(file.with_name(f"{method}-search-0.01.json"))
    with pytest.raises(SystemExit, match=r"-0\.01\.json is .* rate 0\.003, "):
        comparison.search_rate(benchmark, method, tmp_path, tmp_path / "runs", tmp_path)
    for train, test in seen:
        assert "ido" in train and "denis" in test and "eli" in test
        assert not any(a in train for a in ("denis", "eli", "daria"))
        assert "daria" not in test and "ido" not in test


def test_ut_interaction_is_all_of_set_1(tmp_path, monkeypatch):
    benchmark = BENCHMARKS["ut_interaction"]
    prepared = []
    dataset = "comparison_benchmarks.ut_interaction"
    monkeypatch.setattr(
        f"{dataset}.prepare_ut_interaction", lambda *args: prepared.append(args)
    )
    numbers = range(60)
    whole = [Clip(tmp_path / f"{n}_{1 + n // 6}_0.avi", 1 + n // 6, 0) for n in numbers]
    second = [Clip(clip.path, clip.sequence + 10, 0) for clip in whole]
    for clips in (whole[:-1], whole[:54], second, whole + second):
        monkeypatch.setattr(f"{dataset}.list_clips", lambda root, clips=clips: clips)
        with pytest.raises(PreparationError, match="1 to 10 are set 1; there are"):
            benchmark.prepare(tmp_path, tmp_path)
    monkeypatch.setattr(f"{dataset}.list_clips", lambda root: whole)
    benchmark.prepare(tmp_path, tmp_path)
    assert prepared == [(tmp_path, tmp_path)]


def test_weizmann_is_all_of_it(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    for actor in weizmann.ACTORS:
        for name in weizmann.CLASSES:
            (root / f"{actor}_{name}.avi").touch()
    benchmark = BENCHMARKS["weizmann"]
    benchmark.prepare(root, tmp_path / "whole")
    assert len(benchmark.clips(tmp_path / "whole", "val", 6)) == 10
    moved = root.rename(tmp_path / "moved")
    benchmark.prepare(moved, tmp_path / "whole")
    assert (tmp_path / "whole" / "videos").resolve() == moved
    (moved / "eli_walk.avi").unlink()
    with pytest.raises(PreparationError, match="clips are missing: eli_walk"):
        benchmark.prepare(moved, tmp_path / "part")


def test_folds_of_the_search(tmp_path):
    benchmark = BENCHMARKS["weizmann"]
    for fold in range(1, benchmark.folds + 1):
        actor = {2: "denis", 3: "eli"}.get(fold, f"other{fold}")
        benchmark.clip_list(tmp_path, "val", fold).write_text(f"{actor}_run.avi 4\n")
    assert comparison.folds_of_search(benchmark, tmp_path) == [2, 3]


def test_folds_of_different_rates_are_refused(tmp_path):
    benchmark, method = BENCHMARKS["weizmann"], "repflow_r18_weizmann"
    for fold, rate in enumerate((0.1, 0.1, 0.2), start=1):
        benchmark.clip_list(tmp_path, "val", fold).write_text("a.avi 0\n")
        clips = [dict(clip="a", label=0, scores=[1.0, 0.0])]
        run = dict(COSTS, **TRAINED | dict(rate=rate), clips=clips)
        path = tmp_path / f"{method}-{fold}.json"
        comparison_runs.kept(path, method, {"a.avi": 0}, lambda run=run: run)
    with pytest.raises(SystemExit, match=r"-3\.json is .* rate 0\.2, .* say 0\.1"):
        comparison.folds_in(tmp_path, benchmark, tmp_path, method)
    (tmp_path / f"{method}-3.json").unlink()
    assert list(comparison.folds_in(tmp_path, benchmark, tmp_path, method)) == [1, 2]
    with pytest.raises(SystemExit, match=r"-1\.json is .* rate 0\.1, .* say 0\.2"):
        comparison.folds_in(tmp_path, benchmark, tmp_path, method, rate=0.2)
    assert list(comparison.folds_in(tmp_path, benchmark, tmp_path, method, rate=0.1))


def test_seeds_are_runs_of_their_own(tmp_path):
    """Which the table has beside those of the seed 0."""
    benchmark, method = BENCHMARKS["weizmann"], "repflow_r18_weizmann"
    for fold, seed, scores in ((1, 0, [1, 0]), (1, 1, [0, 1]), (2, 12, [1, 0])):
        benchmark.clip_list(tmp_path, "val", fold).write_text("a.avi 0\n")
        clips = [dict(clip="a", label=0, scores=scores)]
        run = dict(COSTS, **TRAINED, seed=seed, clips=clips)
        path = tmp_path / f"{comparison.run_name(method, fold, seed)}.json"
        comparison_runs.kept(path, method, {"a.avi": 0}, lambda run=run: run, seed)
    assert comparison.other_seeds(tmp_path) == [1, 12]
    found = [
        comparison.finished(benchmark, tmp_path, tmp_path, seed) for seed in (0, 1, 12)
    ]
    folds = [runs[method]["folds"] for runs in found]
    assert [list(map(int, f)) for f in folds] == [[1], [1], [2]]
    seeds = stream([[1, 0]]) | dict(seeds=[folds[1], folds[2] | folds[1]])
    assert row(seeds, None, 2, [])["other seeds"] == "0.0 (1 of 2), 50.0"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_configs_have_the_rates_that_were_found(name):
    folder = comparison.RESULTS / f"comparison_{name}"
    found = {
        method: json.loads(path.read_text())["rate"]
        for method in BENCHMARKS[name].methods
        for path in folder.glob(f"{method}-[0-9]*.json")
    }
    assert found
    for method, rate in found.items():
        config = Config.fromfile(find_config(f"{method}.py"))
        assert config.optim_wrapper.optimizer.lr == rate, method
