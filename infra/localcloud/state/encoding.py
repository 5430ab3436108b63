"""One object as bytes and back.

The bytes are a pickle of the object's attributes. Another stored object in them is a reference by number, and a backend
is a reference by name, so each object is stored once and keeps its identity. Reading imports and calls only what
:mod:`infra.localcloud.state.rules` allows, and the store checks the SHA-256 of the bytes before.
"""

from __future__ import annotations

import enum
import importlib
import io
import pickle
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from functools import cache, reduce
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from moto.core.base_backend import BaseBackend
from moto.dynamodb.models.dynamo_type import LimitedSizeDict

from infra.localcloud.install import Context
from infra.localcloud.state import rules
from infra.localcloud.state.errors import UnstorableError

_PROTOCOL = 5
_RUNTIME_TYPES = (threading.Thread, threading.Timer, threading.Event, io.IOBase)
_CONTAINERS = (dict, list, set, frozenset, tuple, str, bytes, int, float, BaseException, enum.Enum, type)
_is_object: dict[type, bool] = {}

Identify = Callable[[Any], int]
Find = Callable[[int], Any]
NameBackend = Callable[[BaseBackend], tuple[str, ...]]
FindBackend = Callable[..., BaseBackend]


def class_name(kind: type) -> str:
    """The module and qualified name of a class, as in ``moto.sqs.models:Queue``."""
    return f"{kind.__module__}:{kind.__qualname__}"


def is_stored_object(kind: type) -> bool:
    """Whether instances of the class are stored on their own: moto's and our models, except value classes."""
    known = _is_object.get(kind)
    if known is None:
        known = _is_object[kind] = (
            kind.__module__.startswith(("moto.", "infra.localcloud."))
            and not issubclass(kind, _CONTAINERS)
            and hasattr(kind, "__dict__")
            and kind.__dictoffset__ != 0
            and kind.__reduce_ex__ is object.__reduce_ex__
            and (kind.__hash__ in (object.__hash__, None) or class_name(kind) in rules.NO_KEYS)
            and class_name(kind) not in rules.VALUES
        )
    return known


# The functions below stand in pickles in place of what they name. `Decoder.find_class` replaces the first three.


def stored_object(number: int) -> NoReturn:
    """The stored object with this number."""
    raise NotImplementedError


def stored_backend(*name: str) -> NoReturn:
    """The backend with this name."""
    raise NotImplementedError


def server_context() -> NoReturn:
    """The server's context."""
    raise NotImplementedError


def new_lock(reentrant: bool) -> Any:
    """A lock that nobody holds."""
    return threading.RLock() if reentrant else threading.Lock()


def new_condition() -> threading.Condition:
    """A condition for which nobody waits."""
    return threading.Condition()


def new_default_dict(kind: type[defaultdict[Any, Any]], factory: Callable[[], Any] | None) -> defaultdict[Any, Any]:
    """An empty dictionary of a subclass, made without its ``__init__``."""
    made = kind.__new__(kind)
    made.default_factory = factory
    return made


def compile_pattern(pattern: str, flags: int) -> re.Pattern[str]:
    """A regular expression."""
    return re.compile(pattern, flags)


def bound_method(obj: Any, name: str) -> MethodType:
    """A method of a stored object."""
    return MethodType(getattr(type(obj), name), obj)


def new_weak_values(values: dict[Any, Any]) -> WeakValueDictionary[Any, Any]:
    """A dictionary that does not keep its values."""
    return WeakValueDictionary(values)


def new_limited_dict(values: dict[str, Any]) -> LimitedSizeDict:
    """The attributes of a DynamoDB item, without checking its size again for each of them."""
    made = LimitedSizeDict()
    dict.update(made, values)
    return made


def load_private_key(der: bytes) -> Any:
    """A private key."""
    return serialization.load_der_private_key(der, None)


def load_public_key(der: bytes) -> Any:
    """A public key."""
    return serialization.load_der_public_key(der)


def load_certificate(der: bytes) -> x509.Certificate:
    """An X.509 certificate."""
    return x509.load_der_x509_certificate(der)


class _Encoder(pickle.Pickler):
    """Pickles the attributes of one object; collects the other stored objects to which they refer."""

    def __init__(self, file: io.BytesIO, identify: Identify, name_backend: NameBackend) -> None:
        super().__init__(file, _PROTOCOL)
        self.references: list[Any] = []
        self.identify = identify
        self.name_backend = name_backend

    def reducer_override(self, obj: Any) -> Any:
        """Called by pickle for everything that is no plain value."""
        if obj is stored_object or obj is stored_backend:
            return NotImplemented
        kind = type(obj)
        reduction = _reductions.get(kind)
        if reduction is None:
            reduction = _reductions[kind] = _reduction_of(kind)
        return reduction(self, obj)


# How an object is pickled: a function and its arguments, or NotImplemented for pickle's own way.
Reduction = Callable[[_Encoder, Any], Any]


def _reduction_of(kind: type) -> Reduction:
    if issubclass(kind, BaseBackend):
        return lambda encoder, backend: (stored_backend, tuple(encoder.name_backend(backend)))
    if is_stored_object(kind) and kind is not Context:
        return _refer
    if issubclass(kind, defaultdict) and kind is not defaultdict:
        return lambda encoder, values: (
            new_default_dict, (kind, values.default_factory), vars(values), None, iter(dict.items(values))
        )  # fmt: skip
    if issubclass(kind, (type, FunctionType, BuiltinFunctionType)):
        return _name_global
    if issubclass(kind, _RUNTIME_TYPES):
        return _refuse
    if kind.__module__.startswith("cryptography."):
        return lambda encoder, key: _key(key)
    return lambda encoder, value: NotImplemented


