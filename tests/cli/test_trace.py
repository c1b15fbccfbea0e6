"""`exray export --trace` against the rules of the trace event format that Perfetto holds to: its own reader is a
program that it downloads, so that there is none to ask here."""

import json
from fractions import Fraction

import numpy as np
import pytest
from log_writer import PB, Log
from small_log import run, write_small


def export(path):
    """Events with their times as exact fractions of a microsecond."""
    return json.loads(run("export", path, "--trace", "-"), parse_float=Fraction,
                      parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def check(trace):
    """The rules; returns the complete events by thread."""
    assert set(trace) == {"traceEvents", "displayTimeUnit"} and trace["displayTimeUnit"] in ("ms", "ns")
    threads, named = {}, {}
    for event in trace["traceEvents"]:
        assert isinstance(event["name"], str) and event["pid"] == 1 and isinstance(event.get("args", {}), dict)
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name") and isinstance(event["args"]["name"], str)
            if event["name"] == "thread_name":
                assert event["tid"] not in named, "a thread has one name"
                named[event["tid"]] = event["args"]["name"]
        elif event["ph"] == "C":
            assert event["ts"] >= 0 and event["args"] and all(isinstance(v, (int, Fraction)) for v in event["args"].values())
        else:
            assert event["ph"] == "X" and event["ts"] >= 0 and event["dur"] >= 0 and isinstance(event["tid"], int)
            assert (event["ts"] * 1000).denominator == (event["dur"] * 1000).denominator == 1
            threads.setdefault(event["tid"], []).append(event)
    assert set(threads) <= set(named)
    for events in threads.values():
        open_until = []
        for event in sorted(events, key=lambda e: (e["ts"], -e["dur"])):
            while open_until and open_until[-1] <= event["ts"]:
                open_until.pop()
            assert not open_until or event["ts"] + event["dur"] <= open_until[-1], f"{event} overlaps without nesting"
            open_until.append(event["ts"] + event["dur"])
    return {named[tid]: events for tid, events in threads.items()}


def log_of(path, frames, latency=None, spans=None):
    """frames: (begin, end) in ns; latency: of each frame (node, start, duration)."""
    log = Log(path)
    model = PB["Model"](name="m", engine="tflite")
    for n in range(8):
        model.nodes.add(op=f"OP{n}", name=f"node{n}")
    log.add("/model", "Model", model)
    for f, (begin, end) in enumerate(frames):
        if latency:
            node, start, duration = zip(*latency[f])
            log.add("/latency", "Latency", PB["Latency"](frame=f, node=node, start_ns=start, duration_ns=duration))
        log.add("/frame", "Frame", PB["Frame"](index=f, begin_ns=begin, end_ns=end, spans_ns=spans or {}))
    log.finish()
    return path


def placed(threads, what):
    """(ns from the first frame, ns) of all slices of tracks of that name."""
    return sorted((e["ts"] * 1000, e["dur"] * 1000, e["args"].get("layer") if "args" in e else None)
                  for name, events in threads.items() if name.startswith(what) for e in events)


def test_the_small_log(tmp_path):
    write_small(tmp_path / "log.mcap")
    threads = check(export(tmp_path / "log.mcap"))
    assert {name.split()[0] for name in threads} == {"frames", "layers", "spans"}


def test_layers_within_layers(tmp_path):
    """A loop and its body, listed in another order than they run."""
    loop = [(3, 700, 200), (1, 100, 900), (2, 100, 300), (4, 1000, 50), (5, 1050, 1)]
    path = log_of(tmp_path / "log", [(5000, 9000), (10_000, 12_000)], [loop, loop])
    threads = check(export(path))
    assert set(threads) == {"frames", "layers"}
    assert placed(threads, "layers") == sorted((base + s, d, n) for base in (0, 5000) for n, s, d in loop)


def test_layers_side_by_side_and_frames_that_do_not_wait(tmp_path):
    parallel = [(0, 0, 100), (1, 50, 100), (2, 60, 200), (3, 120, 10)]
    frames = [(1000, 1500), (1200, 1800), (1400, 1450)]
    path = log_of(tmp_path / "log", frames, [parallel] * 3)
    threads = check(export(path))
    assert {"frames", "frames 2", "layers", "layers 2", "layers 3"} <= set(threads)
    assert placed(threads, "layers") == sorted((b - 1000 + s, d, n) for b, _ in frames for n, s, d in parallel)
    assert [p[:2] for p in placed(threads, "frames")] == [(0, 500), (200, 600), (400, 50)]


def test_spans_longer_than_their_frame(tmp_path):
    path = log_of(tmp_path / "log", [(0, 100), (100, 200), (200, 300)], spans={"all": 90, "resize": 80})
    threads = check(export(path))
    assert sum(len(events) for name, events in threads.items() if name.startswith("spans")) == 6


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_whatever_the_times(tmp_path, seed):
    """Up to 32 at a time are told apart."""
    random = np.random.default_rng(seed)
    frames, latency, begin = [], [], 10**15
    for _ in range(20):
        begin += int(random.integers(0, 2000))
        frames.append((begin, begin + int(random.integers(0, 3000))))
        latency.append([tuple(map(int, (random.integers(0, 8), random.integers(0, 1000), random.integers(0, 400))))
                        for _ in range(10)])
    path = log_of(tmp_path / "log", frames, latency)
    threads = check(export(path))
    first = min(b for b, _ in frames)
    assert placed(threads, "layers") == sorted((b - first + s, d, n) for (b, _), f in zip(frames, latency) for n, s, d in f)
    assert [p[:2] for p in placed(threads, "frames")] == sorted((b - first, e - b) for b, e in frames)


def test_times_at_the_ends_of_their_type(tmp_path):
    far = 2**64 - 1
    path = log_of(tmp_path / "log", [(far - 10, far), (0, far)], [[(0, far, far), (1, 5, far)], [(0, 0, 0), (1, far, 1)]])
    trace = export(path)
    assert len([e for e in trace["traceEvents"] if e["ph"] == "X"]) == 6
