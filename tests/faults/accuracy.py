"""Accuracy recovered: the pictures with classes through a wrong pipeline, the
cause that `exray validate` names, and the accuracy once the fixes that it names
are in the pipeline file.  Fixes are taken from the report's text alone."""

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from catalogue import IMAGENET
from places import BUILD, EXRAY, ROOT, run
from preprocessing import DEFAULTS, pipeline
from testdata import HOW, PICTURES

# What a deployment gets wrong; settings that differ from the model's right ones.
FAULTS = {
    "none": {},
    "channels: bgr": {"channels": "bgr"},
    "values in [0, 1]": {"mean": (0,) * 3, "std": (255,) * 3},
    "ImageNet mean and std": {"mean": IMAGENET[0], "std": IMAGENET[1]},
    "values in 0..255": {"mean": (0,) * 3, "std": (1,) * 3},
    "std half of what it should be": {"std": (64,) * 3},
    "rotated by 90 degrees": {"rotate": 90},
    "rotated by 180 degrees": {"rotate": 180},
    "flipped top to bottom": {"flip": "v"},
    "stretched, no crop": {"crop": "none"},
    "letterboxed": {"crop": "letterbox", "pad": 0},
    "nearest neighbor": {"filter": "nearest", "antialias": 0},
    "NCHW for NHWC": {"layout": "nchw"},
    "classes off by one": {"label_offset": None},
    "bgr, [0, 1]": {"channels": "bgr", "mean": (0,) * 3, "std": (255,) * 3},
    "bgr, rotated, [0, 1]": {"channels": "bgr", "rotate": 90, "mean": (0,) * 3, "std": (255,) * 3},
    "letterboxed, nearest": {"crop": "letterbox", "pad": 0, "filter": "nearest", "antialias": 0},
}
KEY = re.compile(r"`(channels|rotate|orient|flip|crop|resize|normalize|layout|label_offset): ([^`]*)`")


def parse_fix(text):
    """Settings that a finding's fix names."""
    found = {}
    for key, value in KEY.findall(text):
        words = value.split()
        if key == "crop":
            found["crop"] = words[0]
            if words[0] == "center" and len(words) > 1:
                found["fraction"] = float(words[1])
            if words[0] == "letterbox":
                found["pad"] = int(words[1]) if len(words) > 1 else 0
        elif key == "resize":
            found.update(filter=words[0], antialias=int("antialias" in words), grid="corners" if "align_corners" in words else "half")
        elif key == "normalize":
            numbers = re.findall(r"\[([^\]]*)\]", value)
            if len(numbers) == 2 and "..." not in value:
                found["mean"], found["std"] = (tuple(float(x) for x in n.split(",")) for n in numbers)
        elif key == "rotate":
            found["rotate"] = int(words[0])
        else:
            found[key] = words[0]
    if "leave `layout` out" in text:
        found["layout"] = DEFAULTS["layout"]
    lower = re.search(r"label_offset so that classes are (\d+) (lower|higher)", text)
    if lower:
        found["more_label_offset"] = int(lower.group(1)) * (1 if lower.group(2) == "lower" else -1)
    return found


@dataclass
class Row:
    model: str
    fault: str
    reference: float
    wrong: float
    fixed: float
    causes: list
    applied: bool


class Table:
    def __init__(self, models, folder):
        self.models, self.folder = models, folder
        self.pictures = PICTURES
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def record(self, model, settings, out):
        text = out.with_suffix(".yaml")
        text.write_text(pipeline(settings, model.width, model.height, model.task))
        run(EXRAY, "record", "--model", model.path, "--pipeline", text, "--data", self.pictures, "--labels",
            self.pictures / "labels.txt", "--capture", "io", "-o", out)

    def reference(self, model):
        edge, out = self.folder / f"{model.name}-right.mcap", self.folder / f"{model.name}-reference.mcap"
        self.record(model, model.right, edge)
        run(EXRAY, "replay", edge, "--model", model.path, "--pipeline", edge.with_suffix(".yaml"), "--capture", "io", "-o", out)
        edge.unlink()
        return out

    def judge(self, model, settings, name):
        edge = self.folder / f"{model.name}-{name}.mcap"
        self.record(model, settings, edge)
        result = run(EXRAY, "validate", edge, self.references[model.name], "--json", "-", allowed=(0, 1, 3))
        edge.unlink()
        return json.loads(result.stdout)

    def row(self, task):
        number, model, fault = task
        change = dict(FAULTS[fault])
        if "label_offset" in change:
            change["label_offset"] = model.right.get("label_offset", 0) + 1
        wrong = {**model.right, **change}
        if wrong == {**model.right} and change:
            return None
        said = self.judge(model, wrong, f"{number}-wrong")
        findings = [f for f in said["findings"] if f["severity"] == "error"]
        fixed_settings, applied = dict(wrong), False
        for f in findings:
            fix = parse_fix(f["fix"])
            offset = fix.pop("more_label_offset", 0)
            applied = applied or bool(fix) or bool(offset)
            fixed_settings.update(fix)
            if offset:
                fixed_settings["label_offset"] = fixed_settings.get("label_offset", 0) + offset
        again = self.judge(model, fixed_settings, f"{number}-fixed") if applied else said
        accuracy = said["accuracy"]
        return Row(model.name, fault, accuracy["reference"], accuracy["edge"], again["accuracy"]["edge"],
                   [f["cause"] for f in findings], applied)

    def rows(self, jobs):
        self.references = {m.name: self.reference(m) for m in self.models}
        tasks = [(i, m, f) for i, (m, f) in enumerate((m, f) for m in self.models for f in FAULTS)]
        with ThreadPoolExecutor(jobs) as pool:
            return [r for r in pool.map(self.row, tasks) if r]