def _refer(encoder: _Encoder, obj: Any) -> Any:
    encoder.references.append(obj)
    return stored_object, (encoder.identify(obj),)


def _name_global(encoder: _Encoder, obj: Any) -> Any:
    """A class or function is stored by its name, which must be allowed when it is read."""
    name = f"{obj.__module__}.{obj.__qualname__}"
    if name in rules.FACTORIES:
        return replaced_factory, (name,)
    if not is_allowed(obj.__module__, obj.__qualname__, obj):
        raise UnstorableError(f"refers to {name}, which rules.py does not allow in stored state")
    return NotImplemented


def _refuse(encoder: _Encoder, obj: Any) -> NoReturn:
    raise UnstorableError(f"refers to a {class_name(type(obj))}: name its attribute in RUNTIME of its class")


_reductions: dict[type, Reduction] = {
    LimitedSizeDict: lambda encoder, values: (new_limited_dict, (dict(values),)),
    Context: lambda encoder, context: (server_context, ()),
    type(threading.Lock()): lambda encoder, lock: (new_lock, (False,)),
    type(threading.RLock()): lambda encoder, lock: (new_lock, (True,)),
    threading.Condition: lambda encoder, condition: (new_condition, ()),
    MethodType: lambda encoder, method: (bound_method, (method.__self__, method.__name__)),
    WeakValueDictionary: lambda encoder, values: (new_weak_values, (dict(values),)),
    re.Pattern: lambda encoder, pattern: (compile_pattern, (pattern.pattern, pattern.flags)),
}


def replaced_factory(name: str) -> Any:
    """The function that replaces a lambda of moto; it is itself stored by its name."""
    replacement = rules.FACTORIES[name]

    def factory() -> Any:
        return replacement()

    module, _, qualified = name.partition(".models.")
    factory.__module__, factory.__qualname__ = f"{module}.models", qualified
    return factory


@cache
def is_allowed(module: str, name: str, found: Any) -> bool:
    """Whether a class or function may occur in stored state."""
    if not isinstance(found, type):
        return module in (__name__, "copyreg") and "<" not in name
    if module == "builtins":
        return name in rules.BUILTINS
    return module in rules.OTHER_MODULES or module.startswith(rules.MODULES)


def _key(obj: Any) -> Any:
    """Keys and certificates of the cryptography package, as DER."""
    der, plain = serialization.Encoding.DER, serialization.NoEncryption()
    if hasattr(obj, "private_bytes"):
        return load_private_key, (obj.private_bytes(der, serialization.PrivateFormat.PKCS8, plain),)
    if isinstance(obj, x509.Certificate):
        return load_certificate, (obj.public_bytes(der),)
    if hasattr(obj, "public_bytes"):
        return load_public_key, (obj.public_bytes(der, serialization.PublicFormat.SubjectPublicKeyInfo),)
    return NotImplemented


def encode(value: Any, identify: Identify, name_backend: NameBackend) -> tuple[bytes, list[Any]]:
    """Encodes a value, usually the attributes of an object.

    Args:
        value: The value.
        identify: Returns the number of a stored object.
        name_backend: Returns the name of a backend.

    Returns:
        The bytes, and the stored objects to which they refer.

    Raises:
        UnstorableError: The value holds something that cannot be stored.
    """
    file = io.BytesIO()
    encoder = _Encoder(file, identify, name_backend)
    try:
        encoder.dump(value)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise UnstorableError(f"cannot be stored: {error}") from error
    return file.getvalue(), encoder.references


class Decoder:
    """Reads what :func:`encode` wrote.

    Args:
        find: Returns the stored object with a number.
        find_backend: Returns the backend with a name.
        context: The server's context.
    """

    def __init__(self, find: Find, find_backend: FindBackend, context: Context) -> None:
        self._replacements: dict[tuple[str, str], Any] = {
            (__name__, "stored_object"): find,
            (__name__, "stored_backend"): find_backend,
            (__name__, "server_context"): lambda: context,
        }

    def decode(self, data: bytes) -> Any:
        """Reads a value.

        Raises:
            pickle.UnpicklingError: The bytes name a class or function that is not allowed.
        """
        return _Unpickler(io.BytesIO(data), self).load()

    def find_class(self, module: str, name: str) -> Any:
        """The class or function that the bytes name."""
        key = module, name
        if key not in self._replacements:
            known = module in (*rules.OTHER_MODULES, "builtins") or module.startswith(rules.MODULES)
            found = reduce(getattr, name.split("."), importlib.import_module(module)) if known else None
            if not is_allowed(module, name, found):
                raise pickle.UnpicklingError(f"{module}.{name} may not occur in stored state")
            self._replacements[key] = found
        return self._replacements[key]


class _Unpickler(pickle.Unpickler):  # noqa: S301 - find_class allows our own classes only, and the digest was checked
    def __init__(self, file: io.BytesIO, decoder: Decoder) -> None:
        super().__init__(file)
        self._find = decoder.find_class

    def find_class(self, module: str, name: str) -> Any:
        return self._find(module, name)
