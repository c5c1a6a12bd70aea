"""The files of comparison.py's runs: kept, read, refused."""

import json
import math

import comparison_runs
import pytest

from flowzoo.config_lookup import find_config

COSTS = dict(training_seconds=2.0, test_milliseconds_a_clip=3.0)
TRAINED = dict(rate=0.1, iterations=10, training_accuracy=1.0)


def test_runs_that_are_there_are_not_made_again(tmp_path):
    made = []

    def make():
        made.append(1)
        clips = [dict(clip="a", label=0, scores=[1.0, 0.0])]
        return dict(method="m", **COSTS, **TRAINED, clips=clips)

    method = "repflow_r18_weizmann"
    path, clips = tmp_path / "runs" / "m-1.json", {"in a folder/a.avi": 0}
    first = comparison_runs.kept(path, method, clips, make)
    assert comparison_runs.kept(path, method, clips, make) == first
    assert len(made) == 1
    assert first["settings"] == comparison_runs.fingerprint(method)
    path.write_text(json.dumps(first | dict(settings="of before")))
    with pytest.raises(SystemExit, match="before repflow_r18_weizmann was changed"):
        comparison_runs.kept(path, method, clips, make)


@pytest.mark.parametrize(
    "clips", [{"b.avi": 0}, {"a.avi": 1}, {}, {"a.avi": 0, "b.avi": 1}]
)
def test_runs_of_other_clips_are_refused(tmp_path, clips):
    """Of another fold, of another ROOT, or of a list with other labels."""
    method, path = "repflow_r18_weizmann", tmp_path / "m-1.json"
    result = dict(
        settings=comparison_runs.fingerprint(method),
        machine="two cores",
        **COSTS,
        **TRAINED,
        clips=[dict(clip="a", label=0, scores=[1.0, 0.0])],
    )
    path.write_text(json.dumps(result))
    assert comparison_runs.read_run(path, method, {"run/a.avi": 0}) == result
    with pytest.raises(SystemExit, match=r"m-1\.json is of other clips"):
        comparison_runs.read_run(path, method, clips)


def test_clips_of_a_run_are_in_the_order_of_their_names(tmp_path):
    """Whose scores are averaged with those of another run."""
    method, path = "repflow_r18_weizmann", tmp_path / "m-1.json"
    clips = [dict(clip=c, label=i, scores=[0.5, 0.5]) for i, c in enumerate("ab")]
    result = dict(machine="m", **COSTS, **TRAINED, clips=clips[::-1])
    path.write_text(
        json.dumps(result | dict(settings=comparison_runs.fingerprint(method)))
    )
    assert comparison_runs.read_run(path, method, dict(a=0, b=1))["clips"] == clips


def test_monet_is_of_the_streams_that_it_was_made_from(tmp_path, monkeypatch):
    method, path = "monet_r18_weizmann", tmp_path / "m-1.json"
    run = dict(COSTS, rate=None, clips=[dict(clip="a", label=0, scores=[1.0, 0.0])])
    made = comparison_runs.kept(path, method, {"a.avi": 0}, lambda: run)
    assert list(made["streams"]) == ["repflow_r18_weizmann_rgb", "tvl1_r18_weizmann"]
    before = comparison_runs.fingerprint
    monkeypatch.setattr(
        comparison_runs,
        "fingerprint",
        lambda name: "other" if name.startswith("tvl1") else before(name),
    )
    with pytest.raises(SystemExit, match="tvl1_r18_weizmann was changed, whose"):
        comparison_runs.read_run(path, method, {"a.avi": 0})


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "[]", '{"clips": []}', "null", "[" * 100_000]
)
def test_damaged_runs_are_named(tmp_path, text):
    path = tmp_path / "m-1.json"
    path.write_text(text)
    with pytest.raises(SystemExit, match=r"m-1\.json is damaged"):
        comparison_runs.read_run(path, "repflow_r18_weizmann", {})


def test_runs_that_are_folders_are_named(tmp_path):
    with pytest.raises(SystemExit, match="is not readable"):
        comparison_runs.read_run(tmp_path, "repflow_r18_weizmann", {})


