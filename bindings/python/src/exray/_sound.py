"""Sensor sounds through the C library's decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Tuple

import numpy as np

from exray._errors import new_error, raise_filled
from exray._exray import ffi, lib
from exray._tensor import Tensor
from exray._types import Keeper

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOUNDS = ("wav", "s16", "f32")


def decode(tensor: Tensor) -> "Tuple[int, NDArray[np.float32]]":
    """A sensor record as its rate and [length, channels]."""
    keeper, error = Keeper(), new_error()
    media = keeper.media(tensor.media)
    raw = tensor.raw()
    sound = lib.exray_sound_decode(media, ffi.from_buffer(raw), len(raw), error)
    if sound == ffi.NULL:
        raise_filled(error)
    sound = ffi.gc(sound, lib.exray_sound_free)
    length, channels = lib.exray_sound_length(sound), lib.exray_sound_channels(sound)
    samples = ffi.gc(ffi.cast("float *", lib.exray_sound_samples(sound)), lambda _, kept=sound: None)
    array = np.frombuffer(memoryview(ffi.buffer(samples, 4 * length * channels)).toreadonly(), np.float32)
    return lib.exray_sound_rate(sound), array.reshape(length, channels)
