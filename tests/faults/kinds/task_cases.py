"""Faults of detection, segmentation, keypoints, text and embeddings, with real models; and healthy pairs of them.

The edge is `record` with a wrong pipeline, or its log rewritten: other results, other outputs. The reference is `replay`
of the right edge with the right pipeline."""

from functools import partial

import task_faults
import task_models
from execute import healthy_pair, made_case
from rewrite_log import rewrite


def _right(bench, model, seed):
    """The logs of both sides where nothing is wrong; made once."""
    def make():
        edge, reference = bench._path(f"{model.name}-right.mcap"), bench._path(f"{model.name}-reference.mcap")
        task_models.record(model, task_models.pictures(model.pictures, seed), {}, edge)
        task_models.replay(model, edge, reference)
        return edge, reference
    return bench.once(("task", model.name, seed), make)


def _untold(bench, model, seed):
    """The same without results."""
    def make():
        made = []
        for log in _right(bench, model, seed):
            made.append(bench._path(f"{model.name}-untold.mcap"))
            rewrite(log, made[-1], results=lambda r: [None] * len(r))
        return made
    return bench.once(("untold", model.name, seed), make)


def make_faulty(model, fault, seed, bench):
    """Paths of the edge's log and the reference's."""
    edge, reference = _right(bench, model, seed)
    out = bench._path("edge.mcap")
    if fault.where == "input":
        task_models.record(model, task_models.pictures(model.pictures, seed), fault.change(model), out)
    elif fault.where == "told":
        rewrite(edge, out, results=fault.change)
    else:
        edge, reference = _untold(bench, model, seed)
        rewrite(edge, out, outputs=fault.change)
    return out, reference


def make_healthy(model, seed, kernels, bench):
    return healthy_pair(bench, _right(bench, model, seed), kernels, partial(task_models.record, model, task_models.pictures(model.pictures, seed), {}))


def make_silent(model, seed, silent, bench):
    """One side recorded its outputs and told nothing: `validate` decides both sides' itself."""
    logs = list(_right(bench, model, seed))
    logs[silent] = _untold(bench, model, seed)[silent]
    return logs


def faults(models, seed=0):
    found = []
    for model in models.values():
        for fault in task_faults.of(model):
            if fault.where == "input" and fault.change(model) is None:
                continue
            found.append(made_case(f"task:{fault.where}:{fault.name}", model, partial(make_faulty, model, fault, seed), links=[list(fault.causes)]))
    return found


def healthy(models, seeds=range(6)):
    """Each model on other pictures, with its own kernels and others; and where one side told nothing."""
    pairs = [made_case(f"task:healthy_{seed}{'_' + kernels if kernels else ''}", model, partial(make_healthy, model, seed, kernels), kind="healthy")
             for model in models.values() for seed in seeds for kernels in ("", *model.kernels)]
    return pairs + [made_case(f"task:healthy_silent_{side}", model, partial(make_silent, model, seeds[0], at), kind="healthy")
                    for model in models.values() for at, side in enumerate(("edge", "reference"))]


def fast(models):
    """A few, of other tasks each."""
    chosen = {("face", "boxes mirrored"), ("face_points", "bgr"), ("features", "vector scaled"), ("read", "repeats kept")}
    return [c for c in faults(models) if (c.model, c.fault.split(":")[2]) in chosen]
