"""Logs with what another run of the model got and gave: tensors of any shape in each frame, frames left out or taken from elsewhere."""

import numpy as np
from rewrite_log import Log

OF_A_RUN = ("/input/", "/output/", "/result", "/layer/", "/state/")
KINDS = {1: "<f4", 2: "<f2", 4: "<f8", 5: "i1", 6: "u1", 7: "<i2", 8: "<u2", 9: "<i4", 10: "<u4", 11: "<i8", 12: "<u8", 13: "?"}


def _described(log):
    """{name: (dtype, shape)}: what /model says of tensors that are recorded without it."""
    model = next(iter(log.decoded("/model").values()), None)
    return {t.name: (t.dtype, tuple(t.shape)) for t in model.tensors} if model else {}


def _array(message, known):
    a = np.frombuffer(message.data, KINDS[message.info.dtype or known[0]])
    return a.reshape(tuple(message.info.shape) or known[1])


def _named(log, beginning):
    """{name: [message], as the frames have them}, and the place of each message."""
    found, places = {}, log.decoded(beginning)
    for i, m in places.items():
        found.setdefault(log.topic(i)[len(beginning):], []).append(m)
    return found, places


def tensors(path, beginning="/input/"):
    """{name: [array of each frame]} of the topics that begin so; frames may differ in shape."""
    log = Log(path)
    known = _described(log)
    return {n: [_array(m, known.get(n)) for m in messages] for n, messages in _named(log, beginning)[0].items()}


def stored(path, beginning):
    """{name: [bytes of each record]} likewise, of whatever type: /model need not name a layer's tensor."""
    return {n: [m.data for m in messages] for n, messages in _named(Log(path), beginning)[0].items()}


def _put(message, array, known):
    message.info.dtype = message.info.dtype or known[0]
    del message.info.shape[:]
    message.info.shape.extend(array.shape)
    message.data = np.ascontiguousarray(array).astype(KINDS[message.info.dtype]).tobytes()
    for summary in ("stats", "sketch"):
        message.ClearField(summary)


def change(source, out, inputs=None, outputs=None, drop=()):
    """inputs and outputs({name: [array of each frame]}) return what takes their place; topics that begin as one of `drop` are left out."""
    log, changed = Log(source), {}
    known = _described(log)
    for make, beginning in ((inputs, "/input/"), (outputs, "/output/")):
        if not make:
            continue
        found, places = _named(log, beginning)
        made = make({n: [_array(m, known.get(n)) for m in messages] for n, messages in found.items()})
        for name, messages in found.items():
            for m, a in zip(messages, made[name]):
                _put(m, a, known.get(name))
        changed.update(places)
    changed.update({i: None for i in range(len(log.rows)) if drop and log.topic(i).startswith(tuple(drop))})
    log.write(out, changed)


def graft(source, run, out, frames=None, attachments=True):
    """The log `source` with what the model got and gave, and what was told of it, out of the log `run`.  frames: {index in source: index in run}, by
    default the same; a frame that it lacks is left out. attachments: false leaves out the pipeline file."""
    log, other, taken, changed = Log(source), Log(run), {}, {}
    for i, m in other.decoded(*OF_A_RUN).items():
        taken.setdefault((other.topic(i), m.frame), []).append(m)
    for i, m in log.decoded("/").items():
        topic = log.topic(i)
        index = getattr(m, "index" if topic == "/frame" else "frame", None)
        if index is None or topic in ("/event", "/model"):
            continue
        if frames is not None and index not in frames:
            changed[i] = None
        elif topic.startswith(OF_A_RUN):
            found = taken.get((topic, index if frames is None else frames[index]), [])
            changed[i] = type(m).FromString(found.pop(0).SerializeToString()) if found else None
            if changed[i]:
                changed[i].frame = index
    log.write(out, changed, attachments)
