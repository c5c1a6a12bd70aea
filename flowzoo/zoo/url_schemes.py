"""``flowzoo://NAME`` and ``*.safetensors`` wherever mmengine takes a checkpoint."""

from pathlib import Path

import torch
from mmengine.runner.checkpoint import CheckpointLoader

from ..io.checkpoint_io import read_checkpoint
from .download import download

PREFIX = "flowzoo://"


def local_file(checkpoint: str) -> Path:
    """The file of a checkpoint, given by its path or as ``flowzoo://NAME``.

    Raises:
        LookupError, OSError: as of :func:`flowzoo.zoo.download`.
    """
    if checkpoint.startswith(PREFIX):
        return download(checkpoint.removeprefix(PREFIX))
    return Path(checkpoint)


# mmengine matches these prefixes as regular expressions
@CheckpointLoader.register_scheme(prefixes=r".*\.safetensors$", force=True)
def load_from_safetensors(
    filename: str, map_location: str | torch.device | None = None
) -> dict:
    """Load a local file of the zoo's format."""
    return read_checkpoint(filename, map_location)


@CheckpointLoader.register_scheme(prefixes=PREFIX, force=True)
def load_from_flowzoo(
    filename: str, map_location: str | torch.device | None = None
) -> dict:
    """Load a model of the zoo by its name, after fetching it if need be."""
    path = download(filename.removeprefix(PREFIX))
    return read_checkpoint(path, map_location)
