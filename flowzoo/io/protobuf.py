"""Protocol-buffer messages from their published definitions, without generated code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def message_class(
    name: str,
    syntax: str,
    definitions: Mapping[str, Mapping[str, tuple[int, str]]],
    how_to_install: str,
) -> Any:
    """The class of a message.

    Args:
        name: one of ``definitions``.
        syntax: 'proto2' or 'proto3'.
        definitions: of this message and of those that it contains: the number and the
            type of each field, such as ``(1, 'repeated float')``.
        how_to_install: the error's text where protobuf is missing.

    Raises:
        ImportError: protobuf is not installed.
    """
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError as error:
        raise ImportError(how_to_install) from error
    types = descriptor_pb2.FieldDescriptorProto
    package = f"flowzoo.{name}"
    file = descriptor_pb2.FileDescriptorProto(
        name=f"flowzoo/{name}.proto", package=package, syntax=syntax
    )
    for message_name, fields in definitions.items():
        message = file.message_type.add(name=message_name)
        for field_name, (number, kind) in fields.items():
            *repeated, kind = kind.split()
            label = types.LABEL_REPEATED if repeated else types.LABEL_OPTIONAL
            field = message.field.add(name=field_name, number=number, label=label)
            if kind in definitions:
                field.type, field.type_name = types.TYPE_MESSAGE, f".{package}.{kind}"
                continue
            field.type = getattr(types, f"TYPE_{kind.upper()}")
            # only numbers have a packed form
            field.options.packed = bool(repeated) and kind not in ("bytes", "string")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    message = pool.FindMessageTypeByName(f"{package}.{name}")
    return message_factory.GetMessageClass(message)
