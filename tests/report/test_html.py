"""`exray validate --html`: what stands in the page, whatever the logs say."""

import base64
import hashlib
import io
import subprocess
import wave

import numpy as np
import pytest
import testdata
from html_logs import write_hostile, write_pair
from html_support import Page, image_of, read_page, write_html
from latency_logs import OPS, write_times
from log_writer import DTYPES, PB
from PIL import Image
from validate_support import (EXRAY, LITE0, UNIT, Recording, causes, normalize, photographs, record_litert, textures,
                              validate, write_inputs)


def figures(page, css):
    return [f for f in page.all("figure") if f["attributes"]["class"] == css]


# ---- A pair with everything ------------------------------------------------------------


def test_nothing_wrong(tmp_path):
    page = read_page(write_html(tmp_path / "r.html", *write_pair(tmp_path)))
    assert page.all("h1")[0]["text"] == "The edge computes what the reference computes."
    assert "Pass" in page.having("verdict")[0]["text"]
    assert page.having("finding") == []
    assert not page.having("lost") and "changed in 0 of 12 frames" in page.one("section", id="decisions")["text"]
    # Equal inputs: the difference is said to be none, and is black.
    difference = figures(page, "difference")
    assert difference and all("none: equal" in f["text"] for f in difference)
    assert image_of(difference[0], page).max() == 0


def test_a_wrong_layer(tmp_path):
    edge, reference = write_pair(tmp_path, layer_fault=3.0)
    verdict = validate(edge, reference)
    page = read_page(write_html(tmp_path / "r.html", edge, reference))
    # The page and the JSON say the same.
    assert page.all("h1")[0]["text"] == verdict["findings"][0]["summary"]
    assert [f["text"] for f in page.having("finding")] and len(page.having("finding")) == len(verdict["findings"])
    rows = [r for r in page.inside(page.one("table", id="rows"), "tr") if r["attributes"].get("id")]
    assert len(rows) == len(verdict["layers"]) == len(page.data["layers"])
    roles = {"clean": "clean", "originates": "origin", "propagates": "passes", None: "unjudged"}
    for i, (row, layer, shown) in enumerate(zip(rows, verdict["layers"], page.data["layers"])):
        assert row["attributes"]["id"] == f"row-{i}" and row["attributes"]["class"] == roles[layer["role"]] == shown["r"]
        if layer["error_to_signal"] is not None:
            assert shown["e"] == pytest.approx(layer["error_to_signal"], rel=1e-3)
    # Marks of the chart: input, layers, output.
    marks = [e for e in page.inside(page.one("svg", id="chart-error"), "path") if "mark" in (e["attributes"].get("class") or "")]
    assert len(marks) == 1 + len(rows) + 1
    assert {m["attributes"]["class"] for m in marks} >= {"mark origin"}
    # Details: the wrong channel is named; the histograms are shares.
    first = page.data["layers"][0]
    assert first["r"] == "origin" and first["c"]["w"] == 5 and first["c"]["n"] == 8
    assert max(range(8), key=lambda k: first["c"]["v"][k]) == 5 and first["c"]["v"][0] == 0
    assert len(first["h"]["e"]) == len(first["h"]["r"]) and max(first["h"]["e"] + first["h"]["r"]) == 999
    # The one frame that changed.
    changes = page.having("changes")[0]
    assert len(page.inside(changes, "tr")) == 2 and "class 7" in changes["text"] and "class 4" in changes["text"]
    assert page.having("lost")[0]["text"] == "1"


def test_histograms_are_numpy_s(tmp_path):
    edge, reference = write_pair(tmp_path, layer_fault=3.0, frames=4)
    page = read_page(write_html(tmp_path / "r.html", edge, reference))
    h = page.data["layers"][0]["h"]
    values = {"e": [], "r": []}
    for picture in normalize(textures(4, 32, seed=9), *UNIT):
        layer = np.repeat(picture[None].mean(-1, keepdims=True), 8, -1).astype(np.float32) * np.arange(1, 9, dtype=np.float32)
        values["r"].append(layer.copy())
        layer[..., 5] += 3.0 * layer[..., 5].std()
        values["e"].append(layer)
    both = np.concatenate([np.ravel(values["e"]), np.ravel(values["r"])]).astype(np.float64)
    counts = {side: np.histogram(np.ravel(v), bins=len(h["e"]), range=(both.min(), both.max()))[0] for side, v in values.items()}
    most = max(c.max() for c in counts.values())
    for side in "er":
        assert np.abs(np.array(h[side]) - 999 * counts[side] / most).max() <= 2


