"""The table of docs/benchmarks.md: every figure is a ratio, or stands beside
what it is compared with, measured in turns within this one run."""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
EXRAY = BUILD / "exray"
MODEL = ROOT / "build" / "demo" / "lite0.tflite"
ROUNDS = 9


def run(*command, check=True):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if check and result.returncode not in (0, 1):
        sys.exit(f"bench: {' '.join(map(str, command))} failed: {result.stderr.strip()}")
    return result


def figures(*command):
    """A benchmark program's "name value" lines."""
    return {k: float(v) for k, v in (line.split() for line in run(*command).stdout.splitlines())}


def process_ms(*command):
    """A whole process, from its start to its end: elapsed, and of processors.  Without pipes, whose reading takes a millisecond."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    begin = time.perf_counter()
    child = os.posix_spawn(str(command[0]), [str(c) for c in command], os.environ, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    elapsed = time.perf_counter() - begin
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"bench: {' '.join(map(str, command))} failed")
    return 1e3 * elapsed, 1e3 * (used.ru_utime + used.ru_stime)


def peak_rss_mb(*command):
    """Peak resident memory of one command, in a child of its own so that others do not count."""
    code = (
        "import resource,subprocess,sys;subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss/1024)"
    )
    return float(run(sys.executable, "-c", code, *command).stdout)


@contextlib.contextmanager
def one_core():
    """This process and its children on one core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, measured, beside, ratio, aim):
        self.rows.append((what, measured, beside, ratio, aim))

    def print(self):
        head = ("what", "measured", "baseline", "ratio", "aim")
        widths = [max(len(r[i]) for r in self.rows + [head]) for i in range(5)]
        print("| " + " | ".join(h.ljust(w) for h, w in zip(head, widths)) + " |")
        print("|" + "|".join("-" * (w + 2) for w in widths) + "|")
        for row in self.rows:
            print("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |")


def record(folder, pictures, out, *options):
    run(EXRAY, "record", "--engine", "tflite", "--model", MODEL, "--pipeline", ROOT / "examples" / "lite0.yaml",
        "--data", pictures, "-o", folder / out, *options)
    return folder / out


def bench_recorder(table, folder, log):
    f = figures(BUILD / "bench" / "bench_recorder", log, folder)
    megabytes = f["tensor_bytes"] / 1e6
    plain = f"{f['plain_ms']:.1f} ms plain write"
    table.add(f"full capture, {f['tensors']:.0f} layers, {megabytes:.1f} MB, chunked", f"{f['chunked_ms']:.1f} ms", plain,
              f"{f['chunked_ms'] / f['plain_ms']:.2f}", "1.3 (1.1)")
    table.add("the same, streaming", f"{f['stream_ms']:.1f} ms", plain, f"{f['stream_ms'] / f['plain_ms']:.2f}", "1.3 (1.1)")
    table.add("the same, without the part of Check records", f"{f['unchecked_ms']:.1f} ms", f"{f['stream_ms']:.1f} ms with it",
              f"{f['unchecked_ms'] / f['stream_ms']:.2f}", "-")
    table.add("the same into a sink that discards", f"{megabytes / f['discard_ms']:.1f} GB/s",
              f"{megabytes / f['memcpy_ms']:.1f} GB/s memcpy", f"{f['memcpy_ms'] / f['discard_ms']:.2f}", "-")
    table.add("bytes of log per tensor byte", f"{f['log_bytes'] / 1e6:.3f} MB", f"{megabytes:.3f} MB",
              f"{f['log_bytes'] / f['tensor_bytes']:.4f}", "1.01")


def bench_async(table):
    """Frames beside a writer thread whose sink takes 1 MB/s."""
    f = figures(BUILD / "bench" / "bench_async")
    table.add("99th percentile of a frame, asynchronous, 1 MB/s, drop", f"{f['async_p99_ms']:.2f} ms", f"{f['bare_p99_ms']:.2f} ms bare",
              f"{f['async_p99_ms'] / f['bare_p99_ms']:.2f}", "1.10")
    table.add("the same, processor time", f"{f['async_cpu_p99_ms']:.2f} ms", f"{f['bare_cpu_p99_ms']:.2f} ms bare",
              f"{f['async_cpu_p99_ms'] / f['bare_cpu_p99_ms']:.2f}", "1.10")


