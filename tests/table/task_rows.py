"""Models of tasks on pictures, with the faults of tests/faults/kinds/task_faults.py, against the reference."""

from functools import partial

import task_cases
import task_faults
import task_models
from fault_rows import Fault, Subject

# What each task's table shows.
MEASURES = {"detection": "boxes", "segmentation": "miou", "keypoints": "pck", "text": "cer", "embedding": "cosine"}


def subjects(bench, wanted):
    for model in task_models.load().values():
        if wanted(model.name):
            folder = task_models.pictures(model.pictures, 0)
            faults = [Fault("none", (), partial(task_cases.make_healthy, model, 0, "", bench), kept=True)]
            faults += [Fault(f.name, f.causes, partial(task_cases.make_faulty, model, f, 0, bench), f.where == "input")
                       for f in task_faults.of(model) if f.where != "input" or f.change(model) is not None]
            yield Subject("tasks", model.task, model.name, model.file, MEASURES[model.task], faults, partial(task_models.record_text, model, folder))
