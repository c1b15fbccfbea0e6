"""What goes wrong, as exceptions: one class for each status of the C library."""

from __future__ import annotations

import os
from typing import Any, Dict, Type

from exray._exray import ffi, lib


class Error(Exception):
    """Something exray could not do; its text is the C library's one line."""


class ArgumentError(Error, ValueError):
    """A parameter is out of its stated range."""


class StateError(Error):
    """Called in the wrong order, or of something that was not recorded."""


class NotRecorded(StateError):
    """What is asked for is not in the log.  An assertion that raises it counts as unjudged."""


class OutOfMemoryError(Error, MemoryError):
    """Memory ran out."""


class FileError(Error, OSError):
    """Reading or writing failed."""


class NoSpaceError(Error, OSError):
    """The disk is full."""


class FormatError(Error, ValueError):
    """The bytes are not what they should be."""


class LimitError(Error):
    """A fixed table is full."""


class EngineError(Error):
    """An engine is missing, too old, or failed."""


class UnsupportedError(Error):
    """Understood, but not supported."""


class MissingPackage(Error, ImportError):
    """A Python package that this function needs is not installed."""


class ValidationFailed(Error, AssertionError):
    """Raised by Report.raise_for_findings; its text names the findings."""


_CLASSES: Dict[str, Type[Error]] = {
    "EXRAY_E_ARGUMENT": ArgumentError,
    "EXRAY_E_STATE": StateError,
    "EXRAY_E_MEMORY": OutOfMemoryError,
    "EXRAY_E_IO": FileError,
    "EXRAY_E_NO_SPACE": NoSpaceError,
    "EXRAY_E_FORMAT": FormatError,
    "EXRAY_E_LIMIT": LimitError,
    "EXRAY_E_ENGINE": EngineError,
    "EXRAY_E_UNSUPPORTED": UnsupportedError,
}


def text(value: Any) -> str:
    """A C string; "" for NULL."""
    return "" if value == ffi.NULL else bytes(ffi.string(value)).decode("utf-8", "replace")


def show(value: Any) -> str:
    """A caller's value for an error, which is one line."""
    line = " ".join(repr(value).split())
    return line if len(line) <= 80 else line[:77] + "..."


def encode(value: str, what: str = "a text") -> bytes:
    """A string for C, which ends at the first NUL."""
    if not isinstance(value, str):
        raise ArgumentError(f"{what} is a str, not {type(value).__name__}: {show(value)}")
    if "\0" in value:
        raise ArgumentError(f"{what} must not have a NUL character in it: {show(value)}")
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ArgumentError(f"{what} has characters that UTF-8 cannot encode: {show(value)}") from None


def encode_path(path: Any, what: str = "path") -> bytes:
    """A file's path (str, bytes, os.PathLike) for C.  NUL is refused: C would take the text before it for
    the path, and open another file."""
    try:
        name = os.fsencode(path)
    except TypeError:
        raise ArgumentError(f"{what} is a str, bytes or os.PathLike, not {type(path).__name__}: {show(path)}") from None
    except UnicodeEncodeError:
        raise ArgumentError(f"{what} has characters that a file's name cannot have: {show(path)}") from None
    if not name:
        raise ArgumentError(f"{what} is empty; give a file's name")
    if b"\0" in name:
        raise ArgumentError(f"{what} must not have a NUL character in it: {show(path)}")
    return name


def status_number(name: str) -> int:
    """The number of the status of that name, such as "EXRAY_E_STATE"."""
    for number in range(32):
        if text(lib.exray_status_name(number)) == name:
            return number
    raise ArgumentError(f"there is no status {name}")


def make_error(status: int, message: str) -> Error:
    """The exception for a status of the C library."""
    return _CLASSES.get(text(lib.exray_status_name(status)), Error)(message)


def new_error() -> Any:
    """An exray_error to be filled."""
    return ffi.new("exray_error *")


def raise_filled(error: Any) -> None:
    """Raises what a function has filled in."""
    raise make_error(error.status, text(error.message))


def need(package: str, purpose: str) -> Any:
    """Imports a package that only some functions need."""
    import importlib

    try:
        return importlib.import_module(package)
    except ImportError as error:
        root = package.split(".")[0]
        if error.name is not None and error.name.split(".")[0] != root:
            raise
        raise MissingPackage(f"{purpose} needs the package {root}: pip install {root}") from error
