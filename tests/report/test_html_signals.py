"""Sound, features, tokens and states on the HTML report."""

import base64
import io
import re
import wave

import numpy as np
import pytest
from html_support import image_of, page_writer
from log_writer import DTYPES, PB
from sound_support import wav
from validate_support import Recording

RATE = 16000


def tone(hertz, seconds=1.0, rate=RATE, level=0.4):
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def as_wav(samples, rate=RATE):
    return wav(np.round(32767 * samples).astype("<i2"), rate)


def write(path, role, feeds, sounds=None, format="wav", attach=None, state=None, reading=None, resets=()):
    """feeds: a dict {input: array} for each frame; state, reading: an array, a list of numbers for each frame."""
    with Recording(path / role, role) as log:
        for name, data in (attach or {}).items():
            log.writer.add_attachment(0, 0, name, "text/plain", data)
        for i, inputs in enumerate(feeds):
            if i in resets:
                log.add("/event", "Event", PB["Event"](kind="reset", frame=i))
            if sounds:
                sensor = PB["Tensor"](frame=i, data=sounds[i])
                sensor.info.name, sensor.info.dtype, sensor.media.format = "microphone", DTYPES["uint8"], format
                sensor.info.shape.append(len(sensor.data))
                log.add("/sensor/microphone", "Tensor", sensor)
            if reading:
                log.add("/reading/light", "Reading", PB["Reading"](frame=i, value=reading[i], unit="lx"))
            if state:
                log.tensor("/state/memory", state[i], frame=i)
            log.frame([(f"/input/{name}", array, {}) for name, array in inputs.items()])
    return path / role


page_of = page_writer(write)


def chart(page, id):
    """Its numbers below and beside the plot, and the titles of its axes."""
    svg = page.one("svg", id=id)
    groups = {g["attributes"]["class"]: [t["text"] for t in page.inside(g, "text")] for g in page.inside(svg, "g")}
    return [float(t) for t in groups["ticks column"]], [float(t) for t in groups["ticks value"]], groups["axis-titles"]


def heard(page):
    """The sounds that can be played: (rate, samples of -1..1)."""
    found = []
    for e in page.all("audio"):
        with wave.open(io.BytesIO(base64.b64decode(e["attributes"]["src"].split(",", 1)[1]))) as file:
            assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
            found.append((file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767))
    return found


def test_sound_has_axes_and_can_be_heard(tmp_path):
    low, high = tone(1000), tone(3000, level=2.0)
    page, target = page_of(tmp_path, [{"samples": high}] * 2, [{"samples": low[:15600] * 300}] * 2, sounds=[as_wav(low)] * 2)
    across, up, titles = chart(page, "wave-sensor-0")
    assert across[0] == 0 and across[-1] == 1 and titles == ["value", "time, s"]
    across, up, titles = chart(page, "spectrum-edge-0")
    assert across[-1] == 1 and up == [0, 2, 4, 6, 8] and titles == ["frequency, kHz", "time, s"]
    edge, reference = [f for f in page.inside(page.one("div", id="frame-0"), "figure") if f["attributes"]["class"] == "plot spectrum"][1:]
    for figure, hertz in ((edge, 3000), (reference, 1000)):
        assert abs(image_of(figure, page).astype(int).sum(1).argmax() - (127 - hertz / 8000 * 128)) <= 2
        assert re.search(r"white: the loudest, \d+ dB \(a power of 1 is 0 dB\); black: 80 dB less", figure["text"])
    first = heard(page)[:3]
    assert [rate for rate, _ in first] == [RATE] * 3
    for (_, samples), want in zip(first, (low, high / 2, low[:15600] / 0.4)):  # beyond -1..1: brought into it
        assert np.abs(samples - want).max() < 1e-3
    assert target.stat().st_size < 1_500_000


def test_the_rate_of_a_pipeline_file(tmp_path):
    page, _ = page_of(tmp_path, [{"samples": tone(500, 2)}] * 2, [{"samples": tone(500, 2)}] * 2,
                      attach={"pipeline.yaml": b"audio:\n  frame_rate: 1\n  rate: 8000 # Hz\n"})
    across, up, titles = chart(page, "spectrum-reference-0")
    assert across[-1] == 4 and up[-1] == 4 and titles == ["frequency, kHz", "time, s"]


