"""``flowzoo://NAME`` and ``*.safetensors`` wherever mmengine takes a checkpoint."""

import torch
from mmengine.runner.checkpoint import CheckpointLoader

from ..io.checkpoint_io import read_checkpoint
from .download import download

PREFIX = "flowzoo://"


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
