#!/usr/bin/env python3
"""Local links of the Markdown files: the file exists, and so does the heading that an anchor names."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def without_code(text):
    return re.sub(r"```.*?```", "", text, flags=re.S)


def anchors(path):
    """As public hosts make them: lower case, punctuation dropped, blanks to hyphens."""
    found = set()
    for heading in re.findall(r"^#+ +(.*)$", without_code(path.read_text(encoding="utf-8")), re.M):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        while name in found:
            name += "-1"
        found.add(name)
    return found


def problems(path):
    for target in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", without_code(path.read_text(encoding="utf-8"))):
        target = target[0] or target[1]
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        other = (path.parent / name) if name else path
        if not other.exists():
            yield f"{target}: there is no such file"
        elif anchor and other.suffix == ".md" and anchor not in anchors(other):
            yield f"{target}: {other.name} has no such heading"


def main():
    files = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, text=True, check=True, capture_output=True).stdout.split()
    bad = [f"{name}: {problem}" for name in files if (ROOT / name).exists() for problem in problems(ROOT / name)]
    print("\n".join(f"links: {b}" for b in bad), end="\n" if bad else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