# ---- Pictures: what is undone ---------------------------------------------------------------


def swap(picture):
    return picture[..., ::-1]


@pytest.mark.parametrize("name, change, mended", [
    ("input.channel_order", swap, "channel order"),
    ("input.normalization", lambda p: (p + 1) / 2, "values"),
    ("input.rotation", lambda p: np.rot90(p).copy(), "turn"),
    ("input.flip", lambda p: p[:, ::-1].copy(), "turn"),
])
def test_the_fault_is_undone(tmp_path, name, change, mended):
    pictures = normalize(textures(8, 64), *LITE0)  # small: stored as PNG, exactly
    reference = write_inputs(tmp_path / "r", "reference", pictures)
    edge = write_inputs(tmp_path / "e", "edge", [change(p) for p in pictures])
    assert causes(validate(edge, reference))[0] == name
    page = read_page(write_html(tmp_path / "r.html", edge, reference))
    shown = page.having("frame")
    assert len(shown) == 8 and 1 <= len(page.having("notable")) <= 4
    for frame in shown:
        inputs = [f for f in page.inside(frame, "figure") if f["attributes"]["class"] == "input"]
        undone = [f for f in page.inside(frame, "figure") if f["attributes"]["class"] == "mended"]
        assert len(inputs) == 2 and len(undone) == 1 and mended in undone[0]["text"]
        want, got = image_of(inputs[1], page).astype(int), image_of(undone[0], page).astype(int)
        before = image_of(inputs[0], page).astype(int)
        assert np.abs(want - got).max() <= 1 < np.abs(want - before).mean()
        # The reference's picture is the one that was written.
        number = int(page.inside(frame, "h3")[0]["text"].split(",")[0].split()[1])
        low, high = min(p.min() for p in pictures), max(p.max() for p in pictures)
        exact = (pictures[number] - low) / (high - low) * 255
        assert np.abs(exact - want).max() < 1


def test_what_cannot_be_undone_is_applied_to_the_reference(tmp_path):
    big = textures(8, 128)
    reference = write_inputs(tmp_path / "r", "reference", normalize([p[16:112, 16:112] for p in big], *LITE0))
    edge = write_inputs(tmp_path / "e", "edge", normalize([np.asarray(Image.fromarray(p[28:100, 28:100]).resize((96, 96), Image.BILINEAR)) for p in big], *LITE0))
    assert causes(validate(edge, reference))[0] == "input.crop"
    page = read_page(write_html(tmp_path / "r.html", edge, reference))
    for frame in page.having("frame"):
        kinds = [f["attributes"]["class"] for f in page.inside(frame, "figure")]
        assert kinds == ["input", "input", "difference", "mended", "difference"]
        edge_s, predicted = (image_of([f for f in page.inside(frame, "figure")][i], page).astype(int) for i in (0, 3))
        inside = (slice(8, -8), slice(8, -8))
        assert np.abs(edge_s - predicted)[inside].mean() < 8
        assert "with the fault" in page.inside(frame, "figure")[3]["text"]


def test_sensor_pictures_and_thumbnails(tmp_path):
    pictures = textures(6, 64)
    paths = []
    for role in ("edge", "reference"):
        with Recording(tmp_path / role, role, task="classification") as log:
            for i, p in enumerate(pictures):
                scores = np.eye(4, dtype=np.float32)[[(i if role == "edge" else 0) % 4]]
                raw = {"media": {"format": "rgb8", "width": 64, "height": 64}}
                log.frame([("/sensor/camera", p, raw), ("/input/image", normalize([p], *LITE0)[0][None], {}),
                           ("/output/scores", scores, {})])
        paths.append(tmp_path / role)
    page = read_page(write_html(tmp_path / "r.html", *paths))
    assert figures(page, "sensor") and image_of(figures(page, "sensor")[0], page).shape == (64, 64, 3)
    assert len(page.having("thumb")) == 4 and all(page.inside(t, "img") for t in page.having("thumb"))


# ---- Hostile text -----------------------------------------------------------------------------


