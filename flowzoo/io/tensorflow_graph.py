"""Constants of a TensorFlow graph, read without TensorFlow."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .protobuf import message_class

_FLOAT = 1  # of TensorFlow's types


@functools.cache
def graph_class() -> Any:
    """The message tensorflow.GraphDef, as far as constants go."""
    definitions = dict(
        Dimension=dict(size=(1, "int64")),
        Shape=dict(dim=(2, "repeated Dimension")),
        TensorProto=dict(
            dtype=(1, "int32"),
            tensor_shape=(2, "Shape"),
            tensor_content=(4, "bytes"),
            float_val=(5, "repeated float"),
        ),
        AttrValue=dict(tensor=(8, "TensorProto")),
        Attribute=dict(key=(1, "string"), value=(2, "AttrValue")),
        NodeDef=dict(
            name=(1, "string"), op=(2, "string"), attr=(5, "repeated Attribute")
        ),
        GraphDef=dict(node=(1, "repeated NodeDef")),
    )
    how_to_install = (
        "reading TensorFlow's graph needs protobuf: pip install 'flowzoo[youtube8m]'"
    )
    return message_class("GraphDef", "proto3", definitions, how_to_install)


def read_constants(path: str | Path) -> dict[str, Tensor]:
    """Constants of float32 by the names of their nodes, in TensorFlow's layout.

    Raises:
        OSError: The file cannot be read.
        ImportError: protobuf is not installed.
        ValueError: It is no graph, has no constants, or one has another size than its
            shape says.
    """
    message = graph_class()
    from google.protobuf.message import DecodeError

    try:
        graph = message.FromString(Path(path).read_bytes())
    except DecodeError as error:
        raise ValueError(f"{path} is no graph of TensorFlow: {error}") from error
    constants = {}
    for node in graph.node:
        values = {a.key: a.value.tensor for a in node.attr if a.key == "value"}
        if node.op == "Const" and values["value"].dtype == _FLOAT:
            constants[node.name] = _tensor(path, node.name, values["value"])
    if not constants:
        raise ValueError(f"{path} has no constants: not a frozen graph of TensorFlow")
    return constants


def _tensor(path: str | Path, name: str, value: Any) -> Tensor:
    shape = tuple(dim.size for dim in value.tensor_shape.dim)
    content = value.tensor_content
    if len(content) % 4:
        raise ValueError(f"{path} is damaged: {name} has {len(content)} bytes")
    data = np.frombuffer(content, "<f4") if content else np.array(value.float_val, "f4")
    if len(data) == 1:  # one value stands for all
        data = np.full(math.prod(shape), data[0])
    if len(data) != math.prod(shape):
        raise ValueError(
            f"{path} is damaged: {name} has {len(data)} values for the shape {shape}"
        )
    return torch.from_numpy(data.reshape(shape).copy())
