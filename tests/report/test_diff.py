"""`exray diff`: two validations, and what is new, gone or worse."""

import copy
import json
import subprocess

import numpy as np
import pytest
from validate_support import EXRAY, LITE0, Recording, normalize, textures


def finding(cause, severity="error", stage="input", tensor="image", known=None, summary="It is so.", fix="Mend it."):
    return {"cause": cause, "severity": severity, "confidence": 0.9, "summary": summary, "fix": fix, "details": [], "evidence": {},
            "where": {"stage": stage, "tensor": tensor, "layer": None, "op": None}, "alternatives": [], "known": known}


def validation(*findings, verdict=None, edge=0.7, agreement=0.9, compared=60, **more):
    measure = {"name": "top1", "unit": "share", "better": "higher", "output": None, "group": None, "frames": 60, "edge": edge,
               "reference": 0.75, "agreement": agreement}
    failing = any(f["severity"] == "error" and not f["known"] for f in findings)
    return {"format": "exray-validation", "version": 1, "verdict": verdict or ("fail" if failing else "pass"), "findings": list(findings),
            "accuracy": {"task": "classification", "frames": 60, "edge": edge, "reference": 0.75, "agreement": agreement,
                         "measures": [measure]},
            "coverage": {"compared": compared, "edge_layers": 61, "reference_layers": 61}, "latency": {"edge_ms": 12.1, "reference_ms": 4.0}, **more}


def run(*arguments):
    return subprocess.run([str(a) for a in (EXRAY, "diff", *arguments)], capture_output=True, text=True, timeout=60)


def diff(folder, old, new, *options):
    for name, content in (("old.json", old), ("new.json", new)):
        (folder / name).write_text(json.dumps(content))
    told = run(folder / "old.json", folder / "new.json", "--json", "-", *options)
    assert told.returncode in (0, 1) and not told.stderr, told.stderr
    content = json.loads(told.stdout)
    assert content["format"] == "exray-diff" and (content["change"] == "worse") == (told.returncode == 1)
    text = run(folder / "old.json", folder / "new.json", "--html", folder / "diff.html", *options)
    assert text.returncode == told.returncode and content["change"].upper() in text.stdout
    return content, text.stdout, (folder / "diff.html").read_text()


def names(content, change):
    return [f["cause"] for f in content["findings"][change]]


BGR, CROP = finding("input.channel_order"), finding("input.crop")
SLOW = finding("perf.straggler", "warning", "layer", "conv")


@pytest.mark.parametrize("old,new,change,lists", [
    (validation(BGR), validation(BGR), "same", {}),
    (validation(), validation(BGR), "worse", {"new": ["input.channel_order"]}),
    (validation(BGR), validation(), "better", {"gone": ["input.channel_order"]}),
    (validation(BGR), validation(CROP), "worse", {"new": ["input.crop"], "gone": ["input.channel_order"]}),
    (validation(BGR), validation(finding("input.channel_order", tensor="other")), "worse", {"new": ["input.channel_order"], "gone": ["input.channel_order"]}),
    (validation(finding("input.crop", "warning")), validation(CROP), "worse", {"worse": ["input.crop"]}),
    (validation(CROP), validation(finding("input.crop", "warning")), "better", {"better": ["input.crop"]}),
    (validation(), validation(finding("input.crop", "warning")), "worse", {"new": ["input.crop"]}),
    (validation(), validation(finding("input.crop", "info")), "same", {"new": ["input.crop"]}),
    (validation(), validation(finding("input.crop", known={"reason": "so", "expires": None})), "same", {"new": ["input.crop"]}),
    (validation(finding("input.crop", known={"reason": "so", "expires": None})), validation(CROP), "worse", {"worse": ["input.crop"]}),
    (validation(), validation(SLOW), "same", {"new": ["perf.straggler"]}),
    (validation(), validation(finding("perf.straggler", "error", "layer", "conv")), "worse", {"new": ["perf.straggler"]}),
    (validation(BGR, BGR), validation(BGR), "better", {"gone": ["input.channel_order"]}),
    (validation(), validation(verdict="inconclusive"), "worse", {}),
    (validation(edge=0.7), validation(edge=0.65), "worse", {}),
    (validation(edge=0.7), validation(edge=0.697), "same", {}),
    (validation(edge=0.7), validation(edge=0.75), "better", {}),
    (validation(agreement=0.9), validation(agreement=0.8), "worse", {}),
    (validation(), validation(edge=None), "worse", {}),
    (validation(edge=None), validation(), "same", {}),
    (validation(compared=60), validation(compared=40), "worse", {}),
])
def test_changes(tmp_path, old, new, change, lists):
    content, text, page = diff(tmp_path, old, new)
    assert content["change"] == change
    for kind in ("new", "gone", "worse", "better"):
        assert names(content, kind) == lists.get(kind, [])
    for cause in [c for causes in lists.values() for c in causes]:
        assert cause in text and cause in page


def test_options(tmp_path):
    assert diff(tmp_path, validation(), validation(SLOW), "--fail-on", "perf")[0]["change"] == "worse"
    assert diff(tmp_path, validation(edge=0.7), validation(edge=0.65), "--tolerance", "0.1")[0]["change"] == "same"
    assert diff(tmp_path, validation(edge=0.7), validation(edge=0.699), "--tolerance", "0")[0]["change"] == "worse"
    lower = [validation(edge=e) for e in (0.1, 0.2)]
    for one in lower:
        one["accuracy"]["measures"][0]["better"] = "lower"
    content = diff(tmp_path, *lower)[0]
    assert content["change"] == "worse" and content["measures"][0] == {"name": "top1", "old": 0.1, "new": 0.2, "change": "worse", "counts": True}


