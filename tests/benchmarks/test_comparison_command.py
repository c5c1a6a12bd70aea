"""The comparison as a command: what it refuses before it trains."""

import json
import os
from dataclasses import replace
from pathlib import Path

import comparison
import comparison_monet
import comparison_report
import numpy as np
import pytest
from comparison_benchmarks import BENCHMARKS, listed

from flowzoo.datasets.preparation import weizmann
from flowzoo.io.locks import lock


def weizmann_main(folder, monkeypatch, capsys):
    """comparison.py on empty clips, with a run that trains nothing: (code, output)."""
    root = folder / "my clips"
    root.mkdir()
    for actor in weizmann.ACTORS:
        for name in weizmann.CLASSES:
            (root / f"{actor}_{name}.avi").touch()

    def run(method, rate, train_file, test_file, runs, out, seed=0):
        clips = [
            dict(clip=Path(path).stem, label=label, scores=list(np.eye(10)[label]))
            for path, label in listed(test_file).items()
        ]
        costs = dict(training_seconds=1, test_milliseconds_a_clip=1)
        told = dict(rate=rate, seed=seed, iterations=1, training_accuracy=1)
        return costs | told | dict(clips=clips)

    benchmark = replace(BENCHMARKS["weizmann"], without_images=lambda *_: "nothing")
    monkeypatch.setattr(comparison, "run", run)
    monkeypatch.setattr(comparison, "BENCHMARKS", {"weizmann": benchmark})
    monkeypatch.setattr(comparison, "complexity", lambda *_: (1, 1))
    monkeypatch.setattr(comparison_report, "_draw", lambda *_: None)
    monkeypatch.chdir(folder)
    for name in ("FLOWZOO_DATA", "SPLIT"):  # which it changes
        monkeypatch.setenv(name, "abc")
    arguments = ["x", "weizmann", str(root), "--results", "r", "--work-dir", "w"]

    def main(*options):
        monkeypatch.setattr("sys.argv", [*arguments, *map(str, options)])
        try:
            comparison.main()
        except SystemExit as error:
            return str(error), "".join(capsys.readouterr())
        return "", "".join(capsys.readouterr())

    return main


def test_other_seeds_need_seed_0_at_their_rate(tmp_path, monkeypatch, capsys):
    main = weizmann_main(tmp_path, monkeypatch, capsys)
    method = "repflow_r18_weizmann"
    options = ("--methods", method, "--folds", 1)
    assert "has no runs of the seed 0" in main(*options, "--seed", 1)[0]
    assert main(*options)[0] == ""
    assert "| 100.0 (1 of 9) |" in main(*options, "--seed", 1)[1]
    runs = tmp_path / "r" / "comparison_weizmann"
    other, third = (runs / f"{method}-1-seed{seed}.json" for seed in (1, 3))
    result = json.loads(other.read_text())
    third.write_text(json.dumps(result))
    assert "seed3.json is of the seed 1" in main("--methods")[0]
    third.unlink()
    other.write_text(json.dumps(result | dict(rate=3e-3)))
    assert "seed1.json is of the learning rate 0.003, but" in main("--methods")[0]


def test_seeds_are_numbers_that_generators_take(tmp_path, monkeypatch, capsys):
    main = weizmann_main(tmp_path, monkeypatch, capsys)
    for seed in (-1, 2**32):
        code, text = main("--methods", "--seed", seed)
        assert (code, f"--seed {seed}: 0 to 4294967295" in text) == ("2", True)
    seen = []
    monkeypatch.setattr(
        comparison, "train", lambda _, method, *args: seen.append(method)
    )
    main("--seed", 1)  # of all that have other seeds
    assert seen == list(BENCHMARKS["weizmann"].methods)


def test_rates_of_ones_own_have_results_of_their_own(tmp_path, monkeypatch, capsys):
    main = weizmann_main(tmp_path, monkeypatch, capsys)
    text = main("--rates", 0.02, "--results", comparison.RESULTS)[1]
    assert "--rates needs --results" in text
    for rate in ("0", "-1", "nan", "inf"):
        assert "only numbers above 0" in main("--rates", rate)[1]
    options = ("--methods", "repflow_r18_weizmann", "--folds", 1, "--results", "own")
    text = main(*options, "--rates", 0.02)[1]
    assert "and the learning rate 0.02. GFLOPs" in text and "| 0.02 |" in text
    assert "comparison.py weizmann ROOT --rates 0.02 --results DIR`" in text
    monkeypatch.setattr(comparison, "train", lambda *_: pytest.fail("trained"))
    wrong = "searched among [0.02], not ["
    assert f"{wrong}0.001, 0.003, 0.01]" in main(*options)[0]
    assert f"{wrong}0.001, 0.003, 0.01]" in main("--methods", "--results", "own")[0]
    assert f"{wrong}0.03]" in main(*options, "--rates", 0.03, "--folds", 2)[0]
    # of another method, too: all have the same search
    other = ("--methods", "tsn_r18_weizmann", "--results", "own")
    assert f"{wrong}0.02, 0.03]" in main(*other, "--rates", 0.02, 0.03)[0]


def test_rates_that_were_searched_are_those_of_the_table(tmp_path, monkeypatch, capsys):
    main = weizmann_main(tmp_path, monkeypatch, capsys)
    options = ("--methods", "repflow_r18_weizmann", "--folds", 1)
    text = main(*options)[1]
    assert "of (0.001, 0.003, 0.01) that was best" in text and "--rates" not in text
    # the rate that was found, without the choice that was made
    wrong = "among [0.001, 0.003, 0.01], not [0.001]"
    assert wrong in main("--methods", "--rates", 0.001)[0]
    runs = tmp_path / "r" / "comparison_weizmann"
    for file in runs.glob("*-1.json"):
        file.unlink()
    (runs / "repflow_r18_weizmann-search-0.01.json").unlink()  # as if killed
    assert main(*options)[0] == ""
    text = main(*options, "--results", "own", "--rates", 0.02, 0.02)[1]
    assert "the learning rate 0.02. GFLOPs" in text


def test_a_work_directory_serves_one_process(tmp_path, monkeypatch, capsys):
    main = weizmann_main(tmp_path, monkeypatch, capsys)
    (tmp_path / "w").mkdir()
    with lock(tmp_path / "w" / "lock"):
        code, text = main("--methods")
    assert (code, f"another process uses {tmp_path}/w" in text) == ("2", True)
    assert "another" not in main("--methods")[1]


def test_results_can_be_written_before_anything_is_trained(
    tmp_path, monkeypatch, capsys
):
    main = weizmann_main(tmp_path, monkeypatch, capsys)
    monkeypatch.setattr(comparison, "train", lambda *_: pytest.fail("trained"))
    (tmp_path / "r").touch()
    code, text = main()
    assert (code, "error: [Errno" in text) == ("2", True)


def test_monet_tells_its_fold_to_its_tools_alone(tmp_path, monkeypatch):
    """Checkpoints of other methods' folds would name it as their split."""
    monkeypatch.delenv("SPLIT", raising=False)
    (tmp_path / "last_checkpoint").write_text("x.pth")
    seen = []
    monkeypatch.setattr(
        "runpy.run_path", lambda *_, run_name: seen.append(os.environ["SPLIT"])
    )
    monkeypatch.setattr(
        "subprocess.run", lambda *_, env, **__: seen.append(env["SPLIT"])
    )
    file = tmp_path / "a.npz"
    comparison_monet._extract("tvl1_r18_weizmann", tmp_path, 3, "val", file)
    comparison_monet._call(tmp_path, 4, "x.py")
    assert seen == ["3", "4"] and "SPLIT" not in os.environ
