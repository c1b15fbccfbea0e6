"""A camera loop with a flight recorder: every frame leaves its result in the log, the last ones wait in memory with
everything, and are written where something is odd.

    python flight.py edge.mcap
    exray info edge.mcap
"""

import sys

import numpy as np

import exray

weights = np.random.default_rng(1).normal(size=(64, 4)).astype(np.float32)


def camera(i):
    """A pattern that wanders; at frame 300 somebody covers the lens for a second."""
    covered = 300 <= i < 330
    return np.full((8, 8), 5, np.uint8) if covered else np.roll(np.arange(64, dtype=np.uint8) * 4, i).reshape(8, 8)


def dark(frame: exray.FlightFrame):
    """A condition of one's own: what it returns is the reason."""
    return "the lens is covered" if frame.score is not None and frame.score < 0.3 else None


flight = exray.Flight(bytes=4 << 20, seconds=60, before=20, after=5, latency_above=0.5, not_finite=True, condition=dark)
with exray.Recorder(sys.argv[1], role="edge", capture="frame", flight=flight) as recorder:
    for i in range(500):
        with recorder.frame(source="camera"):
            picture = camera(i)
            recorder.image("camera", picture[..., None], format="gray8")
            features = picture.reshape(64).astype(np.float32) / 255
            logits = features @ weights
            recorder.layer(0, "logits", logits)
            scores = np.exp(logits - logits.max())
            scores /= scores.sum()
            recorder.output("scores", scores)
            recorder.classes(scores)
        if i == 400:
            recorder.trigger("somebody asked", before=3)