def bench_savez(table, folder, arrays):
    """numpy.savez of the same tensors against Python's own plain write."""
    saved, plain = [], []
    for _ in range(ROUNDS):
        for path, times in ((folder / "plain.bin", plain), (folder / "saved.npz", saved)):
            path.unlink(missing_ok=True)
            begin = time.perf_counter()
            if times is plain:
                with open(path, "wb", buffering=0) as file:
                    for array in arrays:
                        file.write(array)
            else:
                np.savez(path, *arrays)
            times.append(1e3 * (time.perf_counter() - begin))
            path.unlink()
    a, b = statistics.median(saved), statistics.median(plain)
    table.add("numpy.savez of the same, for comparison", f"{a:.1f} ms", f"{b:.1f} ms plain write", f"{a / b:.2f}", "-")


def bench_tap(table, folder, library):
    f = figures(BUILD / "bench" / "bench_tap", library, MODEL, folder)
    for name, what, aim in (("frame", "frame", "-"), ("io_async", "io, asynchronous", "1.02"), ("stats", "stats", "1.10 (1.06)"), ("sketch", "sketch", "1.20 (1.10)"),
                            ("full", "full, into a sink that discards", "-")):
        table.add(f"one inference with the tap, capture {what}", f"{f[name + '_ms']:.2f} ms", f"{f['untapped_ms']:.2f} ms untapped",
                  f"{f[name + '_ms'] / f['untapped_ms']:.3f}", aim)
    for name, what in (("flight", "in memory"), ("flight_file", "in a file on tmpfs")):
        table.add(f"the same, capture frame, flight recorder at full {what}", f"{f[name + '_ms']:.2f} ms",
                  f"{f['frame_ms']:.2f} ms without", f"{f[name + '_ms'] / f['frame_ms']:.3f}", "-")


def bench_engine_taps(table, folder):
    """The taps that take the place of a run, on the models of the tests."""
    models = ROOT / "build" / "data" / "models"
    for engine, program, library, suffix in (("LiteRT", "bench_litert_tap", "litert-{}/libLiteRt.so", "tflite"),
                                             ("ONNX Runtime", "bench_ort_tap", "onnxruntime-{}/libonnxruntime.so", "onnx")):
        library = ROOT / "build" / "engines" / library.format(os.uname().machine)
        for kind in ("float", "int8"):
            model = models / f"efficientnet_lite0_{kind}.{suffix}"
            if not model.exists() or not library.exists():
                print(f"bench: no {library if model.exists() else model}: a row is missing", file=sys.stderr)
                continue
            f = figures(BUILD / "bench" / program, library, model, folder)
            for capture, aim in (("io", "-"), ("stats", "1.5"), ("full", "-")):
                table.add(f"{engine}, EfficientNet-Lite0 {kind}, capture {capture}", f"{f[capture + '_ms']:.2f} ms", f"{f['untapped_ms']:.2f} ms untapped",
                          f"{f[capture + '_ms'] / f['untapped_ms']:.2f}", aim)


def numpy_loop(edge, reference):
    """The loop people write today: every layer's errors, one frame."""
    worst = 0.0
    for a, b in zip(edge, reference):
        a, b = a.ravel(), b.ravel()
        d = a - b
        rmse = np.sqrt(np.mean(d * d))
        nrmse = rmse / max(float(b.max() - b.min()), 1e-30)
        cosine = np.dot(a, b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-30)
        worst = max(worst, float(nrmse), float(np.abs(d).max()), float(cosine))
    return worst


def careful_numpy_loop(edge, reference, memory):
    """The same with as few passes over memory as NumPy needs: one array for all differences, products by BLAS."""
    worst = 0.0
    for a, b in zip(edge, reference):
        a, b = a.ravel(), b.ravel()
        d = np.subtract(a, b, out=memory[: a.size])
        nrmse = (float(np.dot(d, d)) / a.size) ** 0.5 / max(float(b.max() - b.min()), 1e-30)
        cosine = float(np.dot(a, b)) / max((float(np.dot(a, a)) * float(np.dot(b, b))) ** 0.5, 1e-30)
        worst = max(worst, nrmse, float(d.max()), -float(d.min()), cosine)
    return worst


def own_ms(function):
    """A function of this process: elapsed, and of processors."""
    begin, used = time.perf_counter(), time.process_time()
    function()
    return 1e3 * (time.perf_counter() - begin), 1e3 * (time.process_time() - used)