def test_text_from_logs_is_text(tmp_path):
    target = write_html(tmp_path / "r.html", *write_hostile(tmp_path))
    page = read_page(target)  # the contracts: no handlers, no foreign elements, two scripts
    raw = target.read_text(encoding="utf-8")
    assert "<img src=x" not in raw and "<svg onload" not in raw and "onerror=alert(1)>" not in raw
    assert "\u2028" not in raw and "\u202e" not in raw and "\x1b" not in raw and "\0" not in raw
    assert "<img src=x onerror=alert(1)>" in page.one("section", id="compared")["text"]  # shown, as text
    name = page.data["layers"][0]["s"][0]["n"]
    assert name.startswith("</script></title>")
    assert len(page.one("section", id="compared")["text"]) < 40_000  # long texts are cut


def test_random_text_never_becomes_markup(tmp_path):
    random = np.random.default_rng(17)
    alphabet = list("<>&\"'`/=! -\\u%s;\t\n") + ["</script>", "<!--", "]]>", "&lt", "\u2029", "\ufeff", "é", "\U0001f600", "onload="]
    structure = None
    for attempt in range(12):
        text = "".join(random.choice(alphabet, size=int(random.integers(1, 300))))
        folder = tmp_path / str(attempt)
        folder.mkdir()
        page = read_page(write_html(folder / "r.html", *write_pair(folder, names=text)))
        shape = [e["tag"] for e in page.elements]
        assert structure is None or shape == structure
        structure = shape


# ---- The page as a whole ------------------------------------------------------------------------


def test_what_differs_is_said(tmp_path):
    pair = [write_inputs(tmp_path / role, role, normalize(textures(4, 32), *UNIT), device=device)
            for role, device in (("edge", "phone"), ("reference", "desk"))]
    page = read_page(write_html(tmp_path / "r.html", *pair))
    rows = {page.inside(r, "th")[0]["text"]: r["text"] for r in page.inside(page.having("facts")[0], "tr") if page.inside(r, "td")}
    assert "phone" in rows["device"] and "desk" in rows["device"] and rows["device"].strip().endswith("differs")
    assert "differs" not in rows["role"]  # as it must
    assert "unjudged" in page.having("assertions")[0]["text"]


def test_same_logs_same_page(tmp_path):
    pair = write_pair(tmp_path, layer_fault=1.0)
    assert write_html(tmp_path / "a.html", *pair).read_bytes() == write_html(tmp_path / "b.html", *pair).read_bytes()


def test_policy_allows_the_page_s_own_script_alone(tmp_path):
    text = write_html(tmp_path / "r.html", *write_pair(tmp_path)).read_text(encoding="utf-8")
    policy = Page(text).one("meta", **{"http-equiv": "Content-Security-Policy"})["attributes"]["content"]
    for open_tag, close_tag, kind in (("<script>", "</script>", "script-src"), ("<style>", "</style>", "style-src")):
        body = text.split(open_tag, 1)[1].split(close_tag, 1)[0]
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy


def test_standard_output(tmp_path):
    pair = [str(p) for p in write_pair(tmp_path)]
    result = subprocess.run([EXRAY, "validate", *pair, "--html", "-"], capture_output=True, text=True)
    assert result.returncode == 0 and result.stdout.startswith("<!DOCTYPE html>") and result.stdout.endswith("</html>\n")
    both = subprocess.run([EXRAY, "validate", *pair, "--html", "-", "--json", "-"], capture_output=True, text=True)
    assert both.returncode == 2 and "standard output" in both.stderr
    nowhere = subprocess.run([EXRAY, "validate", *pair, "--html", tmp_path / "no" / "folder"], capture_output=True, text=True)
    assert nowhere.returncode == 2 and "folder" in nowhere.stderr


def test_a_log_is_not_overwritten(tmp_path):
    edge, reference = write_pair(tmp_path)
    before = edge.read_bytes()
    result = subprocess.run([EXRAY, "validate", edge, reference, "--html", edge], capture_output=True, text=True)
    assert result.returncode == 2 and edge.read_bytes() == before


