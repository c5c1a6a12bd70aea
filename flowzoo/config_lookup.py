"""Where each of FlowZoo's configs lies, by its name, today's or a former one."""

import difflib
import warnings
from pathlib import Path

CONFIGS = Path(__file__).parent / ".mim" / "configs"

# Former names, which keep working for one release.
RENAMED = {
    "bigru_i3d_kinetics": "monet_i3d_kinetics_bigru",
    "bilstm_i3d_kinetics": "monet_i3d_kinetics_bilstm",
    "conv1d_i3d_kinetics": "monet_i3d_kinetics_conv1d",
    "flow_r18_motionshapes": "slowonly_r18_motionshapes_flow",
    "gru2_i3d_kinetics": "monet_i3d_kinetics_gru2",
    "gru_i3d_kinetics": "monet_i3d_kinetics_gru",
    "indrnn_i3d_kinetics": "monet_i3d_kinetics_indrnn",
    "lstm2_i3d_kinetics": "monet_i3d_kinetics_lstm2",
    "lstm_i3d_kinetics": "monet_i3d_kinetics_lstm",
    "mlp_i3d_kinetics": "monet_i3d_kinetics_mlp",
    "repflow_r34_hmdb51lowres": "repflow_r34_hmdb51_112",
    "repflow_released_r50_kinetics": "repflow_r50_kinetics_released",
}

# Former files of ``_base_/``, whose names may stand in several of its folders.
RENAMED_BASES = {
    "models/hidden2s_r18_motionshapes.py": "models/hidden2s_r18.py",
    "models/repflow_r2plus1d18.py": "models/repflow_tran_r2plus1d18.py",
    "schedules/motionnet_motionshapes.py": "schedules/motionnet_small.py",
    "schedules/motionshapes.py": "schedules/motionshapes_12e.py",
}

ROOMS = ("datasets", "models", "pipelines", "schedules")
SPLIT = (
    "_base_/datasets/ says what the data is, and no longer how it is read: inherit "
    "from a file of _base_/pipelines/, too, and join the two by "
    "train_dataloader = dict(dataset=_base_.train_data), and so for val and test, as "
    "configs/README.md shows"
)


def find_config(name: str) -> Path:
    """Path of one of FlowZoo's configs.

    Args:
        name: file name such as ``repflow_r50_kinetics.py``, whatever folder of
            ``configs/`` the file lies in, or a path below ``configs/``.

    Raises:
        FileNotFoundError: There is no such config; the message names similar ones.
    """
    if (path := CONFIGS / name).is_file():
        return path
    if (path := _renamed_base(CONFIGS / name)) and path.is_file():
        _warn(f"the config {name} is now {path.relative_to(CONFIGS)}")
        return path
    paths = _paths_by_name()
    file_name, room = Path(name).name, Path(name).parent.name
    found = paths.get(_current_name(file_name))
    # Files of several folders of _base_ have, or had, the same name.
    if found and (room not in ROOMS or room == found.parent.name):
        path = found.relative_to(CONFIGS)
        if found.name != file_name:
            _warn(f"the config {file_name} is now {path}")
        elif name != file_name:
            _warn(f"the config {name} moved to {path}")
        return found
    known = sorted(str(path.relative_to(CONFIGS)) for path in paths.values())
    wanted = name.removesuffix(file_name) + _current_name(file_name)
    close = difflib.get_close_matches(wanted, {*known, *paths}, n=3, cutoff=0.5)
    advice = "configs/README.md maps them"
    if room in ("datasets", "pipelines"):
        advice = SPLIT
    elif close:
        advice = f"did you mean one of: {', '.join(close)}?"
    raise FileNotFoundError(f"FlowZoo has no config {name!r}; {advice}")


def moved_config(path: str | Path) -> Path | None:
    """Where a file of ``configs/`` went that lay at ``path`` in a former release.

    It is looked for in the folders beside ``path``, so that a copy of ``configs/``
    answers for itself. None where ``path`` exists, or is none of FlowZoo's configs.
    """
    path = Path(path)
    if path.is_file():
        return None
    if (moved := _renamed_base(path)) and moved.is_file():
        _warn(f"the config {path} is now {moved}")
        return moved
    name = _current_name(path.name)
    if name not in _paths_by_name():
        return None
    folders = {p.parent.name for p in CONFIGS.rglob(name)}  # not a work directory
    copies = path.parent.glob(f"*/{name}")
    moved = next((p for p in copies if p.parent.name in folders), None)
    if moved:
        _warn(f"the config {path} is now {moved}")
    return moved


def current_model_name(name: str) -> str:
    """The model's name in this release; a former one is answered with a warning."""
    if name not in RENAMED:
        return name
    _warn(f"the model {name} is now called {RENAMED[name]}")
    return RENAMED[name]


def _paths_by_name() -> dict[str, Path]:
    return {path.name: path for path in CONFIGS.rglob("*.py")}


def _renamed_base(path: Path) -> Path | None:
    """Where a file of ``_base_/`` would lie under its present name."""
    *_, above, folder, name = ("", "", "", *path.parts)  # Path("") has no parts
    present = above == "_base_" and RENAMED_BASES.get(f"{folder}/{name}")
    return path.parents[1] / present if present else None


def _current_name(file_name: str) -> str:
    name = Path(file_name)
    return RENAMED.get(name.stem, name.stem) + name.suffix


def _warn(change: str) -> None:
    warnings.warn(
        f"{change}; the former name will stop working in the next release",
        FutureWarning,
        stacklevel=4,
    )