@pytest.mark.parametrize("change, cause, rest", [
    (lambda x: np.concatenate([np.zeros(800, np.float32), x[:-800]]), "input.delay", r"equal|\d\d+ dB below"),
    (lambda x: x / 4, "input.gain", r"equal|\d\d+ dB below"),
])
def test_the_fault_of_sound_is_undone(tmp_path, change, cause, rest):
    random = np.random.default_rng(3)
    sounds = [(0.2 * np.convolve(random.normal(size=RATE + 63), np.hanning(64) / 16, "valid") * np.hanning(RATE)).astype(np.float32) for _ in range(4)]
    page, _ = page_of(tmp_path, [{"samples": change(x)} for x in sounds], [{"samples": x} for x in sounds])
    assert cause in page.having("cause")[0]["text"]
    for i in range(4):
        undone = page.inside(page.one("div", id=f"frame-{i}"), "figcaption")
        words = [u["text"] for u in undone if "the named fault undone" in u["text"]]
        assert len(words) == 1 and re.search(rest, words[0])
        assert chart(page, f"wave-undone-{i}")[0] == chart(page, f"wave-reference-{i}")[0]


def test_a_rate_that_the_model_does_not_have(tmp_path):
    """The sensor's sound has another rate than the reference's samples: theirs is not known, though the edge's are the sensor's."""
    fast = tone(440, rate=44100)
    page, _ = page_of(tmp_path, [{"samples": fast[:15600]}] * 2, [{"samples": tone(440)[:15600]}] * 2, sounds=[as_wav(fast, 44100)] * 2)
    assert chart(page, "wave-sensor-0")[2] == ["value", "time, s"] and chart(page, "wave-edge-0")[2] == ["value", "place of the value"]
    assert {rate for rate, _ in heard(page)} == {44100}


def test_without_a_rate(tmp_path):
    page, _ = page_of(tmp_path, [{"samples": tone(500)}] * 2, [{"samples": tone(600)}] * 2)
    assert chart(page, "wave-edge-0")[2] == ["value", "place of the value"]
    assert chart(page, "spectrum-edge-0")[1:] == ([0, 0.1, 0.2, 0.3, 0.4, 0.5], ["frequency, as a share of the sample rate", "place of the value"])
    assert not page.all("audio")


def test_long_and_odd_sounds_are_bounded(tmp_path):
    long = np.tile(tone(440, 10), 6)
    page, target = page_of(tmp_path, [{"samples": long}] * 6, [{"samples": -long}] * 6, sounds=[as_wav(long)] * 6)
    assert target.stat().st_size < 5_000_000
    assert sum(len(s) for _, s in heard(page)) * 2 <= 3 << 19 and all(len(s) * 2 <= 192 << 10 for _, s in heard(page))
    assert "the first 6.1 s, at 16000 Hz" in page.one("section", id="pictures")["text"]
    odd = as_wav(tone(440), rate=400_000_000)
    bad = np.full(8000, np.nan, np.float32)
    page, _ = page_of(tmp_path, [{"samples": bad}] * 2, [{"samples": bad}] * 2, sounds=[odd, b"RIFF"])
    assert not page.all("audio")


def test_features_are_maps(tmp_path):
    rows = np.random.default_rng(6).normal(size=(49, 40)).astype(np.float32).cumsum(0)
    page, _ = page_of(tmp_path, [{"features": rows[None] * 2}] * 2, [{"features": rows[None]}] * 2, sounds=[as_wav(tone(440))] * 2)
    maps = [f for f in page.inside(page.one("div", id="frame-0"), "figure") if f["attributes"]["class"] == "plot map"]
    assert [page.inside(f, "title")[0]["text"] for f in maps] == ["What the edge fed the model", "What the reference fed the model", "The difference"]
    want = (rows.T[::-1] - rows.min()) / (rows.max() - rows.min()) * 255
    assert np.abs(image_of(maps[1], page).astype(float) - want).max() < 1
    across, up, titles = chart(page, "map-reference-0")
    assert across[-1] == 40 and up[-1] == 40 and titles == ["bin", "row, in time"]
    assert not page.all("svg", id="wave-edge-0") and page.one("svg", id="wave-sensor-0")


