"""Which files this process reads and writes logs of, so that none is truncated under somebody's feet."""

from __future__ import annotations

import gc
import os
import stat
import weakref
from typing import Any, Optional, Tuple

from exray._errors import ArgumentError, FileError, StateError

#: Device and inode: two paths of the same file have the same.
Identity = Tuple[int, int]

_MAGIC = b"\x89MCAP0\r\n"

#: Open logs (_Handle) and recorders; each has `identity` and `path`.
readers: "weakref.WeakSet[Any]" = weakref.WeakSet()
writers: "weakref.WeakSet[Any]" = weakref.WeakSet()


def identity(path: bytes) -> Optional[Identity]:
    """The file that stands at a path; None where there is none, or no regular one: devices and pipes lose nothing."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _holder(of: "weakref.WeakSet[Any]", file: Identity) -> Optional[Any]:
    return next((one for one in of if one.identity == file), None)


def _held(of: "weakref.WeakSet[Any]", file: Identity) -> Optional[Any]:
    """Who has the file open; nobody who is garbage already."""
    found = _holder(of, file)
    if found is None:
        return None
    del found
    gc.collect()
    return _holder(of, file)


def _is_other(path: bytes) -> bool:
    """Whether something else than a log stands there; an empty file does not count."""
    try:
        with open(path, "rb") as file:
            return not _MAGIC.startswith(file.read(len(_MAGIC)))
    except OSError:
        return False  # opening it for writing says why


def check_target(path: bytes, replayed: Optional[Identity]) -> None:
    """Whether a recorder may create, or overwrite, the file.  `replayed`: the log that it is to replay."""
    file, name = identity(path), os.fsdecode(path)
    if file is None:
        return
    if file == replayed:
        raise ArgumentError(f"{name} is the log that replay_of names: it would be overwritten; give another path")
    writer = _held(writers, file)
    if writer is not None:
        raise StateError(f"cannot record to {name}: another Recorder (of {writer.path}) has it open; close that one "
                         "first, or give another path")
    reader = _held(readers, file)
    if reader is not None:
        raise StateError(f"cannot record to {name}: this process reads it (a Log of {reader.path}, or frames and "
                         "arrays of one); close the log and let go of these, or give another path")
    if _is_other(path):
        raise FileError(f"{name} is there and is no log: it is not overwritten; give another path")
