"""What the user was told, and the truth: the records of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Iterable, Optional, Sequence, Tuple, Union

import numpy as np

from exray import _arguments as arguments
from exray._errors import ArgumentError
from exray._exray import ffi
from exray._types import Box, ClassScore, Keeper, Keypoint, Vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ClassLike = Union[ClassScore, Tuple[int, float], Tuple[int, float, str]]


# ---- Parts of an exray_result: they live as long as the keeper ----


def fill_classes(result: Any, keeper: Keeper, given: Sequence[ClassScore]) -> None:
    made = keeper.new("exray_class[]", max(len(given), 1))
    for i, c in enumerate(given):
        made[i].id, made[i].score, made[i].label = c.id, c.score, keeper.text(c.label, "a class's label")
    result.classes, result.class_count = made, len(given)


def fill_boxes(result: Any, keeper: Keeper, given: Sequence[Box]) -> None:
    made = keeper.new("exray_box[]", max(len(given), 1))
    for i, b in enumerate(given):
        for name in ("x_min", "y_min", "x_max", "y_max", "score", "id", "crowd"):
            setattr(made[i], name, getattr(b, name))
        made[i].label = keeper.text(b.label, "a box's label")
        made[i].corners = ffi.NULL if b.corners is None else keeper.new("float[8]", list(b.corners))
    result.boxes, result.box_count = made, len(given)


def fill_keypoints(result: Any, keeper: Keeper, given: Sequence[Keypoint]) -> None:
    made = keeper.new("exray_keypoint[]", max(len(given), 1))
    for i, p in enumerate(given):
        for name in ("x", "y", "z", "score", "id"):
            setattr(made[i], name, getattr(p, name))
    result.keypoints, result.keypoint_count = made, len(given)


def fill_mask(result: Any, keeper: Keeper, given: "NDArray[Any]") -> None:
    mask = keeper.new("exray_mask *")
    mask.height, mask.width = given.shape
    mask.size, mask.wide = given.nbytes, given.itemsize == 2
    mask.ids = keeper.buffer(given)
    result.mask = mask


def fill_vectors(result: Any, keeper: Keeper, given: Sequence[Vector]) -> None:
    made = keeper.new("exray_vector[]", max(len(given), 1))
    for i, v in enumerate(given):
        made[i].name = keeper.text(v.name, "a vector's name")
        made[i].values, made[i].count = keeper.array("float", v.values), len(v.values)
    result.vectors, result.vector_count = made, len(given)


# ---- Messages ----


class Told:
    """What is told of the open frame: each call writes one message; those of a frame are read as one Result."""

    def __init__(self, begin: Callable[[], None], log: Callable[[Any], Any]) -> None:
        self._may, self._log = begin, log

    def classes(self, classes: "Union[Iterable[ClassLike], NDArray[Any]]", *, top: int = 5,
                labels: Optional[Sequence[str]] = None) -> None:
        """As Recorder.classes()."""
        most = arguments.whole(top, "top", 1)
        if isinstance(classes, np.ndarray):
            given = arguments.best_classes(classes, most, labels)
        elif labels is not None:
            raise ArgumentError("classes(): labels go with a NumPy array of all scores; else give (id, score, label)")
        else:
            given = arguments.given_classes(classes)
        keeper, result = self._begin()
        fill_classes(result, keeper, given)
        self._end(result)

    def boxes(self, boxes: Iterable[Box]) -> None:
        """As Recorder.boxes()."""
        given = arguments.given_boxes(boxes)
        keeper, result = self._begin()
        fill_boxes(result, keeper, given)
        self._end(result)

    def text(self, text: str) -> None:
        """As Recorder.text()."""
        keeper, result = self._begin()
        result.text = keeper.text(text, "a result's text")
        self._end(result)

    def keypoints(self, points: "Union[Iterable[Keypoint], NDArray[Any]]") -> None:
        """As Recorder.keypoints()."""
        given = arguments.given_keypoints(points)
        keeper, result = self._begin()
        fill_keypoints(result, keeper, given)
        self._end(result)

    def mask(self, ids: "ArrayLike", *, ignore: Optional[int] = None) -> None:
        """As Recorder.mask()."""
        given = arguments.given_mask(ids, ignore)
        keeper, result = self._begin()
        fill_mask(result, keeper, given)
        self._end(result)

    def vector(self, name: str, values: "ArrayLike") -> None:
        """As Recorder.vector()."""
        given = arguments.given_vector(name, values)
        keeper, result = self._begin()
        fill_vectors(result, keeper, [given])
        self._end(result)

    def _begin(self) -> Tuple[Keeper, Any]:
        self._may()
        keeper = Keeper()
        return keeper, keeper.new("exray_result *")

    def _end(self, result: Any) -> None:
        self._log(result)
