"""Findings that a team has accepted (`--known`, `--write-known`) and measures that must reach a bound (`--require`)."""

import json
import subprocess

import numpy as np
import pytest
import yaml
from validate_support import EXRAY, LITE0, Recording, causes, normalize, textures, validate, write_inputs

ROLES = ("edge", "reference")


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A swapped order of channels, and a wrong mean in a second pair."""
    folder, pictures = tmp_path_factory.mktemp("logs"), textures(6, 64)
    outputs = [np.eye(10, dtype=np.float32)[k] for k in range(6)]
    right = write_inputs(folder / "r.mcap", "reference", normalize(pictures, *LITE0), outputs=outputs)
    swapped = write_inputs(folder / "e.mcap", "edge", normalize([p[..., ::-1] for p in pictures], *LITE0), outputs=outputs)
    shifted = write_inputs(folder / "m.mcap", "edge", normalize(pictures, [m + 40 for m in np.broadcast_to(LITE0[0], 3)], LITE0[1]),
                           outputs=outputs)
    return {"right": right, "swapped": swapped, "shifted": shifted}


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """20 frames: the edge is right in 14 of them, the reference in 16, and they agree in 18."""
    folder, pictures = tmp_path_factory.mktemp("decided"), normalize(textures(20, 32), *LITE0)
    edge = [np.eye(10, dtype=np.float32)[0 if f < 14 else 1] for f in range(20)]
    reference = [np.eye(10, dtype=np.float32)[0 if f < 16 else 1] for f in range(20)]
    paths = []
    (folder / "known.yaml").write_text("- cause: layer.*\n- cause: output.*\n")
    for role, outputs in zip(ROLES, (edge, reference)):
        paths.append(folder / f"{role}.mcap")
        with Recording(paths[-1], role) as log:
            for picture, output in zip(pictures, outputs):
                log.frame([("/input/image", picture[None], {}), ("/output/probabilities", output[None], {})], label=0)
    return [*paths, "--known", folder / "known.yaml"]  # what makes the outputs differ is known


def run(*arguments):
    return subprocess.run([str(a) for a in (EXRAY, "validate", *arguments)], capture_output=True, text=True, timeout=120)


def known(path, *entries):
    path.write_text(yaml.safe_dump(list(entries)))
    return path


def test_a_known_finding_does_not_fail(logs, tmp_path):
    file = known(tmp_path / "known.yaml", {"cause": "input.channel_order", "where": "image", "reason": "BGR <by> design", "expires": "2999-12-31"})
    verdict = validate(logs["swapped"], logs["right"], "--known", file, "--html", tmp_path / "a.html", "--junit", tmp_path / "a.xml", status=0)
    found, = [f for f in verdict["findings"] if f["cause"] == "input.channel_order"]
    assert found["severity"] == "error" and found["known"] == {"reason": "BGR <by> design", "expires": "2999-12-31"}
    assert [e["findings"] for e in verdict["known"]] == [1] and not verdict["known"][0]["expired"]
    text = run(logs["swapped"], logs["right"], "--known", file).stdout
    assert "known: BGR <by> design (until 2999-12-31)" in text and "PASS  nothing new found, 1 known" in text
    page, junit = (tmp_path / "a.html").read_text(), (tmp_path / "a.xml").read_text()
    assert "BGR &lt;by&gt; design" in page and "Nothing is wrong but what is known" in page
    assert 'failures="0"' in junit and "known error input.channel_order" in junit and "accepted: BGR" in junit


def test_another_finding_fails_beside_it(logs, tmp_path):
    file = known(tmp_path / "known.yaml", {"cause": "input.channel_order", "reason": "so it is"})
    verdict = validate(logs["shifted"], logs["right"], "--known", file, status=1)
    assert causes(verdict)[0] == "input.normalization" and verdict["findings"][0]["known"] is None
    assert any("known.yaml:1: input.channel_order: nothing like it was found" in remark for remark in verdict["unjudged"])


@pytest.mark.parametrize("entry,status", [
    ({"cause": "input.*"}, 0), ({"cause": "input.channel_order", "where": "input"}, 0), ({"cause": "input.channel_order", "where": "other"}, 1),
    ({"cause": "input.channel_order", "expires": "2001-01-01"}, 1), ({"cause": "input.channel"}, 1),
], ids=["prefix", "stage", "elsewhere", "expired", "part of a name"])
def test_what_an_entry_accepts(logs, tmp_path, entry, status):
    verdict = validate(logs["swapped"], logs["right"], "--known", known(tmp_path / "k.yaml", entry), status=status)
    said = [remark for remark in verdict["unjudged"] if "k.yaml:1" in remark]
    assert len(said) == (status == 1)
    if "expires" in entry:
        assert "expired on 2001-01-01" in said[0] and verdict["known"][0]["expired"]


@pytest.mark.parametrize("text,line", [
    ("- {cause: a.b, why: x}", 1), ("- cause: a.b\n- reason: x", 2), ("cause: a.b", 1), ("- cause: a.b\n  expires: soon", 1),
    ("- cause: a.b\n  where: [x]", 2), ("- a.b", 1), ("- cause: a.b\n  cause: c.d", 2), ("- {a", 2), ("- cause: a.b\n  expires: 2026-13-01", 1),
    ("- cause: a.b\n  expires: 2999-02-29", 1), ("- cause: a.b\n  expires: 2996-04-31", 1),
])
def test_files_that_cannot_be_read(logs, tmp_path, text, line):
    (tmp_path / "k.yaml").write_text(text)
    done = run(logs["swapped"], logs["right"], "--known", tmp_path / "k.yaml")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and f"k.yaml:{line}" in done.stderr
    missing = run(logs["swapped"], logs["right"], "--known", tmp_path / "none.yaml")
    assert missing.returncode == 2 and "none.yaml" in missing.stderr


@pytest.mark.parametrize("empty", ["", "[]\n", "# nothing\n"])
def test_an_empty_list(logs, tmp_path, empty):
    (tmp_path / "k.yaml").write_text(empty)
    assert run(logs["right"], logs["right"], "--known", tmp_path / "k.yaml").returncode in (0, 3)
    assert run(logs["swapped"], logs["right"], "--known", tmp_path / "k.yaml").returncode == 1


def test_write_known_accepts_what_fails_now(logs, tmp_path):
    file = tmp_path / "k.yaml"
    validate(logs["swapped"], logs["right"], "--write-known", file, status=1)
    entry, = yaml.safe_load(file.read_text())
    assert entry["cause"] == "input.channel_order" and entry["where"] == "image"
    verdict = validate(logs["swapped"], logs["right"], "--known", file, status=0)
    assert not [remark for remark in verdict["unjudged"] if "k.yaml" in remark]
    # Anew into the same file: what is said of an entry stays, and what is not needed goes.
    known(file, {"cause": "input.channel_order", "where": "image", "reason": 'a "quote"\n\\'}, {"cause": "layer.nan", "reason": "gone"})
    validate(logs["swapped"], logs["right"], "--known", file, "--write-known", file, status=0)
    assert yaml.safe_load(file.read_text()) == [{"cause": "input.channel_order", "where": "image", "reason": 'a "quote"\n\\'}]
    validate(logs["right"], logs["right"], "--write-known", file)
    assert yaml.safe_load(file.read_text()) == []
    assert yaml.safe_load(run(logs["swapped"], logs["right"], "--write-known", "-").stdout)[0]["cause"] == "input.channel_order"
    before = logs["right"].read_bytes()
    assert run(logs["swapped"], logs["right"], "--write-known", logs["right"]).returncode == 2 and logs["right"].read_bytes() == before


# ---- Requirements ----


def test_measures(decided):
    accuracy = validate(*decided)["accuracy"]
    top1, top5 = accuracy["measures"]
    assert top1 == {"name": "top1", "unit": "share", "better": "higher", "output": None, "group": None, "frames": 20,
                    "edge": 0.7, "reference": 0.8, "agreement": 0.9}
    assert (accuracy["edge"], accuracy["reference"], accuracy["agreement"]) == (0.7, 0.8, 0.9)
    assert top5["name"] == "top5" and top5["edge"] == 1 and top5["agreement"] is not None


@pytest.mark.parametrize("text,met", [
    ("top1>=0.7", True), ("top1>=70%", True), ("top1>0.7", False), ("top1>=0.71", False), ("agreement>=0.9", True), ("agreement>=0.95", False),
    ("top1.reference>=0.8", True), ("top1.change>=-0.05", False), ("top1.change >= -0.1", True), ("top1<=0.5", False), ("top1.agreement<0.95", True),
])
def test_requirements(decided, text, met):
    verdict = validate(*decided, "--require", text)
    one, = verdict["requirements"]
    assert one["requirement"] == text and one["met"] == ("yes" if met else "no")
    assert (verdict["verdict"] == "fail") == (not met) and ("user.require" in causes(verdict)) == (not met)
    said = run(*decided, "--require", text)
    assert said.returncode == (0 if met else 1) and f"required   {text}   {'met' if met else 'not met'}" in said.stdout


def test_several_requirements(decided, tmp_path):
    verdict = validate(*decided, "--require", "top1>=0.9, agreement>=0.99,top5>=0.5", "--html", tmp_path / "a.html", status=1)
    assert [r["met"] for r in verdict["requirements"]] == ["no", "no", "yes"] and causes(verdict).count("user.require") == 2
    assert "Required: top1&gt;=0.9" in (tmp_path / "a.html").read_text()


def test_what_is_not_measured_cannot_be_told(decided, logs):
    for text, word in (("map>=0.5", "have top1, top5"), ("top1>=0.1,map.change>=0", "map.change>=0")):
        verdict = validate(*decided, "--require", text, status=3)
        assert word in verdict["reason"]
    done = run(logs["right"], logs["right"], "--require", "top1>=0.5")
    assert done.returncode == 3 and "frames need a label" in done.stdout


@pytest.mark.parametrize("text", ["", "top1", "top1=0.7", ">=0.7", "top1>=x", "top1>=0.7,", "top1>=nan", "top1>=1e999", "top1=>0.7", "x" * 90 + ">=1"])
def test_requirements_that_cannot_be_read(decided, text):
    done = run(*decided, "--require", text)
    assert done.returncode == 2 and "a requirement is NAME>=NUMBER" in done.stderr and len(done.stderr.splitlines()) == 1
