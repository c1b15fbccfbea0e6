"""docs/table.md out of the rows: what there is in short, what is not as it should be, then each model."""

import subprocess
from statistics import median

from places import EXRAY

FAULTS = ("classes", "tasks", "sources")
WORDS = {"top1": "top-1 accuracy", "boxes": "boxes that match", "miou": "mean IoU", "pck": "points in place", "cer": "wrong letters", "cosine": "cosine similarity",
         "f1": "F1 of labels", "relative_error": "relative error", "frames": "equal frames"}
LESS = ("cer", "relative_error")  # the less the better


def percent(x):
    return "-" if x is None else f"{100 * x:.1f} %"


def _code(causes):
    return ", ".join(f"`{c}`" for c in dict.fromkeys(causes))


def _unseen(row):
    """A mild fault that costs nothing on these data, and is not found."""
    return not row.found and row.more.get("mild") and row.before is not None and abs(row.before - _whole(row)) < 5e-4


def _faults(rows):
    return [r for r in rows if not r.healthy and not _unseen(r)]


def _worst(values, measure):
    known = [v for v in values if v is not None]
    return None if not known else max(known) if measure in LESS else min(known)


def _whole(row):
    """What the measure is where nothing is wrong."""
    return row.right if row.truth else 0.0 if row.measure in LESS else 1.0


def _restored(row):
    return row.after is not None and abs(row.after - _whole(row)) < 5e-4


def totals(rows):
    """One line of everything."""
    groups = rows.models(*FAULTS)
    every = [r for group in groups.values() for r in group]
    faults, healthy = _faults(every), [r for r in every if r.healthy]
    tried = [r for r in faults if r.after is not None]
    return (f"{len({r.file for r in every})} models, {len(faults)} faults of {len({(r.task, r.fault) for r in faults})} kinds (fault and task): {sum(r.found for r in faults)} found, "
            f"{sum(r.exact for r in faults)} with the right cause first; {len(tried)} fixes done by the keys that they name, {sum(map(_restored, tried))} of them "
            f"restore what the right pipeline gives; {len(healthy)} healthy pairs, {sum(r.found for r in healthy)} with findings.")


# ---- In short ----------------------------------------------------------------------------------


def _short(groups):
    out = ["| task | model | measure | right | faults | found | cause first | with a fault: median, worst | fixes with a key | after them: worst |",
           "|---|---|---|---|---|---|---|---|---|---|"]
    for rows in groups.values():
        faults, first = _faults(rows), rows[0]
        if not faults:
            continue
        before, after = [r.before for r in faults], [r.after for r in faults if r.after is not None]
        known = [v for v in before if v is not None]
        middle = percent(median(known)) if known else "-"
        out.append(f"| {first.task} | {first.model} | {WORDS.get(first.measure, first.measure)}{'' if first.truth else ', agreement'} | {percent(_whole(first))} | {len(faults)} "
                   f"| {sum(r.found for r in faults)} | {sum(r.exact for r in faults)} | {middle}, {percent(_worst(before, first.measure))} | {len(after)} "
                   f"| {percent(_worst(after, first.measure))} |")
    return out


def _misses(groups):
    """What is not as it should be."""
    out = []
    for rows in groups.values():
        for r in rows:
            said = _code(r.named) or "nothing"
            where = f"{r.model}, {r.fault}"
            if _unseen(r):
                continue
            if r.healthy:
                out += [f"- {where}: a finding where nothing is wrong ({said})"] * r.found
            elif not r.found:
                out.append(f"- {where}: not found; {percent(r.before)} with it{' (it may stay unseen where no decision changes)' if r.more.get('mild') else ''}")
            elif not r.exact:
                out.append(f"- {where}: named {said}, not {' or '.join(f'`{c}`' for c in r.causes)}")
            if r.found and r.after is not None and not _restored(r) and not r.healthy:
                out.append(f"- {where}: {percent(r.after)} after the named fix, not {percent(_whole(r))}")
    return ["## What is not as it should be", "", *(out or ["Nothing of what was tried."]), ""]


# ---- Each model ----------------------------------------------------------------------------------


