"""examples/ci: the files parse, their commands have options that the program knows, and they do what docs/ci.md says."""

import re
import shlex
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
import testdata
from validate_support import BUILD, EXRAY, ROOT

yaml = pytest.importorskip("yaml")

GITHUB = yaml.safe_load((ROOT / "examples" / "ci" / "github-actions.yml").read_text())
GITLAB = yaml.safe_load((ROOT / "examples" / "ci" / "gitlab-ci.yml").read_text())


def scripts():
    """Every shell text of the examples and of the page."""
    for name, job in GITHUB["jobs"].items():
        for step in job["steps"]:
            if "run" in step:
                yield f"github {name}: {step['name']}", step["run"]
    for name in ("device", "validate"):
        yield f"gitlab {name}", "\n".join(GITLAB[name].get("before_script", []) + GITLAB[name]["script"])
    page = (ROOT / "docs" / "ci.md").read_text()
    yield "docs/ci.md", "\n".join(re.findall(r"^    (\S.*)$", page, re.M))


def commands(script):
    for line in script.replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        if words and words[0] == "exray":
            yield words[1], words[2:]


def options(command):
    text = subprocess.run([EXRAY, command, "--help"], capture_output=True, text=True, check=True).stdout
    heads = [re.split(r" {2,}", line.strip())[0] for line in text.splitlines() if line.startswith("  -")]
    return {name for head in heads for name in re.findall(r"(?<!\S)--?[a-z][a-z-]*", head)}


def test_options_are_known():
    seen = []
    for where, script in scripts():
        for command, words in commands(script):
            seen.append(command)
            given = {w.split("=")[0] for w in words if re.match(r"--?[a-z]", w)}
            assert given and given <= options(command), f"{where}: exray {command}"
    assert seen.count("validate") == 5 and seen.count("replay") == 2 and seen.count("record") == 2


def test_form_of_the_workflow():
    assert {"name", "jobs"} <= set(GITHUB) and True in GITHUB  # YAML 1.1 reads the key `on` as true
    for job in GITHUB["jobs"].values():
        assert "runs-on" in job and all(("run" in s) != ("uses" in s) for s in job["steps"])
    assert GITHUB["jobs"]["validate"]["needs"] == "device"
    published = [s for s in GITHUB["jobs"]["validate"]["steps"] if s.get("if") == "always()"]
    assert [s["with"].get("report_paths", s["with"].get("path")).split() for s in published] == [["junit.xml"], ["report.html", "verdict.json"]]
    assert GITLAB["validate"]["artifacts"]["reports"] == {"junit": "junit.xml"} and GITLAB["validate"]["artifacts"]["when"] == "always"
    assert [GITLAB[j]["stage"] for j in ("device", "validate")] == GITLAB["stages"]


PIPELINE = """task: classification
image:
  resize: bilinear 224x224
  channels: {order}
  normalize: {{mean: 127.5, std: 127.5}}
"""


@pytest.mark.data
@pytest.mark.parametrize("order, status", [("rgb", 0), ("bgr", 1)])
@pytest.mark.parametrize("server", ["github", "gitlab"])
def test_it_fails_on_a_finding_and_on_nothing_else(tmp_path, server, order, status):
    """The steps as they stand, on a real model; its device reads the channels in that order."""
    model, pictures = testdata.model("mobilenet_v1_0.25_224_float.tflite"), testdata.pictures(3)
    (tmp_path / "models").mkdir()
    (tmp_path / "ci" / "pictures").mkdir(parents=True)
    for name in ("edge", "reference"):
        (tmp_path / "models" / f"{name}.tflite").symlink_to(model)
    for p in pictures:
        (tmp_path / "ci" / "pictures" / p.name).symlink_to(p)
    (tmp_path / "ci" / "labels.txt").write_text("".join(f"{p.name} 1\n" for p in pictures))
    (tmp_path / "ci" / "training.yaml").write_text(PIPELINE.format(order="rgb"))
    (tmp_path / "ci" / "device.yaml").write_text(PIPELINE.format(order=order))
    environment = {"PATH": f"{BUILD}:/usr/bin:/bin", **GITHUB["env"]}

    def step(text):
        text = text.replace(" --fail-on perf,log", "")  # times of a busy test machine are no part of this
        return subprocess.run(["bash", "-ec", text], cwd=tmp_path, env=environment, capture_output=True, text=True).returncode

    if server == "github":
        steps = [s["run"] for job in GITHUB["jobs"].values() for s in job["steps"] if "exray" in s.get("run", "") and "make" not in s["run"]]
    else:
        steps = GITLAB["device"]["script"] + GITLAB["validate"]["script"]
    assert len(steps) == 3
    assert [step(s) for s in steps] == [0, 0, status]
    failures = [f.get("type") for f in ElementTree.parse(tmp_path / "junit.xml").iter("failure")]
    assert failures == (["input.channel_order"] if status else [])
    assert (tmp_path / "report.html").stat().st_size > 1000 and (tmp_path / "verdict.json").exists()