@pytest.mark.parametrize("rate", [None, 0.1])
def test_runs_say_all_that_the_table_has(tmp_path, rate):
    """Those of MoNet, which has no one rate, less."""
    method = "repflow_r18_weizmann" if rate else "monet_r18_weizmann"
    path = tmp_path / "m-1.json"
    told = TRAINED if rate else dict(rate=None)
    settings = dict(settings=comparison_runs.fingerprint(method), machine="two cores")
    clips = dict(clips=[dict(clip="a", label=0, scores=[1.0, 0.0])])
    whole = settings | COSTS | told | clips
    path.write_text(json.dumps(whole))
    assert comparison_runs.read_run(path, method, {"a.avi": 0}) == whole
    without = [{k: v for k, v in whole.items() if k != name} for name in whole]
    other = [
        whole | {name: value}
        for name in whole.keys() - {"settings", "clips"}
        for value in (None, "x", [], {}, math.nan, 10**400)
        if type(value) is not type(whole[name]) or value != value
    ]
    other.append(whole | dict(rate=None if rate else 0.1))
    other += [whole | {name: -1.0} for name in COSTS]
    if rate:
        other += [whole | dict(training_accuracy=95.0), whole | dict(iterations=-1)]
    scores = [[1.0, 0.0], [1.0]], [[[1.0, 0.0]]], [["1.0", 0.0]], [[]]
    clips = [[dict(clip="a", label=0, scores=s) for s in each] for each in scores]
    for result in (*without, *other, *(whole | dict(clips=c) for c in clips)):
        path.write_text(json.dumps(result))
        with pytest.raises(SystemExit, match=r"m-1\.json is damaged"):
            comparison_runs.read_run(path, method, {"a.avi": 0})


def test_runs_that_say_no_seed_are_of_seed_0(tmp_path):
    method, path = "repflow_r18_weizmann", tmp_path / "m-1-seed1.json"
    clips = [dict(clip="a", label=0, scores=[1.0, 0.0])]
    result = dict(machine="m", **COSTS, **TRAINED, clips=clips)
    result["settings"] = comparison_runs.fingerprint(method)
    path.write_text(json.dumps(result))
    comparison_runs.read_run(path, method, {"a.avi": 0})
    with pytest.raises(SystemExit, match=r"m-1-seed1\.json is of the seed 0"):
        comparison_runs.read_run(path, method, {"a.avi": 0}, seed=1)


def test_only_the_same_run_continues_from_its_checkpoints(tmp_path):
    out = tmp_path / "m-1"
    comparison_runs.begin(out, settings="a", rate=0.1, results="here")
    (out / "epoch_5.pth").touch()
    comparison_runs.begin(out, settings="a", rate=0.1, results="here")
    assert (out / "epoch_5.pth").exists()
    for other in (dict(settings="b"), dict(rate=0.2), dict(results="there")):
        comparison_runs.begin(
            out, **dict(settings="a", rate=0.1, results="here") | other
        )
        assert not (out / "epoch_5.pth").exists()
        (out / "epoch_5.pth").touch()


def test_fingerprints_are_of_the_method_not_of_the_machine(monkeypatch):
    names = ("repflow_r18_weizmann", "repflow_r18_weizmann_rgb", "tvl1_r18_weizmann")
    here = [comparison_runs.fingerprint(name) for name in names]
    assert len(set(here)) == len(names)
    monkeypatch.setenv("FLOWZOO_DATA", "/elsewhere")
    monkeypatch.setenv("SPLIT", "4")
    assert [comparison_runs.fingerprint(name) for name in names] == here


@pytest.mark.parametrize(
    "change",
    [
        "custom_hooks = [dict(type='EMAHook')]",
        "load_from = 'flowzoo://repflow_r18_weizmann_rgb'",
        "train_dataloader = dict(sampler=dict(shuffle=False))",
        "train_dataloader = dict(dataset=dict(type='VideoDataset'))",
        "train_cfg = dict(max_epochs=3)",
    ],
)
def test_fingerprints_are_of_all_that_decides(tmp_path, monkeypatch, change):
    own = tmp_path / "repflow_r18_weizmann_rgb.py"
    monkeypatch.setattr(
        comparison_runs,
        "find_config",
        lambda name: own if name == own.name else find_config(name),
    )
    found = []
    for text in ("", change):
        own.write_text(f"_base_ = 'flowzoo::{own.name}'\n{text}\n")
        found.append(comparison_runs.fingerprint(own.stem))
    assert found[0] != found[1]