def test_flat_features_are_maps(tmp_path):
    rows = np.random.default_rng(6).normal(size=(49, 40)).astype(np.float32).cumsum(0)
    page, _ = page_of(tmp_path, [{"features": rows.reshape(1, -1) + 1}] * 2, [{"features": rows.reshape(1, -1)}] * 2, sounds=[as_wav(tone(440))] * 2)
    assert "49 rows of 40 bins" in page.one("div", id="frame-0")["text"]


def test_tokens_side_by_side(tmp_path):
    mine, theirs = (np.array([ids + [0] * 250], np.int64) for ids in ([2, 1, 4], [2, 3, 4]))
    mask = np.array([[1] * 3 + [0] * 250], np.int64)
    page, _ = page_of(tmp_path, [{"ids": mine, "mask": mask}] * 2, [{"ids": theirs, "mask": mask}] * 2)
    frame = page.one("div", id="frame-0")
    assert [m["text"] for m in page.inside(frame, "mark")] == ["1", "3"]
    assert "Input ids: the first difference is at place 1, counted from 0." in frame["text"] and "Input mask: equal." in frame["text"]
    assert "and 247 more" in frame["text"] and len(frame["text"]) < 1500


@pytest.mark.parametrize("vocabulary", ["[PAD]\n[UNK]\nhello\nw<b>rld\r\nagain", "again 4\nhello 2\n[UNK] 1\nw<b>rld 3\n[PAD] 0\nhuge 99999999\n"])
def test_tokens_are_words(tmp_path, vocabulary):
    mine, theirs = (np.array([ids + [0] * 8], np.int64) for ids in ([2, 1, 4], [2, 3, 4]))
    page, _ = page_of(tmp_path, [{"ids": mine}] * 2, [{"ids": theirs}] * 2, attach=({}, {"vocab.txt": vocabulary.encode()}))
    assert [m["text"] for m in page.inside(page.one("div", id="frame-0"), "mark")] == ["[UNK] 1", "w<b>rld 3"]


def test_a_late_difference_of_tokens_is_shown(tmp_path):
    mine = np.arange(5, 505, dtype=np.int32)[None]
    theirs = mine.copy()
    theirs[0, 400] = 3
    page, _ = page_of(tmp_path, [{"ids": mine}] * 2, [{"ids": theirs}] * 2)
    frame = page.one("div", id="frame-0")
    assert [m["text"] for m in page.inside(frame, "mark")] == ["405", "3"] and "at place 400" in frame["text"]


def test_states_and_readings_along_the_frames(tmp_path):
    states = [np.full((1, 8), k, np.float32) for k in range(10)]
    wrong = [s * (k < 4) for k, s in enumerate(states)]
    feed = [{"x": np.arange(12, dtype=np.float32)[None]}] * 10
    page, _ = page_of(tmp_path, feed, feed, state=(wrong, states), reading=([[k * 100.0] for k in range(10)], None), resets=((4,), ()))
    section = page.one("section", id="pictures")
    assert "Equal in 4 of 10 frames; it differs from frame 4 on, by 9 rms at most." in section["text"]
    lines = {p["attributes"]["class"]: p["attributes"]["d"] for p in page.inside(page.one("svg", id="along-0"), "path") if "span" in (p["attributes"].get("class") or "")}
    heights = {name.split()[1]: [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", d)] for name, d in lines.items()}
    assert len(heights["edge"]) == 10 and heights["edge"][9] == heights["edge"][0] == max(heights["edge"])
    assert heights["difference"][3] == heights["edge"][0] and heights["difference"][9] == heights["reference"][9]
    assert [t["text"] for t in page.inside(page.one("svg", id="along-0"), "text") if t["attributes"].get("class") == "band-label"] == ["edge: reset"]
    across, up, titles = chart(page, "along-1")
    assert up[-1] == 800 and titles == ["value, lx", "frame"]
