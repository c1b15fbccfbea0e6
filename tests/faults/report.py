"""What came out: a table a fault, totals, every miss with what was said, JSON."""

import json
import sys
from collections import Counter, defaultdict
from dataclasses import asdict

from sensors import SENSORS


LAYER_PLACE, LAYER_CAUSE = 0.95, 0.90  # of the faults inside models


class Progress:
    """A line that counts, on a terminal only."""

    def __init__(self, total):
        self.done, self.total, self.shown = 0, total, sys.stderr.isatty()

    def step(self):
        self.done += 1
        if self.shown:
            end = "\n" if self.done == self.total else ""
            print(f"\r{self.done} of {self.total}", end=end, file=sys.stderr, flush=True)


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"


def camera_class(case):
    """Cameras whose healthy differences are of a kind: decoders differ for JPEG, the
    enlarging of chroma for YUV, rounding for all."""
    if case.made:
        return "files"
    sensor = SENSORS[case.sensor]
    return "jpeg" if sensor.format == "jpeg" or "sensor" in case.reference else "yuv" if sensor.yuv else "rgb"


def healthy_limits(outcomes):
    """{class of camera: largest change of inputs, rms in levels, that a healthy pair shows}.
    A fault below it cannot be told from health by its size."""
    limits = {}
    for o in outcomes:
        if o.case.kind == "healthy" and o.change is not None:
            kind = camera_class(o.case)
            limits[kind] = max(limits.get(kind, 0), o.change)
    return limits


def judged(outcomes, limits):
    """Fault cases that count, and those that went unseen and change less than healthy pairs do."""
    faults = [o for o in outcomes if o.case.kind == "fault" and not o.error]
    hidden = [o for o in faults if o.no_fault or (o.case.input_fault and not o.detected and o.change is not None
              and o.change <= limits.get(camera_class(o.case), 0))]
    return [o for o in faults if o not in hidden], hidden


def rows(outcomes):
    by = defaultdict(list)
    for o in outcomes:
        by[o.case.fault, o.case.model].append(o)
    return by


def print_table(outcomes):
    print(f"{'fault':26} {'model':22} {'detected':>8} {'exact':>6} {'all':>5} {'time':>7}  first cause")
    for (fault, model), group in rows(outcomes).items():
        firsts = Counter(o.first or "-" for o in group)
        said = ", ".join(c if n == len(group) else f"{c} x{n}" for c, n in firsts.most_common())
        count = len(group)
        print(f"{fault:26} {model:22} {sum(o.detected for o in group):>5}/{count:<2} {sum(o.exact for o in group):>3}/{count:<2} "
              f"{sum(o.all_named for o in group):>2}/{count:<2} {sum(o.seconds for o in group) / count:6.2f}s  {said}")


def print_misses(outcomes, keep):
    misses = [o for o in outcomes if not (o.detected and o.exact and o.all_named and (o.case.layer is None or o.exact_layer))]
    if misses:
        print(f"\nMisses ({len(misses)}): what was done, and what was said")
    for o in misses:
        what = "not detected" if not o.detected else "not named" if not o.exact else \
            "not all named" if not all(any(c in l for c in o.causes) for l in o.case.links) else "named more"
        done = " + ".join("/".join(l) for l in o.case.links)
        changed = "" if o.change is None else f", {o.change:.1f} levels"
        print(f"  {o.case.name}: {what}; done: {done}{changed}")
        if o.case.layer is not None and not o.exact_layer:
            print(f"      changed was layer {o.case.layer}, the first named {o.layers[0] if o.layers else '-'}")
        for cause, summary, others in zip(o.causes, o.summaries, o.alternatives):
            print(f"      {cause}: {summary}" + (f"  (or {', '.join(others)})" if others else ""))
        if not o.causes:
            print(f"      {o.verdict}")
        if keep:
            print("      " + " ".join(o.logs))


def print_groups(title, outcomes, key):
    groups = defaultdict(list)
    for o in outcomes:
        groups[key(o)].append(o)
    print(f"\n{title:26} {'cases':>6} {'detected':>9} {'exact':>8} {'all':>8}")
    for name, group in sorted(groups.items(), key=lambda g: (sum(o.exact for o in g[1]) / len(g[1]), g[0])):
        n = len(group)
        print(f"{name:26} {n:>6} {percent(sum(o.detected for o in group), n):>9} {percent(sum(o.exact for o in group), n):>8} "
              f"{percent(sum(o.all_named for o in group), n):>8}")


