"""Healthy pairs of one model, run with other optimizations or other kernels, or as a copy in other types or for another
engine (tests/support/level_pairs.py).
Those whose test data are missing are left out."""

from execute import Case
from level_pairs import SUBJECTS


def _case(name, edge, reference):
    return Case(f"levels:{edge}-{reference}", 0, name, "inputs", "full", False, kind="healthy", input_fault=False, subject=name,
                options={"kernels": edge}, reference={"kernels": reference})


def healthy():
    return [_case(name, *pair) for name, s in SUBJECTS.items() if s.path.exists() for pair in s.pairs]


def fast():
    """One of each kind that takes little."""
    found = {}
    for c in healthy():
        if SUBJECTS[c.model].fast:
            found.setdefault(c.fault, c)
    return list(found.values())
