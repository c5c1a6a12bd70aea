"""The zoo of this clone: tables up to date, weights that fit their configs."""

import re
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from flowzoo.io.checkpoint_io import read_checkpoint
from flowzoo.zoo import Checkpoint, download, find, index, load, models

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "tools" / "zoo" / "build_model_zoo.py"
TRAINED = [model.name for model in models().values() if model.checkpoint]


def test_tables_are_up_to_date(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["build_model_zoo.py", "--check"])
    runpy.run_path(str(BUILD), run_name="__main__")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("build_model_zoo", "--check"),
        ("evaluate", "repflow_r18_weizmann"),
        ("publish", "a.py b.pth --metric acc/top1"),
    ],
)
def test_tools_of_the_zoo_are_of_the_first_split(monkeypatch, tool, arguments):
    """Another split's clips were trained on, and its name would be in the table."""
    monkeypatch.setattr(sys, "argv", [tool, *arguments.split()])
    monkeypatch.setenv("SPLIT", "4")
    with pytest.raises(SystemExit, match="SPLIT=4 is set"):
        runpy.run_path(str(BUILD.with_name(f"{tool}.py")), run_name="__main__")


ROW = "{config: a.py, parameters: 1}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("models: []", r"a/metafile\.yml is no metafile: KeyError.*family"),
        ("- [", "is no metafile"),
        (f"{{family: f, models: [{ROW}, {ROW}]}}", "'a' is listed twice"),
        (
            "{family: f, models: [{config: a.py}]}",
            r"a/metafile\.yml, a\.py: .*'parameters'",
        ),
        (
            f"{{family: f, models: [{ROW[:-1]}, parametres: 1}}]}}",
            r"a/metafile\.yml, a\.py: .*'parametres'",
        ),
        (
            f"{{family: f, models: [{ROW[:-1]}, paper: {{value: 1}}}}]}}",
            "paper lacks source",
        ),
        (
            f"{{family: f, models: [{ROW[:-1]}, "
            "checkpoint: {file: a, size: 1, sha256: x}}]}",
            "result lacks metric, value, machine, log",
        ),
    ],
)
def test_faulty_rows_are_named(tmp_path, monkeypatch, text, says):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "metafile.yml").write_text(text)
    monkeypatch.setattr(index, "CONFIGS", tmp_path)
    with pytest.raises(ValueError, match=says):
        index.models.__wrapped__()  # without the cache


def test_faulty_files_are_named():
    faults = runpy.run_path(str(BUILD))["faults"]
    rows = list(models().values())
    assert not faults(rows)
    trained = find(TRAINED[0])
    name = trained.checkpoint.file
    for change, says in (
        (dict(config="nix.py"), f"{trained.name}: there is no configs/nix.py"),
        (
            dict(checkpoint=Checkpoint("nix", 1, "x")),
            f"{trained.name}: there is no checkpoints/nix",
        ),
        (
            dict(checkpoint=replace(trained.checkpoint, sha256="x")),
            f"checkpoints/{name}: not the published file",
        ),
        (
            dict(checkpoint=replace(trained.checkpoint, size=1)),
            f"checkpoints/{name}: not the published file",
        ),
        (
            dict(result=trained.result | dict(log="nix.json")),
            f"{trained.name}: there is no nix.json",
        ),
    ):
        changed = [replace(r, **change) if r is trained else r for r in rows]
        assert says in faults(changed)
    unlisted = [row for row in rows if row is not trained]
    assert faults(unlisted) == [f"configs/{trained.config}: no metafile lists it"]


EDITION = r"(MoNet, )?(ACCV|ECCV|IJCAI|CVPR|ICLR|WACV)\b|authors' repository"


@pytest.mark.parametrize(
    "row", [row for row in models().values() if row.paper], ids=lambda row: row.name
)
def test_papers_numbers_name_edition_and_table(row):
    assert re.match(EDITION, row.paper["source"])
    assert re.search(r"\b[Tt]ables?\b", row.paper["source"])


def test_some_models_are_trained():
    assert "repflow_r18_motionshapes" in TRAINED
    total = sum(find(name).checkpoint.size for name in TRAINED)
    assert total < 64 * 2**20  # a clone brings them all
    assert all(find(name).checkpoint.size < 10 * 2**20 for name in TRAINED)


@pytest.mark.parametrize("name", TRAINED)
def test_weights_fit_their_config(name):
    assert download(name).parent.samefile(ROOT / "checkpoints")
    model = load(name)
    assert not model.training


@pytest.mark.parametrize("name", TRAINED)
def test_files_say_what_they_are(name):
    meta = read_checkpoint(download(name))["meta"]
    assert set(meta) == {"config", "classes", "metrics", "versions"}
    assert not re.search(r"['\"](/|[A-Z]:)", meta["config"])  # of where it was made
    result = find(name).result
    assert meta["metrics"][result["metric"]] == result["value"]


def test_model_index_is_what_mim_reads():
    """Weights by the name that mmengine's loaders take; they come with the wheel."""
    index = yaml.safe_load((ROOT / "model-index.yml").read_text())
    assert [entry["Name"] for entry in index["Models"]] == TRAINED
    families = {entry["Name"] for entry in index["Collections"]}
    for entry in index["Models"]:
        assert (ROOT / entry["Config"]).is_file()
        assert entry["Weights"] == f"flowzoo://{entry['Name']}"
        assert entry["In Collection"] in families
