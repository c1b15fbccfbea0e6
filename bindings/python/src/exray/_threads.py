"""What runs on the calling thread: C calls back on the one that called it."""

from __future__ import annotations

import threading
from typing import Generic, List, TypeVar

T = TypeVar("T")


class StackOfThread(threading.local, Generic[T]):
    """A list for each thread, the innermost last: calls may nest."""

    def __init__(self) -> None:  # of each thread, when it first asks
        self.items: List[T] = []
