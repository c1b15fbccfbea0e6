"""The tables of docs/faults.md: faults inside models, and the fixes that were named and done."""

from collections import defaultdict

from accuracy import version
from report import fix_rows, percent

HEAD = """# Faults inside models

Written by `scripts/faults.sh --layers -o docs/faults.md` with {version}; run it again to make it anew.

Each case is a model with one fault: in its file (other weights, another range, another operator), in its calibration, or
in the engine's kernels, which are then our own and wrong on purpose (`tests/faults/kernels`), in every node of the
operator or in one. `exray validate` compares it with a reference. *Detected*: it fails. *Layer*: the first finding is at the
layer that was changed; of a kernel, at the first executed one whose result is off by more than a step (of floats, by
1e-4 of the signal), as the kernel itself says. *Cause*: the first finding has the right name. *Alone*: the same once
more with `--engine` and `--reference-model`, which run the layers alone. Kernels that err by less than 8 bits may after so
many layers are found alone only: on the same inputs, of one model file, a right kernel is off by no more than one step.

| fault | cases | detected | layer | cause | alone: layer | alone: cause |
|---|---|---|---|---|---|---|
"""
FIXES = """
## Fixes, done

The edge is run again as the finding says: with the model that is quantized per channel, with the one that is calibrated
on data as in use, with the engine's own kernels. *Named*: the first finding says so. *Clean*: the pair passes, without a
finding. *Agreement*: share of decisions that are the reference's.

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
    text += (f"{totals['healthy']} healthy pairs, own kernels without a fault among them: {totals['healthy_with_findings']} with findings. "
             f"{totals['hidden']} faults that change results by rounding alone are not counted.\n")
    rows = [f"| {name.removeprefix('layer:')} | {len(g)} | {percent(sum(o.fix_named for o in g), len(g))} | "
            f"{percent(sum(o.mended for o in g), len(g))} | {_mean([o.agreement for o in g])} | {_mean([o.fixed.agreement for o in g])} |"
            for name, g in fix_rows(outcomes).items()]
    return text + FIXES + "\n".join(rows) + "\n"
