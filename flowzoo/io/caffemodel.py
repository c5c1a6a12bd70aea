"""Caffe's files of weights."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .protobuf import message_class

_LEAVES = ("weight", "bias")


@functools.cache
def net_parameter_class() -> Any:
    """The message caffe.NetParameter, as far as names and blobs of layers go."""
    definitions = dict(
        BlobShape=dict(dim=(1, "repeated int64")),
        BlobProto=dict(data=(5, "repeated float"), shape=(7, "BlobShape")),
        LayerParameter=dict(name=(1, "string"), blobs=(7, "repeated BlobProto")),
        NetParameter=dict(name=(1, "string"), layer=(100, "repeated LayerParameter")),
    )
    how_to_install = (
        "reading a .caffemodel needs protobuf: pip install 'flowzoo[caffe]'"
    )
    return message_class("NetParameter", "proto2", definitions, how_to_install)


def read_caffemodel(path: str | Path) -> dict[str, Tensor]:
    """Weights and biases of the layers of a .caffemodel.

    Returns:
        ``LAYER.weight`` and ``LAYER.bias``, for the first two blobs of each layer, in
        float32. Convolutions, deconvolutions and inner products have PyTorch's layout.

    Raises:
        OSError: The file cannot be read.
        ImportError: protobuf is not installed.
        ValueError: It is no .caffemodel of Caffe 1.0 (older ones, with ``layers``, are
            not read), or a blob has another size than its shape says.
    """
    message_class = net_parameter_class()
    from google.protobuf.message import DecodeError

    content = Path(path).read_bytes()
    try:
        net = message_class.FromString(content)
    except DecodeError as error:
        raise ValueError(f"{path} is not a .caffemodel: {error}") from error
    tensors = {}
    for layer in net.layer:
        for leaf, blob in zip(_LEAVES, layer.blobs, strict=False):
            shape = tuple(blob.shape.dim)
            data = np.array(blob.data, dtype=np.float32)
            if math.prod(shape) != len(data):
                raise ValueError(
                    f"{path} is damaged: {layer.name}.{leaf} has {len(data)} values "
                    f"for the shape {shape}"
                )
            tensors[f"{layer.name}.{leaf}"] = torch.from_numpy(data).reshape(shape)
    if not tensors:
        raise ValueError(f"{path} has no layers with weights: not of Caffe 1.0?")
    return tensors