def print_layers(outcomes):
    """Of the faults inside models."""
    groups = defaultdict(list)
    for o in outcomes:
        if o.case.fault.startswith("layer:"):
            groups[o.case.fault.split("@")[0]].append(o)
    if not groups:
        return
    print(f"\n{'inside the model':26} {'cases':>6} {'detected':>9} {'layer':>8} {'cause':>8}")
    for name, group in groups.items():
        placed, n = [o for o in group if o.case.layer is not None], len(group)
        print(f"{name:26} {n:>6} {percent(sum(o.detected for o in group), n):>9} "
              f"{percent(sum(o.exact_layer for o in placed), len(placed)):>8} {percent(sum(o.exact for o in group), n):>8}")


def print_isolated(outcomes):
    """Of those that were judged once more, every layer run alone."""
    again = [o for o in outcomes if o.isolated]
    if again:
        n = len(again)
        print(f"\n{n} of them once more, every layer run alone: detected {percent(sum(o.isolated.detected for o in again), n)}, "
              f"exact layer {percent(sum(o.isolated.exact_layer for o in again), n)}, "
              f"first cause exact {percent(sum(o.isolated.exact for o in again), n)}")
    for o in again:
        if not (o.isolated.exact and o.isolated.exact_layer):
            print(f"  {o.case.name}: changed was layer {o.case.layer}; alone: {o.isolated.verdict}")
            for cause, layer, summary in zip(o.isolated.causes, o.isolated.layers, o.isolated.summaries):
                print(f"      {cause} {layer}: {summary}")


def fix_rows(outcomes):
    """{fault: outcomes whose fix was done}."""
    groups = defaultdict(list)
    for o in outcomes:
        if o.fixed:
            groups[o.case.fault.split("@")[0]].append(o)
    return groups


def print_fixes(outcomes):
    """What became of the named fixes: the edge was run again as they say."""
    groups = fix_rows(outcomes)
    if groups:
        print(f"\n{'fixes, done':40} {'cases':>6} {'named':>8} {'clean':>8}  agreement with the reference: before, after")
    for name, group in groups.items():
        n, known = len(group), [o for o in group if o.agreement is not None and o.fixed.agreement is not None]
        before, after = (sum(x) / len(known) if known else None for x in
                         ([o.agreement for o in known], [o.fixed.agreement for o in known]))
        print(f"{name:40} {n:>6} {percent(sum(o.fix_named for o in group), n):>8} {percent(sum(o.mended for o in group), n):>8}"
              + (f"  {before:.2f}, {after:.2f}" if known else "  -"))


def is_loud(outcome):
    return outcome.verdict == "fail" or any(not c.startswith("log.") for c in outcome.causes)


def totals_of(outcomes, seconds):
    limits = healthy_limits(outcomes)
    counted, hidden = judged(outcomes, limits)
    healthy = [o for o in outcomes if o.case.kind == "healthy" and not o.error]
    loud = [o for o in healthy if is_loud(o) or (o.isolated and is_loud(o.isolated))]
    unjudged = [o for o in healthy if o not in loud and o.verdict != "pass"]
    n = len(counted)
    totals = {
        "faults": len({o.case.fault for o in counted + hidden}), "models": len({o.case.model for o in outcomes}),
        "cases": n, "detected": sum(o.detected for o in counted), "exact": sum(o.exact for o in counted),
        "all_named": sum(o.all_named for o in counted), "hidden": len(hidden), "healthy_limit_levels": {k: round(v, 3) for k, v in limits.items()},
        "healthy": len(healthy), "healthy_with_findings": len(loud), "healthy_unjudged": len(unjudged), "broken": sum(bool(o.error) for o in outcomes),
        "seconds": seconds,
    }
    inside = [o for o in counted if o.case.fault.startswith("layer:")]
    placed = [o for o in inside if o.case.layer is not None]
    totals["layer_cases"], totals["layer_exact_cause"] = len(inside), sum(o.exact for o in inside)
    totals["layer_placed"], totals["layer_exact_layer"] = len(placed), sum(o.exact_layer for o in placed)
    again, done = [o for o in inside if o.isolated], [o for o in inside if o.fixed]
    totals["isolated"], totals["isolated_exact_layer"] = len(again), sum(o.isolated.exact_layer for o in again)
    totals["isolated_exact_cause"] = sum(o.isolated.exact for o in again)
    totals["fixes"], totals["fixes_clean"], totals["fixes_named"] = len(done), sum(o.mended for o in done), sum(o.fix_named for o in done)
    outside, right = n - len(inside), totals["exact"] - totals["layer_exact_cause"]
    seen = sum(o.detected or bool(o.isolated and o.isolated.detected) for o in counted)
    totals["passed"] = (not totals["broken"] and not loud and seen == n and right >= 0.98 * outside
                        and totals["layer_exact_cause"] >= LAYER_CAUSE * len(inside)
                        and totals["layer_exact_layer"] >= LAYER_PLACE * len(placed)
                        and totals["isolated_exact_layer"] >= LAYER_PLACE * len(again)
                        and totals["isolated_exact_cause"] >= LAYER_CAUSE * len(again)
                        and totals["fixes_clean"] == len(done))
    return totals, counted, hidden, loud, unjudged


