"""Pairs of logs with equal inputs and given outputs and results."""

import functools

import numpy as np
import testdata
from validate_support import LITE0, Recording, normalize, photographs



def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def some_logits(frames=6, classes=1000, seed=5, spread=2.0):
    """As classifiers give: most near each other, some far above."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(frames, classes)) * spread
    for row in x:
        row[random.integers(0, classes, 5)] += np.array([9, 6, 5, 4, 3]) * spread / 2
    return x


@functools.lru_cache(None)
def pictures(count):
    return normalize(photographs(count, 32), *LITE0)


def write_outputs(path, role, outputs, results=None, quantization=None, name="probabilities", change=None, model=None, shape=None,
                  label_file=None, **metadata):
    """outputs: an array for each frame; results: lists of (class, score[, label]); label_file: its text, attached."""
    from log_writer import PB

    with Recording(path, role, **metadata) as log:
        if label_file is not None:
            log.writer.add_attachment(1, 1, "labels.txt", "text/plain", label_file.encode())
        if model:
            log.model(*model)
        inputs = pictures(len(outputs))
        for i, output in enumerate(outputs):
            image = inputs[i] if change is None else change(inputs[i])
            output = np.ascontiguousarray(output)
            tensors = [("/input/image", np.ascontiguousarray(image[None], np.float32), {})]
            if output.size:
                tensors.append((f"/output/{name}", output[None] if shape is None else output.reshape(shape), quantization or {}))
            if results is not None and results[i] is not None:
                r = PB["Result"](frame=log.count)
                for entry in results[i]:
                    r.classes.add(id=int(entry[0]), score=float(entry[1]), label=entry[2] if len(entry) > 2 else "")
                log.add("/result", "Result", r)
            log.frame(tensors)
    return path


def write_boxes(path, role, rows, told, change=None, detector=True, classes=None, ids=None, names=None):
    """rows, classes: boxes as the model gives them; told, ids, names: (x_min, y_min, x_max, y_max), classes and their names as the application does."""
    from log_writer import PB

    with Recording(path, role) as log:
        if detector:
            log.model([("image", "float32", [1, 32, 32, 3], [], [], 0), ("boxes", "float32", [1, *rows.shape[1:]], [], [], 0)],
                      [("TFLite_Detection_PostProcess", [0], [1])], [0], [1])
        inputs = pictures(len(rows))
        for i in range(len(rows)):
            r = PB["Result"](frame=log.count)
            for n, (x_min, y_min, x_max, y_max) in enumerate(() if told is None else told[i]):
                r.boxes.add(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max, id=1 if ids is None else int(ids[i][n]), score=0.9,
                            label="" if names is None else names[i][n])
            log.add("/result", "Result", r)
            image = inputs[i] if change is None else change(inputs[i])
            outputs = [("/output/boxes", rows[i][None].astype(np.float32), {})]
            if classes is not None:
                outputs.append(("/output/classes", classes[i][None].astype(np.float32), {}))
            log.frame([("/input/image", np.ascontiguousarray(image[None], np.float32), {}), *outputs])
    return path


def top(outputs, k=5, shift=0, labels=None, mapping=None, scores=None):
    """What an application tells its user: the k best classes."""
    lists = []
    for n, y in enumerate(outputs):
        best = np.argsort(-np.asarray(y, float), kind="stable")[:k]
        ids = [int(i) - shift if mapping is None else int(mapping[i]) for i in best]
        given = np.asarray(y, float) if scores is None else scores[n]
        lists.append([(c, given[i]) + ((labels[c],) if labels is not None else ()) for c, i in zip(ids, best)])
    return lists


@functools.lru_cache(None)
def real_outputs(model, count=8):
    """A real model's outputs and quantization on photographs; skips where it is not there."""
    path = testdata.model(f"{model}.tflite")
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    run = Interpreter(str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    run.allocate_tensors()
    into, out = run.get_input_details()[0], run.get_output_details()[0]
    outputs = []
    for values in normalize(photographs(count, into["shape"][1]), *LITE0):
        scale, zero = into["quantization"]
        if scale:
            limits = np.iinfo(into["dtype"])
            values = np.clip(np.round(values / scale) + zero, limits.min, limits.max)
        run.set_tensor(into["index"], values.astype(into["dtype"])[None])
        run.invoke()
        outputs.append(run.get_tensor(out["index"])[0].copy())
    return np.stack(outputs), out["quantization"]
