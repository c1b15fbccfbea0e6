"""The rows of the table, kept as JSON, one a line: what was measured need not be measured again."""

import json
import os
import threading
from dataclasses import asdict, dataclass, field

PARTS = ("classes", "tasks", "sources", "quantized", "latency")
TASKS = ("classification", "multi_label", "detection", "segmentation", "keypoints", "embedding", "regression", "text", "audio", "state")


@dataclass
class Row:
    part: str
    task: str
    model: str
    fault: str
    number: int  # its place among the faults of the model
    file: str = ""
    measure: str = ""  # a name of docs/tasks.md
    truth: bool = False  # measured against the truth, not against the reference
    right: float = None  # the measure with the right pipeline
    before: float = None  # with the fault
    after: float = None  # once the named fix is done
    note: str = ""  # why there is no figure after it
    found: bool = False
    named: list = field(default_factory=list)  # causes of the errors, in validate's order
    causes: list = field(default_factory=list)  # those that are right for the first; none: nothing may be named
    seconds: float = 0
    more: dict = field(default_factory=dict)  # what only this part has

    @property
    def key(self):
        return self.part, self.model, self.fault

    @property
    def healthy(self):
        return not self.causes

    @property
    def exact(self):
        """The first cause is right."""
        return bool(self.named) and self.named[0] in self.causes


class Rows:
    """All rows of a file; each is saved when it is made."""

    def __init__(self, path):
        self.path, self.lock, self.rows = path, threading.Lock(), {}
        if path and path.exists():
            for line in path.read_text().splitlines():
                if line.strip():
                    row = Row(**json.loads(line))
                    self.rows[row.key] = row

    def get(self, part, model, fault):
        return self.rows.get((part, model, fault))

    def put(self, row):
        with self.lock:
            self.rows[row.key] = row
            self._save()

    def keep(self, part, model, faults):
        """Forgets rows of that model whose faults there are no more."""
        with self.lock:
            gone = [k for k in self.rows if k[:2] == (part, model) and k[2] not in faults]
            for key in gone:
                del self.rows[key]
            if gone:
                self._save()

    def ordered(self):
        """The same order whatever was measured first."""
        return sorted(self.rows.values(), key=lambda r: (PARTS.index(r.part), TASKS.index(r.task) if r.task in TASKS else 99, r.model, r.number, r.fault))

    def models(self, *parts):
        """{(part, model): its rows}."""
        found = {}
        for row in self.ordered():
            if row.part in parts:
                found.setdefault((row.part, row.model), []).append(row)
        return found

    def _save(self):
        if not self.path:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        made = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        made.write_text("".join(json.dumps(asdict(r)) + "\n" for r in self.ordered()))
        made.replace(self.path)
