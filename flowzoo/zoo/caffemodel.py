"""Caffe's files of weights."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

_LEAVES = ("weight", "bias")


@functools.cache
def net_parameter_class() -> Any:
    """The message caffe.NetParameter, as far as names and blobs of layers go."""
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError as error:
        raise ImportError(
            "reading a .caffemodel needs protobuf: pip install 'flowzoo[caffe]'"
        ) from error
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="flowzoo/caffemodel.proto", package="flowzoo", syntax="proto2"
    )
    one, many = kinds.LABEL_OPTIONAL, kinds.LABEL_REPEATED
    messages = dict(
        BlobShape=[(1, "dim", kinds.TYPE_INT64, many)],
        BlobProto=[
            (5, "data", kinds.TYPE_FLOAT, many),
            (7, "shape", "BlobShape", one),
        ],
        LayerParameter=[
            (1, "name", kinds.TYPE_STRING, one),
            (7, "blobs", "BlobProto", many),
        ],
        NetParameter=[
            (1, "name", kinds.TYPE_STRING, one),
            (100, "layer", "LayerParameter", many),
        ],
    )
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for number, field_name, kind, label in fields:
            field = message.field.add(name=field_name, number=number, label=label)
            if isinstance(kind, str):
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".flowzoo.{kind}"
            else:
                field.type = kind
                field.options.packed = label == many
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("flowzoo.NetParameter")
    )


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
