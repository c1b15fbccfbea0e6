"""Which files this process reads and writes logs of, so that none is truncated while it is read."""

from __future__ import annotations

import fcntl
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
    """The file at a path; None: there is none, or it is not a regular one (devices and pipes lose nothing)."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _holder(of: "weakref.WeakSet[Any]", file: Identity) -> Optional[Any]:
    here = os.getpid()  # what a parent has open is not this process's
    return next((one for one in of if one.identity == file and getattr(one, "_process", here) == here), None)


def _held(of: "weakref.WeakSet[Any]", file: Identity) -> Optional[Any]:
    """Who has the file open, without objects that are garbage already."""
    found = _holder(of, file)
    if found is None:
        return None
    del found
    gc.collect()
    return _holder(of, file)


def _is_other(path: bytes) -> bool:
    """Whether another file than a log is there; an empty one does not count."""
    try:
        with open(path, "rb") as file:
            return not _MAGIC.startswith(file.read(len(_MAGIC)))
    except OSError:
        return False  # opening it for writing says why


def claim(path: bytes) -> Optional[int]:
    """Locks the file that a recorder writes, so that no other process records to it meanwhile: a descriptor for
    release(); None where there is no regular file."""
    try:
        held = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if stat.S_ISREG(os.fstat(held).st_mode):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return held
    except BlockingIOError:
        os.close(held)
        raise StateError(f"cannot record to {os.fsdecode(path)}: another process records to it; let it end, or give "
                         "another path") from None
    except OSError:
        pass  # a file system without locks
    os.close(held)
    return None


def release(held: Optional[int]) -> None:
    """Forked children have the descriptor, too: it is unlocked, not only closed."""
    if held is not None:
        fcntl.flock(held, fcntl.LOCK_UN)
        os.close(held)


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
    if _is_other(path):
        raise FileError(f"{name} is there and is no log: it is not overwritten; give another path")
    if _holder(readers, file) is not None:
        _make_room(path)


def _make_room(path: bytes) -> None:
    """Takes the name from a log that this process still reads (an array of it may lie in the file itself): what is
    recorded next is another file."""
    try:
        os.unlink(os.path.realpath(path))
    except OSError as error:
        raise FileError(f"cannot make room for {os.fsdecode(path)}, which this process reads: {error.strerror}; give "
                        "another path") from error
