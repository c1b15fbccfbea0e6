"""The one wrapper of an object's method, however many taps observe it."""

from __future__ import annotations

import functools
import time
from typing import Any, Callable, List, Mapping, Optional, Tuple

# Observer(run, arguments, keywords): calls `run` once, with the arguments, and returns what it returns.
Observer = Callable[[Callable[..., Any], Tuple[Any, ...], Mapping[str, Any]], Any]

_MARK = "_exray_hook"  # of the wrapper: the Hook that it is of


class Hook:
    """A method of one object (not of its class), observed.

    The first observer puts a wrapper in the place of the method; the last one that leaves restores what was there:
    the class's method, or the application's own function.  Where the application has wrapped the wrapper meanwhile, it stays
    below that and only passes calls on."""

    def __init__(self, owner: Any, name: str) -> None:
        self._owner, self._name = owner, name
        self._saved: Tuple[Any, ...] = (vars(owner)[name],) if name in vars(owner) else ()
        self.method: Callable[..., Any] = getattr(owner, name)  # what it was before
        self._observers: Tuple[Observer, ...] = ()
        self.took_ns = 0  # how long the method itself took, in the last call
        self._wrapper = self._make_wrapper()

    @classmethod
    def of(cls, owner: Any, name: str) -> "Hook":
        """The hook that stands in the method's place; a new one where there is none."""
        found: Optional[Hook] = getattr(vars(owner).get(name), _MARK, None)
        return found if found is not None and found._owner is owner else cls(owner, name)

    def _make_wrapper(self) -> Callable[..., Any]:
        @functools.wraps(self.method)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return self._observed(self._observers, args, kwargs)

        setattr(wrapper, _MARK, self)
        return wrapper

    def _observed(self, observers: Tuple[Observer, ...], args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The last observer is the outermost.  An observer that leaves during a call finishes it."""
        if observers:
            return observers[-1](lambda *a, **k: self._observed(observers[:-1], a, k), args, kwargs)
        began = time.perf_counter_ns()
        try:
            return self.method(*args, **kwargs)
        finally:
            self.took_ns = time.perf_counter_ns() - began

    def add(self, observer: Observer) -> None:
        self._observers += (observer,)
        if vars(self._owner).get(self._name) is not self._wrapper:
            object.__setattr__(self._owner, self._name, self._wrapper)

    def remove(self, observer: Observer) -> None:
        """Nothing happens where it is no observer (any more)."""
        left: List[Observer] = list(self._observers)
        if observer not in left:
            return
        left.remove(observer)
        self._observers = tuple(left)
        if left or vars(self._owner).get(self._name) is not self._wrapper:
            return
        if self._saved:
            object.__setattr__(self._owner, self._name, self._saved[0])
        else:
            vars(self._owner).pop(self._name)


__all__ = ["Hook", "Observer"]