def test_every_measure_of_many_classes_and_distances_between_the_sides(tmp_path):
    def many(last, shift):
        one = validation(compared=60 if last else 30)
        boxes = [{**one["accuracy"]["measures"][0], "name": "boxes", "group": f"class {i}"} for i in range(100)]
        boxes[-1]["edge"] = last or 0.1
        far = {**boxes[0], "name": "boundary_shift", "unit": "pixels", "better": "lower", "group": None, "edge": None, "agreement": shift}
        one["accuracy"]["measures"] += [*boxes, far]
        return one

    content, text, page = diff(tmp_path, many(0.7, 2.0), many(None, 1.0))
    found = {m["name"]: m["change"] for m in content["measures"]}
    assert found["boxes, class 99"] == "worse" and found["share of layers compared"] == "worse" and len(found) == 204
    assert found["boundary_shift, agreement"] == "better"  # less far apart
    for words in (text, page):
        assert "boxes that match, class 99" in words and "distance of boundaries, agreement" in words
        assert "class 98" not in words and "boundary_shift" not in words


def test_earlier_files_and_hostile_ones(tmp_path):
    """Without `measures` and `known`; with texts that are no text, markup and what steers a terminal."""
    early = copy.deepcopy(validation(BGR))
    del early["accuracy"]["measures"], early["findings"][0]["known"]
    assert diff(tmp_path, early, early)[0]["change"] == "same"
    assert diff(tmp_path, early, {**early, "accuracy": {**early["accuracy"], "agreement": 0.1}})[0]["change"] == "worse"
    odd = validation(finding("<script>", tensor="\x1b[31m</p>", summary="<b>&\x07", fix=""))
    _, text, page = diff(tmp_path, validation(), odd)
    assert "\x1b" not in text and "\x07" not in text and "<script>" not in page and "<b>&\x07" not in page
    wrong = copy.deepcopy(early)
    wrong.update(findings=[{"cause": "a.b", "severity": "?", "where": 3, "summary": 4}], accuracy=[], coverage="x", latency=None)
    diff(tmp_path, wrong, wrong)
    late = validation(finding("a.b", summary="red \u009b31m"))
    assert "\u009b" not in diff(tmp_path, validation(), late)[1]


@pytest.mark.parametrize("change", [{"verdict": 4}, {"verdict": "good"}, {"findings": None}, {"findings": {"a": BGR}}, {"findings": [1]},
                                    {"findings": [BGR, {"severity": "error"}]}, {"findings": [{"cause": "a.b", "severity": 2}]}])
def test_half_a_validation_is_none(tmp_path, change):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(validation(BGR)))
    bad.write_text(json.dumps({**validation(), **change}))
    for pair in ((good, bad), (bad, good)):
        done = run(*pair)
        assert done.returncode == 2 and "bad.json" in done.stderr and "no whole validation" in done.stderr


def test_what_was_known_is_said(tmp_path):
    known = finding("input.crop", known={"reason": "so", "expires": None})
    assert "was error and known" in diff(tmp_path, validation(known), validation(CROP))[1]
    _, text, page = diff(tmp_path, validation(CROP), validation(known))
    assert "was error, is known now" in text and "was error, is error and known" in page


@pytest.mark.parametrize("text,words", [("", "not JSON"), ("{", "not JSON"), ("[1]", "no validation"), ('{"format": "x"}', "no validation"),
                                        ('{"format": "exray-validation", "version": 2}', "another version"), ("[" * 100000, "not JSON")])
def test_files_that_are_no_validations(tmp_path, text, words):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(validation()))
    bad.write_text(text)
    for pair in ((good, bad), (bad, good)):
        done = run(*pair)
        assert done.returncode == 2 and words in done.stderr and "bad.json" in done.stderr and len(done.stderr.splitlines()) == 1
    assert run(good, tmp_path / "none.json").returncode == 2
    assert run(good).returncode == 2 and run(good, good, good).returncode == 2
    assert run(good, good, "--json", good).returncode == 2 and json.loads(good.read_text())["version"] == 1


def test_of_real_validations(tmp_path):
    pictures, outputs = textures(6, 64), [np.eye(10, dtype=np.float32)[k] for k in range(6)]
    for name, fed in (("right", pictures), ("bgr", [p[..., ::-1] for p in pictures]), ("reference", pictures)):
        with Recording(tmp_path / f"{name}.mcap", "reference" if name == "reference" else "edge") as log:
            for picture, output in zip(normalize(fed, *LITE0), outputs):
                log.frame([("/input/image", picture[None], {}), ("/output/probabilities", output[None], {})], label=1)
    for name in ("right", "bgr"):
        subprocess.run([EXRAY, "validate", tmp_path / f"{name}.mcap", tmp_path / "reference.mcap", "--json", tmp_path / f"{name}.json"], capture_output=True)
    for new, status, word in (("bgr", 1, "WORSE  1 new"), ("right", 0, "SAME  0 new")):
        done = run(tmp_path / "right.json", tmp_path / f"{new}.json")
        assert done.returncode == status and word in done.stdout
    back = run(tmp_path / "bgr.json", tmp_path / "right.json")
    assert back.returncode == 0 and "BETTER" in back.stdout and "gone  error input.channel_order at image" in back.stdout
