"""The zoo's metafiles: what models there are, how they were tested, where they lie."""

import difflib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import yaml
from mmengine.config import Config

from ..config_lookup import CONFIGS, current_model_name
from .protocol import counted_input, dataset_name, protocol
from .training import training


def metafiles() -> list[Path]:
    """One for each family, beside its configs."""
    return sorted(CONFIGS.glob("*/metafile.yml"))


@dataclass(frozen=True)
class Checkpoint:
    """A published file of weights: its name, its bytes, and their full SHA-256."""

    file: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Model:
    """A row of the zoo.

    Args:
        name: how ``flowzoo://`` calls it; the config's name without ``.py``.
        config: path below ``configs/``.
        family: the metafile's title.
        parameters, multiply_adds: of one forward pass of ``input``, as
            tools/zoo/count_flops.py counts them.
        note: what the numbers should be read with.
        paper: what is published, where something is: the ``value``, a number or several
            by their names; and the ``source``, its edition and table, then, where the
            config is not the paper's experiment, what differs.
        result: what was measured here: ``value``, ``metric`` (mmengine's key),
            ``machine`` and ``log``.
        checkpoint: the published weights, or None where there are none.
    """

    name: str
    config: str
    family: str
    parameters: int
    multiply_adds: int | None = None
    note: str = ""
    paper: dict | None = None
    result: dict | None = None
    checkpoint: Checkpoint | None = None

    @cached_property
    def _config(self) -> Config:
        return Config.fromfile(CONFIGS / self.config)

    @property
    def dataset(self) -> str:
        """What it is tested on."""
        return dataset_name(self._config)

    @property
    def protocol(self) -> str:
        """Data, views and metric of the config's test, in words."""
        return protocol(self._config)

    @cached_property
    def training(self) -> str:
        """Weights to start from, steps and batch; empty for configs that only test."""
        return training(self._config)

    @property
    def input(self) -> list[int] | None:
        """Shape of one view, as ``complexity`` takes it."""
        return counted_input(self._config)


@cache
def models() -> dict[str, Model]:
    """All models of the zoo by name, in the order of the metafiles."""
    rows: dict[str, Model] = {}
    for path in metafiles():
        where = f"{path.parent.name}/{path.name}"
        try:
            metafile = yaml.safe_load(path.read_text(encoding="utf-8"))
            family, entries = metafile["family"], metafile["models"]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise ValueError(f"{where} is no metafile: {error!r}") from error
        for entry in entries:
            try:
                row = _model(family, entry)
            except (KeyError, TypeError) as error:
                name = entry.get("config", entry)
                raise ValueError(f"{where}, {name}: {error!r}") from error
            if row.name in rows:
                raise ValueError(f"{where}: {row.name!r} is listed twice")
            rows[row.name] = row
    return rows


# What the config says and therefore no metafile.
DERIVED = ("dataset", "protocol", "training", "input")
_RESULT = ("metric", "value", "machine", "log")


def _model(family: str, entry: dict) -> Model:
    """A row; a KeyError or a TypeError where something of it is missing or unknown."""
    entry = {key: value for key, value in entry.items() if key not in DERIVED}
    if entry.get("paper"):
        _require(entry["paper"], "paper", ("value", "source"))
    if entry.get("result"):
        _require(entry["result"], "result", _RESULT)
    if checkpoint := entry.pop("checkpoint", None):
        checkpoint = Checkpoint(**checkpoint)
        _require(entry.get("result") or {}, "result", _RESULT)
    name = Path(entry["config"]).stem
    return Model(name=name, family=family, checkpoint=checkpoint, **entry)


def _require(part: dict, name: str, keys: tuple[str, ...]) -> None:
    if missing := [key for key in keys if key not in part]:
        raise KeyError(f"{name} lacks {', '.join(missing)}")


def find(name: str) -> Model:
    """The model called ``name``, or that was called so in the last release.

    Raises:
        KeyError: There is none; the message names similar ones.
    """
    rows = models()
    name = current_model_name(name)
    if name in rows:
        return rows[name]
    close = difflib.get_close_matches(name, rows, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    raise KeyError(
        f"the zoo has no model {name!r}; {hint}"
        "`python tools/zoo/download.py --list` lists all"
    )


def find_checkpoint(name: str) -> Checkpoint:
    """The published weights of the model called ``name``.

    Raises:
        KeyError: There is no such model.
        LookupError: There are no weights of it.
    """
    model = find(name)
    if model.checkpoint is None:
        raise LookupError(
            f"the zoo has no weights of {name!r}; train them: "
            f"python tools/train.py configs/{model.config}"
        )
    return model.checkpoint
