"""TensorSketch version 1, written from spec/sketch.md with numpy and nothing of exray's."""

import numpy as np

COLUMNS = 251
ROWS = 32


def mix(h):
    """Section "Signs": a bijection of 32 bits."""
    h = h ^ (h >> np.uint32(16))
    h = h * np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h = h * np.uint32(0x846CA68B)
    return h ^ (h >> np.uint32(16))


def word(value):
    return np.array([value & 0xFFFFFFFF], dtype=np.uint32)


def sign_words(group, seed):
    """The 251 words of a group; bit 31 belongs to its first row."""
    key = mix(word(seed) ^ mix(word(seed >> 32)))
    counter = (np.arange(COLUMNS, dtype=np.uint64) + 256 * group).astype(np.uint32)
    return mix(mix(counter) ^ key)


def canonical(values, layout):
    """Channels last, where the layout has one letter a dimension and one of them is C."""
    if layout and len(layout) == values.ndim and layout.count("C") == 1:
        values = np.moveaxis(values, layout.index("C"), -1)
    return values.ravel()


def sketch(values, layout="", seed=1):
    """Buckets of an array of float32 (dequantized) values."""
    with np.errstate(over="ignore"):
        x = canonical(np.asarray(values, dtype=np.float32), layout).copy()
        x[~np.isfinite(x)] = 0
        if x.size <= COLUMNS:
            return x
        total = np.zeros(COLUMNS, dtype=np.float64)
        for group, start in enumerate(range(0, x.size, COLUMNS * ROWS)):
            part = x[start : start + COLUMNS * ROWS]
            rows = -(-part.size // COLUMNS)
            table = np.zeros(rows * COLUMNS, dtype=np.float32)
            table[: part.size] = part
            table = table.reshape(rows, COLUMNS)
            words = sign_words(group, seed)
            bucket = np.zeros(COLUMNS, dtype=np.float32)
            for row in range(rows):
                negative = (words >> np.uint32(31 - row)) & np.uint32(1)
                bucket = bucket + np.where(negative == 1, -table[row], table[row])
            total += bucket
        return total.astype(np.float32)


def estimate(a, b):
    """sum((x - y)^2) of the tensors that the sketches are of."""
    d = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    return float(np.sum(d * d))
