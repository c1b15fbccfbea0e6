#!/usr/bin/env python3
"""The parts of docs/commands.md that come from the option tables of the program.

    docs_commands.py EXRAY           rewrites them
    docs_commands.py EXRAY --check   fails if one is not what EXRAY prints

A part begins with <!-- exray man --markdown COMMAND --> and ends with <!-- end -->.
"""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
PART = re.compile(r"<!-- exray man --markdown ?(\w*) -->\n.*?<!-- end -->\n", re.S)


def printed(exray, *arguments):
    return subprocess.run([exray, *arguments], capture_output=True, text=True, check=True).stdout


def updated(page, exray):
    def part(match):
        command = [match[1]] if match[1] else []
        return f"<!-- {' '.join(['exray', 'man', '--markdown', *command])} -->\n{printed(exray, 'man', '--markdown', *command)}<!-- end -->\n"

    return PART.sub(part, page)


def missing(page, exray):
    commands = re.findall(r"^  (\w+) {2,}\w", printed(exray, "--help"), re.M)
    return sorted(set(commands) - {match[1] for match in PART.finditer(page)})


def main():
    exray = sys.argv[1]
    page = PAGE.read_text(encoding="utf-8")
    new = updated(page, exray)
    for command in missing(new, exray):
        print(f"docs_commands: {PAGE.name} has no part of {command}")
        return 1
    if sys.argv[2:] != ["--check"]:
        PAGE.write_text(new, encoding="utf-8")
    elif new != page:
        print(f"docs_commands: {PAGE.name} is not what the program prints; run scripts/docs_commands.py {exray}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