def test_two_thousand_layers(tmp_path):
    count, paths = 2000, []
    random = np.random.default_rng(5)
    base = random.normal(size=(count, 64)).astype(np.float32)
    for role in ("edge", "reference"):
        with Recording(tmp_path / role, role) as log:
            log.model([(f"t{i}", "float32", (1, 64), [], [], 0) for i in range(count + 1)],
                      [("RELU", [i], [i + 1]) for i in range(count)], [0], [count])
            for frame in range(3):
                layers = base + frame
                if role == "edge":
                    layers = layers + np.linspace(0, 1, count, dtype=np.float32)[:, None] * random.normal(size=base.shape)
                log.frame([("/input/t0", layers[:1], {})] +
                          [(f"/layer/{i}", layers[i : i + 1].astype(np.float32), {}) for i in range(count)])
        paths.append(tmp_path / role)
    target = write_html(tmp_path / "r.html", *paths)
    page = read_page(target)
    assert len(page.data["layers"]) == count and page.one("tr", id=f"row-{count - 1}")
    assert target.stat().st_size < 6_000_000


def test_nothing_in_common(tmp_path):
    """Logs without inputs, layers, decisions: each section says so or is left out."""
    paths = []
    for role in ("edge", "reference"):
        with Recording(tmp_path / role, role) as log:
            for _ in range(3):
                log.frame([])
        paths.append(tmp_path / role)
    page = read_page(write_html(tmp_path / "r.html", *paths))
    assert page.all("h1")[0]["text"] == "It could not be told."
    assert "--capture io" in page.one("section", id="pictures")["text"]
    assert "--capture stats" in page.one("section", id="layers")["text"]
    assert not page.all("section", id="decisions")


def test_sound_and_tokens(tmp_path):
    time = np.arange(8192) / 16000
    low, high = (np.sin(2 * np.pi * f * time).astype(np.float32) for f in (1000, 4000))
    pair = [write_inputs(tmp_path / role, role, [tone] * 3, name="sound") for role, tone in (("edge", high), ("reference", low))]
    page = read_page(write_html(tmp_path / "r.html", *pair))
    assert len(page.all("svg", id="wave-edge-0")) == 1 and len(page.all("svg", id="wave-reference-0")) == 1
    edge, reference = (image_of(f, page) for f in figures(page, "plot spectrum")[:2])
    # Half of the band is 8 kHz: the tones lie where they should, low frequencies below.
    for picture, hertz in ((edge, 4000), (reference, 1000)):
        row = picture.astype(int).sum(1).argmax()
        assert abs(row - (127 - hertz / 8000 * 128)) <= 2
    assert not page.all("svg", id="wave-sensor-0")  # none was recorded
    words = [np.array([[4, 8, 15, 16]], np.int32), np.array([[4, 8, 99, 16]], np.int32)]
    pair = [write_inputs(tmp_path / f"t{role}", role, [w] * 3, name="ids", shape=(1, 4)) for role, w in zip(("edge", "reference"), words)]
    page = read_page(write_html(tmp_path / "t.html", *pair))
    assert [e["text"] for e in page.all("mark")][:2] == ["15", "99"]


