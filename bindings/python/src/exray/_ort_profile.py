"""The time of each node of an ONNX Runtime session, from its profiler.

The profiler writes its file when it ends, and a run's options have none in Python: so a session of its own, made as the
deployed one is, runs the first inputs a few times."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

RUNS, SECONDS = 12, 1.0  # at most
_ADDED = re.compile(r"_nchwc$|_token_\d+$")  # to the name of a node that is run in another layout, or fused

Run = List[Tuple[int, int, int]]  # node, start and duration in nanoseconds from the run's begin


def _runs(events: Sequence[Mapping[str, Any]], nodes: Mapping[str, int]) -> List[Run]:
    """The runs that a profile shows; nodes: position of each node by its name, and by the names of what it makes."""
    begun = sorted((int(e["ts"]), int(e["ts"]) + int(e["dur"])) for e in events if e.get("name") == "model_run")
    runs: List[Run] = [[] for _ in begun]
    at = 0
    for event in sorted((e for e in events if e.get("cat") == "Node"), key=lambda e: int(e["ts"])):
        name, end, _ = str(event["name"]).rpartition("_kernel_time")
        start = int(event["ts"])
        while at < len(begun) and start > begun[at][1]:
            at += 1
        name = _ADDED.sub("", name)
        if end and name in nodes and at < len(begun) and start >= begun[at][0]:
            runs[at].append((nodes[name], (start - begun[at][0]) * 1000, int(event["dur"]) * 1000))
    return runs


def profile(make: "Callable[[str], Any]", feed: Mapping[str, Any], nodes: Mapping[str, int]) -> List[Run]:
    """make(prefix): a session whose profile begins with that path.  Empty where none can be had."""
    with tempfile.TemporaryDirectory(prefix="exray-") as folder:
        try:
            session = make(os.path.join(folder, "profile"))
            names = [o.name for o in session.get_outputs()]
            until = time.monotonic() + SECONDS
            for _ in range(RUNS + 1):
                session.run(names, feed)
                if time.monotonic() > until:
                    break
            with open(session.end_profiling(), encoding="utf-8") as file:
                events: List[Dict[str, Any]] = json.load(file)
        except Exception:  # what times cost must not cost the application its run
            return []
    return _runs(events, nodes)[1:]  # the first one allocates


__all__ = ["Run", "profile"]
