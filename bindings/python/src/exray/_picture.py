"""Sensor pictures through the C library's decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exray._errors import new_error, raise_filled
from exray._exray import ffi, lib
from exray._tensor import Tensor
from exray._types import Keeper

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _checked(picture: Any, error: Any) -> Any:
    if picture == ffi.NULL:
        raise_filled(error)
    return ffi.gc(picture, lib.exray_picture_free)


def decode(tensor: Tensor, upright: bool) -> "NDArray[np.uint8]":
    """A sensor record as [height, width, 3] RGB."""
    keeper, error = Keeper(), new_error()
    media = keeper.media(tensor.media)
    raw = tensor.raw()
    picture = _checked(lib.exray_picture_decode(media, ffi.from_buffer(raw), len(raw), error), error)
    turn = lib.exray_picture_orientation(picture)
    if upright and turn != 1:
        picture = _checked(lib.exray_picture_orient(picture, turn, error), error)
    height, width = lib.exray_picture_height(picture), lib.exray_picture_width(picture)
    channels = lib.exray_picture_channels(picture)
    pixels = ffi.gc(ffi.cast("uint8_t *", lib.exray_picture_pixels(picture)), lambda _, kept=picture: None)
    array = np.frombuffer(memoryview(ffi.buffer(pixels, height * width * channels)).toreadonly(), np.uint8)
    array = array.reshape(height, width, channels)
    if channels == 1:
        array = np.repeat(array, 3, axis=2)
        array.flags.writeable = False
    return array