def measure_validate(edge, reference, arrays):
    """Medians, taken in turns: {what: (elapsed ms, processor ms)}."""
    memory = np.empty(max(a.size for a in arrays[0]), np.float32)
    copy = np.empty_like(np.concatenate([a.ravel() for a in arrays[0]]))
    source = np.ones_like(copy)
    runs = {
        "validate": lambda: process_ms(EXRAY, "validate", edge, reference),
        "empty": lambda: process_ms(EXRAY, "version"),
        "loop": lambda: own_ms(lambda: numpy_loop(*arrays)),
        "careful": lambda: own_ms(lambda: careful_numpy_loop(*arrays, memory)),
        "copy": lambda: own_ms(lambda: np.copyto(copy, source)),
    }
    times = {what: [] for what in runs}
    for _ in range(2 * ROUNDS):
        for what, function in runs.items():
            times[what].append(function())
    return {what: [statistics.median(t) for t in zip(*taken)] for what, taken in times.items()}, copy.nbytes


def bench_validate(table, folder, edge, reference):
    arrays = [load_layers(folder, log) for log in (edge, reference)]
    size = sum(a.nbytes for side in arrays for a in side) / 1e6
    for cores, aim in (("one core", "0.5"), ("all cores", "0.3 on two")):
        with one_core() if cores == "one core" else contextlib.nullcontext():
            both, copied = measure_validate(edge, reference, arrays)
        ms, used = ({what: t[i] for what, t in both.items()} for i in (0, 1))
        own = ms["validate"] - ms["empty"]
        loop = f"{ms['loop']:.1f} ms NumPy loop"
        table.add(f"validate, one frame pair, {size:.1f} MB, whole process, {cores}", f"{ms['validate']:.1f} ms", loop,
                  f"{ms['validate'] / ms['loop']:.2f}", aim)
        table.add(f"the same, processor time, {cores}", f"{used['validate']:.1f} ms", f"{used['loop']:.1f} ms NumPy loop",
                  f"{used['validate'] / used['loop']:.2f}", "-")
        table.add(f"the same less an empty command, {cores}", f"{own:.1f} ms", loop, f"{own / ms['loop']:.2f}", "10 ms")
        table.add(f"the same beside a careful NumPy loop, {cores}", f"{own:.1f} ms", f"{ms['careful']:.1f} ms NumPy loop",
                  f"{own / ms['careful']:.2f}", "-")
        # A copy reads and writes each byte.
        table.add(f"bytes of both logs in that time, {cores}", f"{size / own:.1f} GB/s", f"{2e-6 * copied / ms['copy']:.1f} GB/s copy",
                  f"{size / own / (2e-6 * copied / ms['copy']):.2f}", "-")
    table.add("an empty command", f"{ms['empty']:.1f} ms", "-", "-", "20 ms")


def bench_integers(table, folder):
    """As many values of an 8-bit model as of a float one."""
    run(BUILD / "bench" / "validate_logs", folder)
    times = {"float": [], "int8": []}
    for _ in range(ROUNDS):
        for kind, taken in times.items():
            taken.append(process_ms(EXRAY, "validate", folder / f"{kind}-edge.mcap", folder / f"{kind}-reference.mcap")[0])
    f, i = (statistics.median(times[kind]) for kind in ("float", "int8"))
    table.add("validate, two frames of 61 int8 layers", f"{i:.1f} ms", f"{f:.1f} ms as float32", f"{i / f:.2f}", "2")


def bench_stats_log(table, folder, pictures):
    """How small a log without data is: the model's description, three frames of statistics."""
    for name, aim in (("mobilenet_v1_0.25_224_float", "12 kB"), ("mobilenet_v1_0.25_224_uint8", "12 kB")):
        model = ROOT / "build" / "data" / "models" / f"{name}.tflite"
        if not model.exists():
            continue  # tests fetch it
        sizes = []
        for options in (("--no-io-data", "--no-output-data"), ()):
            out = folder / "small.mcap"
            run(EXRAY, "record", "--engine", "tflite", "--model", model, "--pipeline", ROOT / "examples" / "lite0.yaml",
                "--data", pictures, "--frames", "3", "--capture", "stats", "-o", out, *options)
            sizes.append(out.stat().st_size / 1e3)
        table.add(f"stats log size: three frames, {name}, no data", f"{sizes[0]:.1f} kB", f"{sizes[1]:.0f} kB with inputs and outputs",
                  f"{sizes[0] / sizes[1]:.4f}", aim)


def fewest_ms(function):
    times = []
    for _ in range(15):
        begin = time.perf_counter()
        function()
        times.append(1e3 * (time.perf_counter() - begin))
    return min(times)


