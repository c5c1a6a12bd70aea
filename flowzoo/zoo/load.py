"""A model of the zoo, built and filled."""

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from ..config_lookup import find_config
from ..io.checkpoint_io import read_checkpoint
from .download import download
from .index import find


def load(name: str, device: str | torch.device = "cpu") -> nn.Module:
    """Build a model of the zoo, with its published weights, for inference.

    Args:
        name: of the model, as ``flowzoo.zoo.models()`` lists them.
        device: where the model is put.

    Returns:
        The model of the config of that name, in evaluation mode.

    Raises:
        KeyError, LookupError: There is no such model, or it has no weights.
        DownloadError: The weights cannot be fetched.
    """
    checkpoint = read_checkpoint(download(name))
    config = Config.fromfile(find_config(find(name).config))
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
    model.load_state_dict(checkpoint["state_dict"])
    return model.to(device).eval()