def test_what_the_microphone_heard(tmp_path):
    """The features that a model is given say little to the eye; the sound that they are made of does."""
    tone = (np.sin(2 * np.pi * 2000 * np.arange(16000) / 16000) * 9000).astype("<i2")
    wav = io.BytesIO()
    with wave.open(wav, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(tone.tobytes())
    pair = []
    for role in ("edge", "reference"):
        with Recording(tmp_path / role, role) as log:
            for i in range(2):
                sensor = PB["Tensor"](frame=i, data=wav.getvalue())
                sensor.info.name, sensor.info.dtype, sensor.media.format = "microphone", DTYPES["uint8"], "wav"
                sensor.info.shape.append(len(sensor.data))
                log.add("/sensor/microphone", "Tensor", sensor)
                log.frame([("/input/features", np.arange(40, dtype=np.float32)[None] + (role == "edge"), {})])
        pair.append(tmp_path / role)
    page = read_page(write_html(tmp_path / "r.html", *pair))
    assert len(page.all("svg", id="wave-sensor-0")) == 1
    assert "1 s at 16000 Hz" in page.one("section", id="pictures")["text"]
    row = image_of(figures(page, "plot spectrum")[0], page).astype(int).sum(1).argmax()
    assert abs(row - (127 - 2000 / 8000 * 128)) <= 2


def test_timeline_marks_the_warm_up(tmp_path):
    random = np.random.default_rng(2)
    paths = []
    for role in ("edge", "reference"):
        with Recording(tmp_path / role, role) as log:
            for i in range(60):
                taken = int(2_000_000 * random.uniform(0.97, 1.03)) * (12 if role == "edge" and i < 2 else 1)
                log.add("/frame", "Frame", PB["Frame"](index=i, source=f"{i}.jpg", begin_ns=log.time, end_ns=log.time + taken + 10,
                                                       inference_ns=taken))
        paths.append(tmp_path / role)
    assert "perf.warmup" in causes(validate(*paths))
    page = read_page(write_html(tmp_path / "r.html", *paths))
    chart = page.one("svg", id="chart-frames")
    assert [t["text"] for t in page.inside(chart, "text") if t["attributes"].get("class") == "band-label"] == ["warm-up"]
    dots = [e for e in page.inside(chart, "path") if "time" in (e["attributes"].get("class") or "")]
    assert len(dots) == 120
    # The band covers the slow frames alone: a sixtieth of the plot each.
    band = page.having("warmup")[0]["attributes"]
    assert float(band["width"]) == pytest.approx((1028 - 72) / 60 * 2, rel=0.02)


def test_stragglers_and_throttling_are_marked(tmp_path):
    edge = write_times(tmp_path / "e", 7, frames=240, slow={3: 30}, shape=lambda f: 2.0 if f >= 120 else 1.0,
                       mhz=lambda f: 900 if f >= 120 else 1800)
    reference = write_times(tmp_path / "r", 8, role="reference", frames=240)
    verdict = validate(edge, reference)
    assert {"perf.straggler", "perf.throttle"} <= set(causes(verdict))
    page = read_page(write_html(tmp_path / "r.html", edge, reference))
    assert page.having("lead")[0]["text"] == verdict["findings"][0]["summary"]
    chart = page.one("svg", id="chart-latency")
    slow = [b for b in page.inside(chart, "rect") if "straggler" in b["attributes"]["class"]]
    assert len(slow) == 1 and slow[0]["text"].startswith("3 ")
    milliseconds = {e["layer"]: e["edge_ms"] for e in verdict["latency"]["stragglers"]}[3]
    assert slow[0]["text"].endswith(f"{milliseconds:.3f} ms")
    # Beside its colour it has a mark.
    assert [m["text"] for m in page.inside(chart, "path") if "origin" in (m["attributes"].get("class") or "")] == [
        f"3 {OPS[3]} is slow"]
    # Bars are as long as their times: upwards the edge's, downwards the reference's, in one scale.
    bars = {b["text"]: float(b["attributes"]["height"]) for b in page.inside(chart, "rect")}
    times = {text: float(text.split(" ms")[0].split()[-1]) for text in bars}
    scale = bars[slow[0]["text"]] / times[slow[0]["text"]]
    assert all(abs(bars[t] - scale * times[t]) < 0.6 for t in bars)
    band = page.having("throttled")[0]["attributes"]
    assert float(band["x"]) == pytest.approx(72 + (1028 - 72) / 240 * 120, abs=12)


# ---- A real model --------------------------------------------------------------------------------


@pytest.mark.data
def test_lite0_is_small(tmp_path):
    model = testdata.model("efficientnet_lite0_int8.tflite")
    pictures = normalize(photographs(12, 224), *LITE0)
    edge = record_litert(tmp_path / "e", model, [swap(p)[None] for p in pictures], labels=[1] * 12)
    reference = record_litert(tmp_path / "r", testdata.model("efficientnet_lite0_float.tflite"),
                              [p[None] for p in pictures], "reference", labels=[1] * 12)
    target = write_html(tmp_path / "r.html", edge, reference)
    page = read_page(target)
    assert target.stat().st_size < 1_500_000
    assert "swapping channels 0 and 2" in page.all("h1")[0]["text"] and "input.channel_order" in page.having("cause")[0]["text"]
    assert "the order that the model was trained with" in page.having("fix")[0]["text"]  # no sensor: which side is right is open
    assert len(page.having("frame")) >= 2 and figures(page, "mended")
    assert sum("h" in layer for layer in page.data["layers"]) > 50
    assert sum("c" in layer for layer in page.data["layers"]) > 50
    assert "scale" in page.data["layers"][3]["s"][0]["q"] and "float32" in page.data["layers"][3]["s"][1]["q"]
