"""Checkpoints: those of the zoo, tensors and text beside them, and torch.save's."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor


def write_checkpoint(path: Path, state_dict: dict[str, Tensor], meta: dict) -> None:
    """Write weights and JSON-able ``meta`` to a safetensors file."""
    # cloned, as safetensors rejects two names of one memory (tied weights)
    tensors = {
        name: t.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, t in state_dict.items()
    }
    text = {key: json.dumps(value) for key, value in meta.items()}
    save_file(tensors, str(path), metadata=text)
    path.chmod(0o644)  # it comes readable for its owner only


def read_checkpoint(
    path: str | Path, map_location: str | torch.device | None = None
) -> dict:
    """Read what :func:`write_checkpoint` wrote, as mmengine's checkpoints look.

    Returns:
        dict: ``state_dict``, and ``meta`` with the text (config, classes, metrics,
        versions), which may be any text in files of other libraries. Nothing in the
        file is executed.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no safetensors file, or a damaged one.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}")
    device = "cpu" if map_location is None else str(map_location)
    try:
        with safe_open(str(path), framework="pt", device=device) as file:
            state_dict = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            text = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
    return dict(state_dict=state_dict, meta={k: _parse(v) for k, v in text.items()})


def _parse(text: str) -> object:
    """What a JSON text says; another text as it is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def write_state_dict(
    path: Path, state_dict: Mapping[str, Tensor], meta: dict | None = None
) -> None:
    """Write weights by ``torch.save``; OSError, as of other files, where that fails."""
    with path.open("wb") as file:
        torch.save(dict(state_dict=dict(state_dict), meta=meta or {}), file)


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint; see :func:`read_weights`."""
    return read_weights(path)[0]


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], Mapping]:
    """The tensors of a checkpoint and its ``meta``, without running its code.

    Args:
        path: of a safetensors file, or of one written by ``torch.save``: a state_dict,
            or a dictionary with one under ``state_dict``. A prefix ``module.`` of all
            names, from DataParallel, is taken off.

    Raises:
        OSError: The file cannot be read.
        ValueError: It holds something else.
    """
    meta = {}
    if Path(path).suffix == ".safetensors":
        content = read_checkpoint(path)
    else:
        content = _load_tensors(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        if isinstance(content.get("meta"), Mapping):
            meta = content["meta"]
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor)
        for name, value in content.items()
    ):
        raise ValueError(f"{path} holds no state_dict (names and their tensors)")
    if content and all(name.startswith("module.") for name in content):
        return {name.removeprefix("module."): v for name, v in content.items()}, meta
    return dict(content), meta


def _load_tensors(path: str | Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # an unpickler's, on what is no pickle, are of any kind
        raise ValueError(
            f"{path} is not a state_dict written by torch.save, or holds more than "
            f"tensors: {str(error).splitlines()[0] if str(error) else 'it is empty'}"
        ) from error
