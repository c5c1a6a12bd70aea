"""MoNet as a method of comparison.py: on the features of two networks of it."""

import os
import pickle
import resource
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

from mmengine.config import Config

from flowzoo.config_lookup import find_config
from flowzoo.datasets.features import FeatureFile

TOOLS = Path(__file__).resolve().parents[1] / "tools"
FRAMES = 18  # of the one clip of a video, every second: 36, which all videos have


def run_monet(method: str, streams: dict[str, Path], fold: int, out: Path) -> dict:
    """Train MoNet's three stages on the features of both streams and test it.

    Args:
        method: the config of the second stage, by its name.
        streams: folders of the trained networks by their configs' names, appearance
            first.
        fold: what the configs' SPLIT is.
        out: work directory, which is emptied: a minute's run begins anew.

    Returns:
        As ``comparison.run``, without what is the same for other methods: the rates
        are the configs'.
    """
    shutil.rmtree(out, ignore_errors=True)
    features = out / "weizmann_features"
    features.mkdir(parents=True)
    start = _seconds()
    for name, (config, folder) in zip(
        ("appearance", "flow"), streams.items(), strict=True
    ):
        for part in ("train", "val"):
            before = _seconds()
            file = features / f"{name}_{part}_split_{fold}.npz"
            _extract(config, folder, fold, part, file)
            if (name, part) == ("appearance", "val"):
                clips = FeatureFile(file).names
                test_seconds = _seconds() - before
    prefix = find_config(f"{method}.py").with_suffix("")
    _call(out, fold, TOOLS / "train_monet.py", prefix)
    seconds = _seconds() - start
    config = Config.fromfile(f"{prefix}_fusion.py")
    checkpoint = f"work_dirs/{method}_fusion/epoch_{config.train_cfg.max_epochs}.pth"
    options = ["--dump", "scores.pkl", "--cfg-options", "model.per_stream=False"]
    _call(out, fold, TOOLS / "test.py", f"{prefix}_fusion.py", checkpoint, *options)
    predictions = pickle.loads((out / "scores.pkl").read_bytes())
    return dict(
        method=method,
        rate=None,
        training_seconds=round(seconds, 1),
        test_milliseconds_a_clip=round(1000 * test_seconds / len(clips), 1),
        clips=[
            dict(
                clip=Path(clip).stem,
                label=prediction["gt_label"].item(),
                scores=[round(s, 6) for s in prediction["pred_score"].tolist()],
            )
            for clip, prediction in zip(clips, predictions, strict=True)
        ],
    )


def stages(method: str) -> list[str]:
    """The configs of a method: the three of MoNet, and one of each other."""
    others = ("_classifiers", "_fusion") if method.startswith("monet_") else ()
    return [method, *(f"{method}{stage}" for stage in others)]


def _extract(config: str, folder: Path, fold: int, part: str, file: Path) -> None:
    """Write features of one clip of each video."""
    checkpoint = (folder / "last_checkpoint").read_text().strip()
    path = str(find_config(f"{config}.py"))
    steps = Config.fromfile(path).test_dataloader.dataset.pipeline
    number = [step["type"] for step in steps].index("SampleFrames")
    key = f"test_dataloader.dataset.pipeline.{number}"
    arguments = [path, checkpoint, "--split", part, "--out", str(file)]
    arguments += ["--cfg-options", f"{key}.num_clips=1", f"{key}.clip_len={FRAMES}"]
    before, sys.argv = sys.argv, [str(TOOLS / "data" / "extract_features.py")]
    sys.argv += arguments
    os.environ["SPLIT"] = str(fold)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        sys.argv = before
        del os.environ["SPLIT"]  # other runs are told their clips


def _call(folder: Path, fold: int, *arguments: str | Path) -> None:
    variables = dict(SPLIT=str(fold), FLOWZOO_DATA=str(folder.absolute()))
    variables = os.environ | variables
    subprocess.run([sys.executable, *arguments], cwd=folder, env=variables, check=True)


def _seconds() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
