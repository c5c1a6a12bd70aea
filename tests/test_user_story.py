"""What a user does with the installed wheel: list, download, test, fine-tune."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CLIPS = ROOT.parent / "shared" / "data" / "ut_interaction"
NAME = "repflow_r18_motionshapes"


@pytest.fixture(scope="module")
def run(wheel, tmp_path_factory):
    """Run a tool of the wheel, alone in its folder; returns what it prints."""
    folder = tmp_path_factory.mktemp("user")
    site = folder / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "-t", site, wheel],
        check=True,
        capture_output=True,
    )

    def run(tool, *args):
        done = subprocess.run(
            [sys.executable, site / "flowzoo" / ".mim" / "tools" / tool, *args],
            cwd=folder,
            env=os.environ
            | {
                "PYTHONPATH": str(site),
                "FLOWZOO_DATA": str(folder / "cache"),
                "OMP_NUM_THREADS": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout

    run.folder = folder
    return run


@pytest.mark.slow
def test_list_download_and_test(run):
    assert re.search(rf"{NAME} .* MB", run("zoo/download.py", "--list"))
    path = Path(run("zoo/download.py", NAME).split()[-1])
    assert path.is_relative_to(run.folder / "site")  # the wheel carries it

    config = run.folder / "site" / "flowzoo" / ".mim" / "configs" / f"{NAME}.py"
    few = "--cfg-options", "test_dataloader.dataset.indices=100"
    out = run("test.py", config, f"flowzoo://{NAME}", *few)
    assert float(re.search(r"acc/top1: ([\d.]+)", out)[1]) > 0.95


@pytest.mark.skipif(not CLIPS.is_dir(), reason="UT-Interaction is not here")
def test_fine_tune_on_other_clips(run):
    run("data/prepare_ut_interaction.py", CLIPS / "set1")
    (run.folder / "mine.py").write_text(
        "_base_ = 'flowzoo::repflow_r18_utinteraction.py'\n"
        "model = dict(cls_head=dict(num_classes=6))\n"
        f"load_from = 'flowzoo://{NAME}'\n"
    )
    out = run("train.py", "mine.py", "--cfg-options", "train_cfg.max_epochs=1")
    assert "flow_block" not in "".join(re.findall(r"missing keys.*", out))
    assert list((run.folder / "work_dirs" / "mine").glob("epoch_1.pth"))
