#!/usr/bin/env python3
"""The fault bench: every fault x every model x two severities, with and without
the sensor record, and healthy pairs; what `exray validate` names is held against
what was done.

    run.py                        everything (make faults)
    run.py --fast                 the subset of make test
    run.py --fault bgr --model lite0 --keep      some cases, their logs kept
    run.py --seed 7 --cases 200   mixtures, pictures, cameras and severities drawn at random
    run.py --layers -o docs/faults.md            faults inside models, and fixes done
    run.py --accuracy -o docs/results.md         accuracy recovered by the named fixes
"""

import argparse
import os
import random
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "kinds")]

import bench_models
import cases
import kernel_cases
import layer_cases
import level_cases
import report
import sound_cases
import sound_models
import state_cases
import tables
import task_cases
import task_models
import text_cases
import text_models
from execute import Bench
from places import BUILD, CAMERA, ENGINE, EXRAY, KERNELS, Failed


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="the subset that make test runs")
    parser.add_argument("--fault", help="only faults whose name contains this (or one of these: a,b); = before it: equals")
    parser.add_argument("--model", help="only models whose name contains this, likewise")
    parser.add_argument("--healthy", action="store_true", help="only the healthy pairs")
    parser.add_argument("--layers", action="store_true", help="only the faults inside models")
    parser.add_argument("--seed", type=int, help="draws mixtures at random instead")
    parser.add_argument("--cases", type=int, default=150, help="how many of them (150)")
    parser.add_argument("--limit", type=int, help="at most so many cases, spread over all")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time (2)")
    parser.add_argument("--keep", action="store_true", help="keeps the logs, and names them")
    parser.add_argument("--json", type=Path, help="where the report goes (BUILD/faults/report.json)")
    parser.add_argument("--accuracy", action="store_true", help="the table of docs/results.md instead")
    parser.add_argument("-o", "--output", type=Path, help="where --accuracy writes (standard output), and --layers its tables")
    return parser.parse_args()


def matches(name, wanted):
    if not wanted:
        return True
    return any(name == w[1:] if w.startswith("=") else w in name for w in wanted.split(","))


def with_tasks():
    """Kinds of cases, each with those of its models that are at hand."""
    return [(task_cases, task_models.load()), (sound_cases, sound_models.load()), (text_cases, text_models.load()), (state_cases, state_cases.load())]


def choose(options, models):
    if options.seed is not None:
        chosen = cases.drawn(models, options.seed, options.cases)
    elif options.fast:
        chosen = cases.fast(models) + layer_cases.fast(models) + kernel_cases.fast(models) + level_cases.fast()
        chosen += [c for kind, at_hand in with_tasks() for c in kind.fast(at_hand)]
    else:
        chosen = [] if options.layers else cases.healthy(models) + ([] if options.healthy else cases.faults(models))
        inside = {**models, **kernel_cases.models(models), **layer_cases.models()}
        for kind in (layer_cases, kernel_cases):
            chosen += kind.healthy(inside) + ([] if options.healthy else kind.faults(inside))
        chosen += level_cases.healthy()
        if not options.layers:
            for kind, at_hand in with_tasks():
                chosen += kind.healthy(at_hand) + ([] if options.healthy else kind.faults(at_hand))
    chosen = [c for c in chosen if matches(c.fault, options.fault) and matches(c.model, options.model)]
    if options.limit and len(chosen) > options.limit:
        chosen = random.Random(1).sample(chosen, options.limit)
    return chosen


def main():
    options = arguments()
    for needed in (EXRAY, CAMERA, KERNELS, ENGINE):
        if not needed.exists():
            print(f"faults: {needed} is missing; run make, and scripts/faults.sh", file=sys.stderr)
            return 2
    try:
        models = bench_models.load()
    except Failed as error:
        print(f"faults: {error}", file=sys.stderr)
        return 2
    if options.accuracy:
        import accuracy

        return accuracy.main(models, options)
    began = time.monotonic()
    chosen = choose(options, models)
    folder = BUILD / "faults" / f"run-{os.getpid()}"
    bench = Bench({**models, **kernel_cases.models(models), **layer_cases.models()}, folder, keep=options.keep)
    progress = report.Progress(len(chosen))
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = []
        for outcome in pool.map(bench.run, chosen):
            outcomes.append(outcome)
            progress.step()
    totals = write(outcomes, options, began)
    if not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if totals["passed"] else 1


def write(outcomes, options, began):
    totals = report.write(outcomes, options.json or BUILD / "faults" / "report.json", time.monotonic() - began,
                          options.seed, keep=options.keep)
    if options.layers and options.output:
        counted, _ = report.judged(outcomes, report.healthy_limits(outcomes))
        options.output.write_text(tables.markdown(counted, totals))
    return totals


if __name__ == "__main__":
    sys.exit(main())
