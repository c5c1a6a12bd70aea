"""Train the three stages of MoNet: classifiers, hallucination, fusion.

    python tools/train_monet.py configs/monet_i3d_kinetics [options of tools/train.py]

trains monet_i3d_kinetics_classifiers.py, monet_i3d_kinetics.py and
monet_i3d_kinetics_fusion.py, which may lie in configs/monet/, one after the other, each
in work_dirs/ and each from the checkpoint of the one before, which its load_from names.
A stage whose last checkpoint is there is not repeated, and one of another SPLIT is
refused: it has seen this one's test clips.
"""

import subprocess
import sys
from pathlib import Path

from mmengine.config import Config

import flowzoo  # noqa: F401  configs may inherit from flowzoo::
from flowzoo.interrupts import run_tool

STAGES = ("_classifiers", "", "_fusion")


def find_stage(path: Path) -> Path:
    for place in (path, path.parent / "monet" / path.name):
        if place.is_file():
            return place
    sys.exit(f"error: there is no {path}")


def check_split(work_dir: Path, config: Config, path: Path) -> None:
    """Exit if the stage that is in a folder was trained on another split."""
    kept = work_dir / path.name  # by mmengine, as the training begins
    if not kept.exists():
        return
    trained = Config.fromfile(kept).get("split")
    if trained != (split := config.get("split")):
        sys.exit(
            f"error: {work_dir} is of split {trained}, not {split}: move it away, or "
            "run this in another folder"
        )


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    prefix, options = sys.argv[1].removesuffix(".py"), sys.argv[2:]
    paths = [find_stage(Path(f"{prefix}{stage}.py")) for stage in STAGES]
    train = Path(__file__).with_name("train.py")
    for path in paths:
        config = Config.fromfile(path)
        work_dir = Path("work_dirs") / path.stem
        last = work_dir / f"epoch_{config.train_cfg.max_epochs}.pth"
        if last.exists():
            check_split(work_dir, config, path)
            print(f"{last} is there: next stage", flush=True)
            continue
        command = [sys.executable, train, path, "--work-dir", work_dir, *options]
        status = subprocess.run(command).returncode
        if status:
            sys.exit(status)


if __name__ == "__main__":
    run_tool(main, "run it again to continue")
