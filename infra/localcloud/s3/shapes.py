"""Reads and writes S3's XML by botocore's model of the API, so that what was given comes back as it was given."""

from __future__ import annotations

from functools import cache
from typing import Any
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape, quoteattr

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape

from infra.localcloud.s3.errors import S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

# A value in the form that boto3 uses: str, bool, int, list, dict. Times stay text.
Value = Any


@cache
def service() -> ServiceModel:
    """Botocore's model of S3."""
    return botocore.session.get_session().get_service_model("s3")


@cache
def operation(name: str) -> OperationModel:
    """The model of one operation."""
    return service().operation_model(name)


@cache
def payload(name: str) -> Shape:
    """The shape of what the body of a request holds."""
    shape = operation(name).input_shape
    assert shape is not None
    return shape.members[shape.serialization["payload"]]


@cache
def output(name: str, member: str = "") -> StructureShape:
    """The shape of an operation's answer, or of the member that its body holds."""
    shape = operation(name).output_shape
    assert shape is not None
    if not member:
        return shape
    found = shape.members[member]
    assert isinstance(found, StructureShape)
    return found


@cache
def choices(name: str) -> frozenset[str]:
    """The values of an enumeration."""
    shape = service().shape_for(name)
    assert isinstance(shape, StringShape)
    return frozenset(shape.enum)


def parse(shape: Shape, document: bytes) -> dict[str, Value]:
    """Reads a request's body.

    Args:
        shape: The structure that the body holds.
        document: The XML.

    Raises:
        S3Error: The body is empty, is not XML or does not follow the model.
    """
    if not document.strip():
        raise S3Error("MissingRequestBodyError")
    try:
        root = ElementTree.fromstring(document)
    except (ElementTree.ParseError, ExpatError, ValueError, LookupError):
        raise S3Error("MalformedXML") from None
    if _name(root) not in (shape.serialization.get("name"), shape.name):
        raise S3Error("MalformedXML")
    value = _read(shape, root)
    assert isinstance(value, dict)
    return value


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _read(shape: Shape, element: ElementTree.Element) -> Value:
    if isinstance(shape, StructureShape):
        return _read_structure(shape, element)
    if isinstance(shape, ListShape):
        return [_read(shape.member, child) for child in element]
    text = element.text or ""
    if shape.type_name == "boolean":
        if text.strip().lower() not in ("true", "false"):
            raise S3Error("MalformedXML")
        return text.strip().lower() == "true"
    if shape.type_name in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            raise S3Error("MalformedXML") from None
    if isinstance(shape, StringShape) and shape.enum and text not in shape.enum:
        raise S3Error("MalformedXML")
    return text


def _read_structure(shape: StructureShape, element: ElementTree.Element) -> dict[str, Value]:
    members = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    value: dict[str, Value] = {}
    for child in element:
        name = members.get(_name(child))
        if name is None:
            raise S3Error("MalformedXML")
        member = shape.members[name]
        if isinstance(member, ListShape) and member.serialization.get("flattened"):
            value.setdefault(name, []).append(_read(member.member, child))
        elif name in value:
            raise S3Error("MalformedXML")
        else:
            value[name] = _read(member, child)
    for name, member in shape.members.items():
        if member.serialization.get("xmlAttribute"):
            attribute = member.serialization["name"].rpartition(":")[2]
            for key, text in element.attrib.items():
                if key.rpartition("}")[2] == attribute:
                    value[name] = text
    if any(name not in value for name in shape.required_members):
        raise S3Error("MalformedXML")
    return value


def write(shape: Shape, value: Value, root: str) -> bytes:
    """Writes an answer's body.

    Args:
        shape: The structure that the body holds; members in headers are left out.
        value: Its members.
        root: The name of the root element.
    """
    return (DECLARATION + _element(shape, value, root, f' xmlns="{NAMESPACE}"')).encode()


def _element(shape: Shape, value: Value, name: str, attributes: str = "") -> str:
    if isinstance(shape, StructureShape):
        return _structure(shape, value, name, attributes)
    if isinstance(shape, ListShape):
        item = shape.member.serialization.get("name", "member")
        return f"<{name}>{''.join(_element(shape.member, entry, item) for entry in value)}</{name}>"
    assert not isinstance(shape, MapShape)  # S3's XML has none
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}{attributes}>{escape(text)}</{name}>"


def _structure(shape: StructureShape, value: Value, name: str, attributes: str) -> str:
    children = []
    for member_name, member in shape.members.items():
        entry = value.get(member_name)
        if entry is None or "location" in member.serialization:
            continue
        child = member.serialization.get("name", member_name)
        if member.serialization.get("xmlAttribute"):
            attributes += f' xmlns:xsi="{_XSI}" {child}={quoteattr(entry)}'
        elif isinstance(member, ListShape) and member.serialization.get("flattened"):
            children += [_element(member.member, item, child) for item in entry]
        else:
            children.append(_element(member, entry, child))
    return f"<{name}{attributes}>{''.join(children)}</{name}>"
