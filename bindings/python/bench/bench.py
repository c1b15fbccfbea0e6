"""Speed of the package: reading a `full` log from the page cache (at least 1 GB/s), and recording from Python
against the C recorder on the same tensors (at most 1.2 times its time).

    python bench.py C_RECORDER [FOLDER]

C_RECORDER: bench/record_layers of a build with `cmake -DEXRAY_BUILD_BENCH=ON`."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import exray

# Sizes of an EfficientNet-Lite0's layers at 224x224, in float32, about 25 MB a frame.
SHAPES = [(1, 112, 112, 32)] * 3 + [(1, 112, 112, 96)] + [(1, 56, 56, 96)] + [(1, 56, 56, 144)] * 4 + \
    [(1, 28, 28, 240)] * 6 + [(1, 14, 14, 480)] * 12 + [(1, 14, 14, 672)] * 12 + [(1, 7, 7, 1152)] * 20 + [(1, 1000)]
FRAMES = 40
ROUNDS = 8


def record(path, tensors):
    began = time.perf_counter()
    with exray.Recorder(path, capture="full") as r:
        for frame in range(FRAMES):
            with r.frame(source=f"{frame}.png"):
                for i, tensor in enumerate(tensors):
                    r.layer(i, f"layer{i}", tensor)
    return time.perf_counter() - began


def record_in_c(program, path):
    sizes = [str(int(np.prod(shape))) for shape in SHAPES]
    return float(subprocess.run([program, path, str(FRAMES), *sizes], check=True, capture_output=True, text=True).stdout)


def read(path):
    """Every byte of every layer goes through the processor."""
    began, size, total = time.perf_counter(), 0, 0
    with exray.open(path) as log:
        for frame in log:
            for tensor in frame.layers.values():
                array = tensor.numpy()
                total ^= int(np.bitwise_xor.reduce(array.reshape(-1).view(np.uint32)))
                size += array.nbytes
    return size / (time.perf_counter() - began), total


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        path = os.path.join(folder, "full.mcap")
        # The very numbers of the C program: some disks compress.
        tensors = [(np.arange(np.prod(s)) * 37 % 1009 / 1009).astype(np.float32).reshape(s) for s in SHAPES]
        python, c = [], []
        for turn in range(2 * ROUNDS):  # what slows the machine down slows both: in turns, and each first as often
            if program and turn % 4 in (0, 3):
                c.append(record_in_c(program, os.path.join(folder, "c.mcap")))
            elif program or turn % 4 in (1, 2):
                python.append(record(path, tensors))
        size = os.path.getsize(path)
        print(f"recording: {size / min(python) / 1e9:.2f} GB/s ({len(SHAPES)} layers, {FRAMES} frames)")
        if program:
            # The first of each meets a disk that has nothing to do yet; of the others the median.
            print(f"recording against C: {statistics.median(python[1:]) / statistics.median(c[1:]):.3f} (at most 1.2)")
        rates = [read(path)[0] for _ in range(ROUNDS)]
        print(f"reading: {max(rates) / 1e9:.2f} GB/s (at least 1)")


if __name__ == "__main__":
    main()
