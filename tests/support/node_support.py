"""The npm packages of tests/js, installed once a build: other people's programs for our tests."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build"))


def node_folder():
    """Where they are; skips the test where there is no node, or no registry."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are needed")
    folder = BUILD / "js"
    folder.mkdir(parents=True, exist_ok=True)
    lock = (ROOT / "tests" / "js" / "package-lock.json").read_text()
    stamp = folder / "installed.json"
    if not stamp.exists() or stamp.read_text() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / "tests" / "js" / name, folder)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"npm ci failed (no registry?): {done.stderr.strip().splitlines()[-1:]}")
        stamp.write_text(lock)
    return folder


def run_node(script, *arguments):
    """A script of tests/js; returns what it printed."""
    folder = node_folder()
    done = subprocess.run(["node", shutil.copy(ROOT / "tests" / "js" / script, folder), *map(str, arguments)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