def _percent(x):
    return "-" if x is None else f"{100 * x:.1f} %"


def version():
    text = subprocess.run([EXRAY, "version"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    return text or "exray"


LIMITS = """## What the data here cannot show

- Boxes, masks, points, lines of text and vectors have no truth here but what was drawn by the program itself: tasks other than
  classification are measured against the reference alone ([table.md](table.md)), which says what a fault changes, not what it costs.
- Sounds with a known answer are few: a second each of *yes*, *no*, silence and noise, and some seconds of one speaker. One sound of four is 25 %,
  so that most faults of sound show no loss of accuracy, however wrong the input is. No recording of a wake word is at hand: what is
  measured there is the score on other speech.
- Texts with a known answer are a dozen reviews, written for this purpose.
- The 60 pictures are of ImageNet's validation set, on which the models were tuned. Breeds of dogs have no classes here.
- All of it ran on one x86-64 server. Times are of a machine that other programs shared.
"""


def markdown(rows, count, only=None):
    out = ["# Accuracy recovered", "",
           f"Written by `scripts/faults.sh --accuracy{f' --model {only}' if only else ''} -o docs/results.md` with {version()}; run it again to update it.", "",
           f"The first {count} pictures of the ImageNet validation set, with their classes, go through a pipeline with a fault and",
           "through the reference pipeline of the model. *Named*: the errors that `exray validate` reports, in its order. *After the",
           "fix*: the accuracy once the pipeline keys that its fixes name are set to the values that they name. The program gets no",
           f"other information. One of {count} pictures is {100 / count:.1f} %; the effect of a fault depends on the model, and small",
           "changes in either direction are chance.", ""]
    for model in dict.fromkeys(r.model for r in rows):
        mine = [r for r in rows if r.model == model]
        out += [f"## {model}: {_percent(mine[0].reference)} with the reference pipeline", "",
                "| fault | with the fault | named | after the fix |", "|---|---|---|---|"]
        for r in mine:
            named = ", ".join(f"`{c}`" for c in r.causes) or "nothing"
            fixed = _percent(r.fixed) if r.applied else "no pipeline key named" if r.causes else "-"
            out.append(f"| {r.fault} | {_percent(r.wrong)} | {named} | {fixed} |")
        out.append("")
    faulty = [r for r in rows if r.fault != "none"]
    worst = max(faulty, key=lambda r: r.fixed - r.wrong)
    whole = sum(r.applied and abs(r.fixed - r.reference) < 1e-9 for r in faulty)
    out += ["## In short", "",
            f"{len(faulty)} pairs of model and fault. In {whole}, the fixes restore exactly the reference's accuracy.",
            f"The largest gain is {100 * (worst.fixed - worst.wrong):.1f} % of the pictures ({worst.model}, {worst.fault}).", "", LIMITS]
    return "\n".join(out)


def main(models, options):
    labels = PICTURES / "labels.txt"
    if not labels.exists():
        print(f"faults: {labels} is missing: accuracy needs pictures with classes; {HOW}", file=sys.stderr)
        return 2
    chosen = [m for m in models.values() if m.task == "classification" and not m.reference
              and (not options.model or options.model in m.name)]
    count = sum(1 for line in labels.read_text().split("\n") if line.strip())
    folder = BUILD / "faults" / "accuracy"
    text = markdown(Table(chosen, folder).rows(options.jobs), count, options.model)
    shutil.rmtree(folder, ignore_errors=True)
    if options.output:
        options.output.write_text(text)
        path = options.output.resolve()
        print(f"written: {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}")
    else:
        print(text)
    return 0
