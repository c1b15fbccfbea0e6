"""Pairs of logs whose HTML reports are read, or used in a browser."""

import numpy as np
from log_writer import PB, Log
from validate_support import SYMMETRIC, UNIT, Recording, normalize, textures

HOSTILE = "</script></title></style><img src=x onerror=alert(1)><!--\"'`&amp;\u2028\u202e<svg onload=alert(2)>"
HOSTILE_CELL = "</td></table><script>alert(1)</script>"
HOSTILE_CLASS = "<b>\u202ecat</b>"
TENSORS = [(name, "float32", shape, [], [], 0) for name, shape in
           (("image", (1, 32, 32, 3)), ("w", (8, 3, 3, 3)), ("first;first/bn", (1, 32, 32, 8)), ("out", (1, 8)))]


def write_pair(tmp_path, layer_fault=0.0, frames=12, names="conv"):
    """Two convolutional layers and a decision; the edge's second channel may be off."""
    pictures = normalize(textures(frames, 32, seed=9), *UNIT)
    paths = []
    for role in ("edge", "reference"):
        path = tmp_path / f"{role}.mcap"
        with Recording(path, role, task="classification", device=names) as log:
            log.model(TENSORS, [("CONV_2D", [0, 1], [2]), ("MEAN", [2], [3])], [0], [3])
            for i, picture in enumerate(pictures):
                layer = np.repeat(picture[None].mean(-1, keepdims=True), 8, -1).astype(np.float32)
                layer = layer * np.arange(1, 9, dtype=np.float32)
                if role == "edge":
                    layer[..., 5] += layer_fault * layer[..., 5].std()
                scores = np.zeros((1, 8), np.float32)
                scores[0, i % 8] = 1
                if role == "edge" and layer_fault and i == 4:
                    scores[0, 7] = 2
                log.frame([("/input/image", picture[None], {}), ("/layer/0", layer, {}), ("/layer/1", scores, {}),
                           ("/output/out", scores, {})], label=i % 8)
        paths.append(path)
    return paths


def write_hostile(tmp_path):
    paths = []
    for role in ("edge", "reference"):
        path = tmp_path / role
        with Recording(path, role, task="classification", device=HOSTILE, app=HOSTILE * 40, cpu="a\0b\x1b[31m") as log:
            m = PB["Model"](name=HOSTILE, engine=HOSTILE, engine_version=HOSTILE, kernels=HOSTILE, inputs=[0], outputs=[1])
            for n in (HOSTILE, HOSTILE + "2"):
                m.tensors.add(name=n, dtype=1, shape=[1, 8])
            m.nodes.add(op=HOSTILE, name=HOSTILE, inputs=[0], outputs=[1])
            log.add("/model", "Model", m)
            for i in range(4):
                values = np.arange(8, dtype=np.float32)[None] + i
                log.tensor("/input/" + HOSTILE, values, frame=i)
                log.tensor("/layer/0", values * (3 if role == "edge" else 1), frame=i)
                log.tensor("/output/" + HOSTILE, values, frame=i)
                r = PB["Result"](frame=i)
                r.classes.add(id=(i if role == "edge" else 0), score=1, label=HOSTILE)
                log.add("/result", "Result", r)
                log.add("/frame", "Frame", PB["Frame"](index=i, source=HOSTILE + str(i), end_ns=log.time + 10, inference_ns=2_000_000))
        paths.append(path)
    return paths


def write_results(path, role, results, truths=None):
    log = Log(path, metadata={"role": role})
    for i, told in enumerate(results):
        begin = log.time
        for topic, content in (("/result", told), *([("/truth", truths[i])] if truths else [])):
            message = PB["Result"](frame=i)
            message.MergeFrom(content)
            log.add(topic, "Result", message)
        log.frame(i, begin, source=f"{i}.jpg")
    log.finish()
    return path


def boxes(shift, classes=30):
    """A box of each class; the later its number, the more `shift` moves it."""
    told = []
    for k in range(classes):
        x = 0.02 * k + 0.02 * shift * k / classes
        told.append({"x_min": x, "y_min": 0.1, "x_max": x + 0.05, "y_max": 0.2, "id": k, "score": 0.9,
                     "label": HOSTILE_CELL if k == classes - 1 else f"thing {k}"})
    return PB["Result"](boxes=told)


def write_drawn(path, role, tell, frames=2, stages=None, truth=None, camera=True):
    """tell(result, i) fills the frame's result; stages: {name: array}, recorded behind the input."""
    pictures = textures(frames, 64, seed=5)
    with Recording(path / role, role, task="detection") as log:
        for i, picture in enumerate(pictures):
            tensors = [("/input/image", (picture[None] / 127.5 - 1).astype(np.float32), {})]
            if camera:
                tensors.insert(0, ("/sensor/camera", picture, {"media": {"format": "rgb8", "width": 64, "height": 64}}))
            for topic, array, keywords in tensors:
                log.tensor(topic, array, frame=i, **keywords)
            for name, array in (stages or {}).items():
                log.tensor(f"/stage/{name}", array, frame=i)
            for topic, fill in (("/result", tell), ("/truth", truth)):
                if fill:
                    message = PB["Result"](frame=i)
                    fill(message, i)
                    log.add(topic, "Result", message)
            log.frame([])
    return path / role


def write_classes(folder, role, frames, wrong=(), labels=True, attach=None):
    """A classifier of tiny pictures that tells its classes in two messages; in the frames `wrong` the edge errs."""
    pictures = textures(min(frames, 12), 16, seed=3)
    with Recording(folder / role, role, task="classification") as log:
        if attach:
            log.writer.add_attachment(0, 0, "labels.txt", "text/plain", "\n".join(attach).encode())
        for i in range(frames):
            best = 3 if role == "edge" and i in wrong else 1
            for k in (best, 2):
                r = PB["Result"](frame=i)
                r.classes.add(id=k, score=0.9 if k == best else 0.1, label=(f"name {k}" if k != 3 else HOSTILE_CLASS) if labels else None)
                log.add("/result", "Result", r)
            log.frame([("/input/image", normalize([pictures[i % len(pictures)]], *SYMMETRIC)[0][None], {})], label=1)
    return folder / role
