#!/usr/bin/env python3
"""clang-tidy over the C files of src that the build knows.  A file that was clean is not looked at again
until it, a header of ours that it includes, its compile command, .clang-tidy or clang-tidy change:
BUILD/tidy keeps an empty file for each such state.

    tidy.py [BUILD]

EXRAY_TIDY_NODES: how many states of a function clang's analyzer follows.  Its own limit (225,000) is the default;
scripts/test.sh takes less than a tenth of it, which is some eight times as fast; `make lint` takes all of it.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODES = os.environ.get("EXRAY_TIDY_NODES", "225000")
DEPTH = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={NODES}")]
INCLUDE = re.compile(rb'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


@lru_cache(None)
def contents(path):
    """(SHA-256, names of includes) of a file."""
    data = path.read_bytes()
    return hashlib.sha256(data).hexdigest(), [name.decode() for name in INCLUDE.findall(data)]


def closure(source, folders):
    """The file and all that it includes, as far as it is found in these folders."""
    found, left = set(), [source]
    while left:
        path = left.pop()
        if path in found:
            continue
        found.add(path)
        for name in contents(path)[1]:
            left += [p for p in (f / name for f in (path.parent, *folders)) if p.is_file()][:1]
    return sorted(found)


def state(entry, common):
    words = shlex.split(entry["command"])
    folders = [(Path(entry["directory"]) / w[2:]).resolve() for w in words if w.startswith("-I")]
    ours = [f for f in folders if f.is_relative_to(ROOT)]
    parts = [common, entry["command"]] + [contents(p)[0] for p in closure(Path(entry["file"]).resolve(), ours)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
    kept = build / "tidy"
    kept.mkdir(exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True, check=True).stdout
    common = NODES + version + (ROOT / ".clang-tidy").read_text()
    sources = set(subprocess.run(["git", "ls-files", "src/*.c"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
    entries = {e["file"]: e for e in json.loads((build / "compile_commands.json").read_text())
               if os.path.relpath(e["file"], ROOT) in sources}
    states = {file: state(entry, common) for file, entry in entries.items()}
    anew = [file for file in sorted(entries) if not (kept / states[file]).exists()]

    def look(file):
        done = subprocess.run(["clang-tidy", "--quiet", *DEPTH, "-p", str(build), file], capture_output=True, text=True, check=False)
        if done.returncode == 0 and not done.stdout.strip():
            (kept / states[file]).touch()
            return ""
        return done.stdout.strip() or done.stderr.strip()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [text for text in pool.map(look, anew) if text]
    for old in kept.iterdir():  # what no file is like any more
        if old.name not in states.values():
            old.unlink()
    print("\n".join(findings), end="\n" if findings else "")
    print(f"clang-tidy: {len(anew)} of {len(entries)} files looked at, {len(findings)} with findings; the others have not changed")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