def bench_sound(table):
    """Ten seconds of sound, against the libraries whose results these are."""
    import pymicro_features
    import soxr

    f = figures(BUILD / "bench" / "bench_sound")
    rng = np.random.default_rng(0)
    for before, after in ((44100, 16000), (48000, 16000), (16000, 48000)):
        given, ours = rng.normal(0, 0.1, 10 * before).astype(np.float32), f[f"resample_{before}_{after}_ms"]
        theirs = fewest_ms(lambda given=given, before=before, after=after: soxr.resample(given, before, after))
        table.add(f"10 s of sound from {before} to {after} Hz", f"{ours:.2f} ms", f"{theirs:.2f} ms soxr", f"{ours / theirs:.2f}", "2")
    sound = (rng.normal(0, 0.1, 160000) * 32767).astype(np.int16)

    def front_end():
        frontend = pymicro_features.MicroFrontend()
        for at in range(0, len(sound), 160):
            frontend.process_samples(sound[at : at + 160].tobytes())

    theirs = fewest_ms(front_end)
    table.add("10 s through the integer front end, 10 ms a step", f"{f['microfrontend_ms']:.2f} ms", f"{theirs:.2f} ms pymicro-features",
              f"{f['microfrontend_ms'] / theirs:.2f}", "1")
    try:
        import librosa
    except ImportError:
        print("bench: without librosa there is no row for mel spectrograms", file=sys.stderr)
        return
    given = sound.astype(np.float32) / 32768
    theirs = fewest_ms(lambda: librosa.feature.melspectrogram(y=given, sr=16000, n_fft=1024, hop_length=256, n_mels=128))
    table.add("10 s as a mel spectrogram, 1024 samples, 128 bands", f"{f['mel_ms']:.2f} ms", f"{theirs:.2f} ms librosa",
              f"{f['mel_ms'] / theirs:.2f}", "1")


def load_layers(folder, log):
    out = folder / (log.stem + "-npz")
    run(EXRAY, "export", log, "--npz", out)
    archive = np.load(sorted(out.glob("frame*.npz"))[0])
    layers = [archive[k] for k in archive.files if k.startswith("layer") and archive[k].dtype == np.float32]
    shutil.rmtree(out)
    return layers


def bench_memory(table, folder, pictures):
    """The last layers only, so that 1,000 frames fit a disk; the length is what counts."""
    few, many = [], []
    for frames, out in ((10, few), (1000, many)):
        listing = folder / f"list{frames}.txt"
        listing.write_text("\n".join(str(pictures[i % len(pictures)]) for i in range(frames)) + "\n")
        for side in ("edge", "reference"):
            out.append(record(folder, listing, f"{side}{frames}.mcap", "--role", side, "--layers", "#40-60"))
    a, b = (peak_rss_mb(EXRAY, "validate", *logs) for logs in (few, many))
    size = sum(log.stat().st_size for log in many) / 1e9
    table.add(f"validate, 1,000 frames ({size:.1f} GB), resident memory", f"{b:.0f} MB", f"{a:.0f} MB for 10 frames", f"{b / a:.2f}", "256 MB")
    logs = []
    for frames in (10, 100_000):
        logs.append(folder / f"short{frames}.mcap")
        run(BUILD / "bench" / "record_layers", logs[-1], str(frames), "16")
    a, b = (peak_rss_mb(EXRAY, "info", log) for log in logs)
    size = logs[1].stat().st_size / 1e6
    table.add(f"info, 100,000 frames, 300,000 records ({size:.0f} MB), resident memory", f"{b:.0f} MB", f"{a:.0f} MB for 10 frames",
              f"{b / a:.2f}", "-")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", help="also write the rows as JSON")
    options = parser.parse_args()
    if not MODEL.exists():
        sys.exit("bench: the demo's model is missing; run make demo once")
    library = ROOT / "build" / "engines" / f"tflite-{os.uname().machine}" / "libtensorflowlite_c.so"
    pictures = sorted((ROOT / "build" / "demo" / "photographs").glob("*.jpg"))
    table = Table()
    shm = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=shm) as fast, tempfile.TemporaryDirectory(dir=ROOT / "build") as large:
        fast, large = Path(fast), Path(large)
        edge = record(fast, pictures[0], "edge.mcap")
        cached = [shutil.copy(edge, large / "edge.mcap"), record(large, pictures[0], "same.mcap", "--role", "reference")]
        bench_recorder(table, fast, edge)
        bench_async(table)
        bench_savez(table, fast, load_layers(fast, edge))
        bench_sound(table)
        bench_tap(table, fast, library)
        bench_engine_taps(table, fast)
        bench_validate(table, large, *map(Path, cached))
        with one_core():
            bench_integers(table, large)
        bench_stats_log(table, fast, pictures[0].parent)
        bench_memory(table, large, pictures)
    table.print()
    if options.json:
        Path(options.json).write_text(json.dumps([dict(zip(("what", "measured", "beside", "ratio", "aim"), r)) for r in table.rows], indent=1))


if __name__ == "__main__":
    main()
