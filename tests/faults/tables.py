"""The tables of docs/faults.md: faults inside models, and the named fixes, applied."""

from collections import defaultdict

from accuracy import version
from report import fix_rows, percent

HEAD = """# Faults inside models

Written by `scripts/faults.sh --layers -o docs/faults.md` with {version}; run it again to update it.

Each case is a model with one fault: in its file (other weights, another range, another operator), in its calibration, or
in the engine's kernels. The faulty kernels are our own (`tests/faults/kernels`) and run in every node of the operator or in
one. `exray validate` compares the model with a reference. *Detected*: it fails. *Layer*: the first finding is at the changed
layer; for a kernel, at the first executed one whose result is off by more than a step (floats: by 1e-4 of the signal), as
the kernel itself reports. *Cause*: the first finding has the right name. *Alone*: the same with `--engine` and
`--reference-model`, which run layers alone. Kernels whose error is smaller than that of 8-bit rounding over many layers are
found only alone: on the same inputs, with the same model file, a correct kernel is off by no more than one step.

| fault | cases | detected | layer | cause | alone: layer | alone: cause |
|---|---|---|---|---|---|---|
"""
FIXES = """
## Applied fixes

The edge runs again as the finding suggests: with the model quantized per channel, with the one calibrated on data like those
in use, or with the engine's own kernels. *Named*: the first finding suggests this. *Clean*: the pair passes, without a
finding. *Agreement*: share of decisions that equal the reference's.

| fault | cases | named | clean | agreement before | after |
|---|---|---|---|---|---|
"""


def _groups(outcomes):
    groups = defaultdict(list)
    for o in outcomes:
        groups[o.case.fault.removeprefix("layer:").split("@")[0]].append(o)
    return groups


def _row(name, group):
    placed, alone, n = [o for o in group if o.case.layer is not None], [o for o in group if o.isolated], len(group)
    cells = [percent(sum(o.detected for o in group), n), percent(sum(o.exact_layer for o in placed), len(placed)),
             percent(sum(o.exact for o in group), n), percent(sum(o.isolated.exact_layer for o in alone), len(alone)),
             percent(sum(o.isolated.exact for o in alone), len(alone))]
    return f"| {name} | {n} | " + " | ".join(cells) + " |"


def _mean(values):
    known = [v for v in values if v is not None]
    return f"{sum(known) / len(known):.2f}" if known else "-"


def markdown(outcomes, totals):
    """Of the faults that count, and of healthy pairs only the number."""
    lines = [_row(name, group) for name, group in _groups(outcomes).items()]
    lines.append(_row("**all**", outcomes))
    text = HEAD.format(version=version()) + "\n".join(lines) + "\n\n"
    text += (f"{totals['healthy']} healthy pairs, including our own kernels without a fault: {totals['healthy_with_findings']} with findings. "
             f"{totals['hidden']} faults that change results only by rounding are not counted.\n")
    rows = [f"| {name.removeprefix('layer:')} | {len(g)} | {percent(sum(o.fix_named for o in g), len(g))} | "
            f"{percent(sum(o.mended for o in g), len(g))} | {_mean([o.agreement for o in g])} | {_mean([o.fixed.agreement for o in g])} |"
            for name, g in fix_rows(outcomes).items()]
    return text + FIXES + "\n".join(rows) + "\n"