def _model(rows):
    first, task = rows[0], rows[0].task
    out = [f"### {task}: {first.model}", "",
           f"`{first.file}`; {WORDS.get(first.measure, first.measure)}, " + (f"against the truth, {percent(first.right)} with the right pipeline" if first.truth
                                                                            else "against the reference"), "",
           "| fault | with it | found | named | after the named fix |", "|---|---|---|---|---|"]
    for r in rows:
        found = "**yes**" if r.healthy and r.found else "no" if r.healthy or _unseen(r) else "yes" if r.found else "**no**"
        out.append(f"| {r.fault} | {percent(r.before)} | {found} | {_code(r.named) or 'nothing'} | {r.note or percent(r.after)} |")
    return [*out, ""]


def _quantized(rows):
    if not rows:
        return []
    out = ["## Quantization", "", "Top-1 accuracy on all pictures with classes (of the dogs: agreement with the float model); findings on eight of them with every layer",
           "recorded, against the same model quantized well. *With the fix done*: the model calibrated, or quantized per channel, as the finding asks for.", "",
           "| what was done | model | float | with it | found | named | with the fix done |", "|---|---|---|---|---|---|---|"]
    for r in rows:
        out.append(f"| {r.fault} | `{r.file}` | {percent(_whole(r))} | {percent(r.before)} | {'yes' if r.found else '**no**'} | {_code(r.named) or 'nothing'} | {percent(r.after)} |")
    return [*out, ""]


def _latency(rows):
    if not rows:
        return []
    loads = [r.more["load"] for r in rows]
    out = ["## Latency", "",
           f"Medians of 12 runs on {rows[0].more['processors']} processors, at a load average of {min(loads):.0f} to {max(loads):.0f}: where it is higher than there are processors,",
           "other programs ran beside it, and ratios say more than times. No kernel is slowed on purpose. Below 1.75 times nothing is to be named (`perf.kernels`).",
           "*Layers*: those that the finding names, else the five slowest of those that take a fiftieth of the time or more, each with its time by the reference's.", "",
           "| model | the edge runs | ms | reference, ms | ratio | named | layers |", "|---|---|---|---|---|---|---|"]
    for r in rows:
        slow = r.more["slow"] or r.more["layers"]
        layers = ", ".join(f"{s.get('op', '')} {s.get('layer', '')}: {s['ratio']:.1f}".strip() for s in slow[:6])
        more = f", and {len(slow) - 6} more" if len(slow) > 6 else ""
        out.append(f"| {r.model} | {r.fault} | {r.before:.2f} | {r.right:.2f} | {r.before / r.right:.1f} | {_code(r.named) or 'nothing'} | {layers or '-'}{more} |")
    said = [f"- {r.model}, {r.fault}: {s}" for r in rows for s in r.more["summaries"]]
    return [*out, "", "What the findings say:", "", *said, ""]


def _minutes(rows):
    """Of processor time, roughly: two rows at a time take half of it."""
    return sum(r.seconds for r in rows) / 60


def markdown(rows):
    version = subprocess.run([EXRAY, "version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    groups = rows.models(*FAULTS)
    parts = {part: [r for group in rows.models(part).values() for r in group] for part in (*FAULTS, "quantized", "latency")}
    times = ", ".join(f"{part} {_minutes(found):.0f}" for part, found in parts.items() if found)
    text = [
        "# Tasks, models and faults", "",
        f"Written by `scripts/table.sh` with {version or 'exray'}; its rows are [tests/table/rows.json](../tests/table/rows.json), measured in one run or in several,",
        "also with several builds of that version, where it went on (`--resume`). Minutes that the rows took, one after the other, two at a time, with whatever",
        f"else ran on the machine: {times}. `scripts/table.sh --help` says how to measure some of them.", "",
        "Each row is a fault done to a real model: before it (the pipeline of `record`), in what it returns, or in what the application",
        "tells its user (the edge's log, rewritten). The reference is `replay` of the right edge's log with the right pipeline.",
        "*With it*: how much of what the edge told is as the reference told it, or where the data have classes, the accuracy. A fault may",
        "cost nothing on these few data and is to be found all the same.",
        "*Named*: the errors of `exray validate`, in its order. *After the named fix*: the same figure once the pipeline keys that the",
        "fixes name have the values that they name; the program gets no other information. The values are those that the finding",
        "measured, or, where it measures none, what the reference's pipeline file has there and the edge's has not. What is wrong in an",
        "application's own code has no such key. What the data at hand cannot show is told in [results.md](results.md#what-the-data-here-cannot-show).", "",
        totals(rows), "", *_short(groups), "", *_misses(groups), "## Each model", ""]
    for group in groups.values():
        text += _model(group)
    text += _quantized(parts["quantized"]) + _latency(parts["latency"])
    return "\n".join(text).rstrip() + "\n"
