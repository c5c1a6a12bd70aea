"""A config for the videos that were prepared: a model of the zoo, other classes."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from ...config_lookup import find_config
from ...zoo import find
from .records import PreparationError

DEFAULT_MODEL = "repflow_r18_weizmann"
_TEXT = """\
# Written by tools/data/prepare.py folder.
_base_ = 'flowzoo::{config}'

data = dict(
    type='CheckedVideoDataset',
    data_prefix=dict(video={videos!r}),
    num_classes={num_classes},
    windows=True)  # lines may be: path start end label

model = dict(cls_head=dict(num_classes={num_classes}))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        ann_file={train!r},
        pipeline=_base_.train_pipeline,
        **data))
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        ann_file={val!r},
        pipeline=_base_.val_pipeline,
        test_mode=True,
        **data))
test_dataloader = val_dataloader

train_cfg = dict(val_interval=5)
default_hooks = dict(checkpoint=dict(interval=5, save_best='auto'))
"""
_WEIGHTS = """
# The last layer starts anew, as there are other classes.
load_from = {weights!r}
"""


def write_config(out: Path, model: str, weights: str | None = None) -> Path:
    """Write ``OUT/NAME.py``, NAME being that of the folder, for its lists.

    Args:
        out: folder that was prepared; the config names its files in full.
        model: of the zoo.
        weights: a checkpoint to start from, by its path or as ``flowzoo://NAME``; the
            model's published one unless given, or random weights where there is none.

    Raises:
        PreparationError: no such model, one that does not classify videos, or no such
            checkpoint.
    """
    name = find_classifier(model)
    if weights and "://" not in weights:
        if not Path(weights).is_file():
            raise PreparationError(f"--weights {weights}: no such file")
        weights = str(Path(weights).resolve())
    if weights is None and find(name).checkpoint:
        weights = f"flowzoo://{name}"
    folder = out.resolve()
    classes = (folder / "classes.txt").read_text(encoding="utf-8").splitlines()
    text = _TEXT.format(
        config=f"{name}.py",
        videos=str(folder / "videos"),
        num_classes=len(classes),
        train=str(folder / "train.txt"),
        val=str(folder / "val.txt"),
    )
    if weights:
        text += _WEIGHTS.format(weights=weights)
    path = out / f"{folder.name}.py"
    path.write_text(text, encoding="utf-8")
    return path


def find_classifier(model: str) -> str:
    """The name of a model that classifies videos of any kind.

    Raises:
        PreparationError: There is no such model, or it is of another kind.
    """
    try:
        path = find_config(f"{model.removesuffix('.py')}.py")
    except FileNotFoundError as error:
        raise PreparationError(str(error)) from error
    config = Config.fromfile(path)
    steps = config.get("train_pipeline", ())
    if "num_classes" not in config.model.get("cls_head", {}) or not any(
        step["type"] == "OpenVideo" for step in steps
    ):
        raise PreparationError(
            f"{path.stem} does not learn classes from videos; take another --model, "
            f"such as {DEFAULT_MODEL}"
        )
    if any("flip_label_map" in step for step in steps):
        raise PreparationError(
            f"{path.stem} exchanges classes of its own dataset when it mirrors clips; "
            f"take another --model, such as {DEFAULT_MODEL}, and these weights, if "
            f"they fit, as --weights flowzoo://{path.stem}"
        )
    return path.stem