def write(outcomes, path, seconds, seed=None, keep=False):
    totals, counted, hidden, loud, unjudged = totals_of(outcomes, seconds)
    print_table(counted)
    if counted:
        print_groups("by fault", counted, lambda o: o.case.fault)
        print_groups("by model", counted, lambda o: o.case.model)
        print_groups("by record", counted, lambda o: f"{o.case.sensor}, {o.case.capture}" if o.case.with_sensor else "no sensor record")
    print_layers(counted)
    print_isolated(counted)
    print_fixes(counted)
    print_misses(counted, keep)
    for title, group in ((f"Healthy pairs with findings ({len(loud)})", loud),
                         (f"Healthy pairs that exray could not judge ({len(unjudged)})", unjudged),
                         (f"Undetected, and smaller than healthy differences, {totals['healthy_limit_levels']} levels ({len(hidden)})", hidden)):
        if group:
            print(f"\n{title}")
        for o in group:
            changed = "" if o.change is None else f", {o.change:.2f} levels"
            print(f"  {o.case.name}: {o.verdict}{changed}")
            for cause, summary in [*zip(o.causes, o.summaries), *(zip(o.isolated.causes, o.isolated.summaries) if o.isolated else ())]:
                print(f"      {cause}: {summary}")
            if keep:
                print("      " + " ".join(o.logs))
    broken = [o for o in outcomes if o.error]
    if broken:
        print(f"\nCases that the bench could not run ({len(broken)})")
    for o in broken:
        print(f"  {o.case.name}: {o.error}")
    n = totals["cases"]
    print(f"\n{totals['faults']} faults, {totals['models']} models, {n} cases: detected {percent(totals['detected'], n)}, "
          f"first cause exact {percent(totals['exact'], n)}, all named and nothing else {percent(totals['all_named'], n)}; "
          f"{len(hidden)} too small to be told from health")
    if totals["layer_cases"]:
        print(f"{totals['layer_cases']} of them inside models: exact layer {percent(totals['layer_exact_layer'], totals['layer_placed'])}, "
              f"first cause exact {percent(totals['layer_exact_cause'], totals['layer_cases'])}")
    print(f"{totals['healthy']} healthy pairs, {totals['healthy_with_findings']} with findings, "
          f"{totals['healthy_unjudged']} not judged; "
          f"{totals['broken']} cases broken; {seconds:.0f} s" + (f"; seed {seed}" if seed is not None else ""))
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"format": "exray-faults", "version": 1, "seed": seed, "totals": totals,
                "cases": [{"name": o.case.name, **{k: v for k, v in asdict(o.case).items() if k not in ("reference", "patch", "made", "changed")},
                           **({"isolated": {"causes": o.isolated.causes, "layers": o.isolated.layers, "exact": o.isolated.exact,
                                            "exact_layer": o.isolated.exact_layer}} if o.isolated else {}),
                           **({"fixed": {"named": o.fix_named, "clean": o.mended, "agreement": [o.agreement, o.fixed.agreement]}}
                              if o.fixed else {}),
                           "verdict": o.verdict, "causes": o.causes, "layers": o.layers, "exact_layer": o.exact_layer, "summaries": o.summaries, "alternatives": o.alternatives,
                           "detected": o.detected, "exact": o.exact, "all_named": o.all_named, "change_levels": o.change, "decided": o.decided,
                           "seconds": round(o.seconds, 3), "validate_seconds": round(o.validate_seconds, 3), "error": o.error}
                          for o in outcomes]}
    path.write_text(json.dumps(document, indent=1, default=str) + "\n")
    print(f"written: {path}")
    return totals
