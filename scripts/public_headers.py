#!/usr/bin/env python3
"""What every public header keeps: each declaration says since which version it has been there by its name, that
version is right, and each macro is used by tests/headers/macros.c, which is compiled in every language.

    scripts/public_headers.py                   part of scripts/lint.sh
    scripts/public_headers.py --release 0.2.0   writes tests/headers/names-0.2.0.txt: the names of a release

Declarations that no blank line parts are a family: their comment has one "Since 0.2.0." for all of them.  A name
that is in a release's list says that version or an earlier one; any other says the version being worked on.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADERS = sorted((ROOT / "include" / "exray").glob("*.h"))
LISTS = ROOT / "tests" / "headers"


def number(version):
    return tuple(int(part) for part in version.split("."))


def paragraphs(text):
    """(line, text) of what blank lines part, outside of braces; without #include, guards and extern "C"."""
    text = re.sub(r'#ifdef __cplusplus\n(extern "C" \{|\})\n#endif\n', lambda m: "\n" * m[0].count("\n"), text)
    text = re.sub(r"#if defined\(__GNUC__\)\n#pragma GCC visibility [^\n]*\n#endif\n", "\n\n\n", text)
    lines, first, depth = [], 1, 0
    for at, line in enumerate([*text.splitlines(), ""], 1):
        bare = re.sub(r'"[^"]*"|/\*.*?\*/', "", line)
        depth += 0 if line.startswith((" *", "/*")) else bare.count("{") - bare.count("}")
        if line.strip() or depth:
            lines or (first := at)
            lines.append(line)
        elif lines:
            yield first, "\n".join(lines)
            lines = []


def names_of(paragraph):
    """The functions, types and macros that it declares."""
    code = re.sub(r"/\*.*?\*/", "", paragraph, flags=re.S)
    macros = re.findall(r"^#define (EXRAY_\w+)", code, re.M)
    undone = re.findall(r"^#undef (EXRAY_\w+)", code, re.M)
    code = re.sub(r"^#define .*(?:\\\n.*)*\n?", "", code, flags=re.M)
    code = re.sub(r"^#.*$", "", code, flags=re.M)
    types = re.findall(r"^\}\s*(exray_\w+);", code, re.M)
    types += re.findall(r"^typedef [^{;]*\(\*(exray_\w+)\)", code, re.M)
    types += re.findall(r"^typedef (?:struct|enum) [^{;(]*?(exray_\w+);", code, re.M)
    types += re.findall(r"^typedef enum (exray_\w+) \{[^}\n]*\} \1;", code, re.M)
    code = re.sub(r"\{[^{}]*\}", ";", re.sub(r"\{[^{}]*\}", ";", code))  # bodies, fields
    functions = re.findall(r"\b(exray_\w+)\([^;{]*\)\s*(?:EXRAY_PRINTF)?\s*;", re.sub(r"typedef[^;]*;", "", code))
    return {name for name in [*macros, *types, *functions] if name not in undone and not name.endswith("_H")}


def released():
    """Name: the first release that has it."""
    found = {}
    for path in sorted(LISTS.glob("names-*.txt"), key=lambda p: number(p.stem.split("-")[1])):
        for name in path.read_text().split():
            found.setdefault(name, path.stem.split("-")[1])
    return found


def check():
    problems = []
    version = (ROOT / "VERSION").read_text().strip().removesuffix("-dev")
    since_of = released()
    used = (LISTS / "macros.c").read_text()
    for header in HEADERS:
        for line, paragraph in paragraphs(header.read_text()):
            names = names_of(paragraph)
            if not names:
                continue
            where = f"include/exray/{header.name}:{line}"
            comment = re.sub(r"\s*\n \* ", " ", " ".join(re.findall(r"^/\*(.*?)\*/", paragraph, re.S | re.M)))
            said = re.search(r"\bSince (\d+\.\d+\.\d+)", comment)
            if not said:
                problems.append(f"{where}: {', '.join(sorted(names))}: the comment in front says no \"Since {version}.\"")
                continue
            for name in sorted(names):
                expected = since_of.get(name, version)
                if said[1] != expected:
                    problems.append(f"{where}: {name} says \"Since {said[1]}\", it is there since {expected}")
            for later in re.findall(r"(?:Since|names?:) (\d+\.\d+\.\d+)", paragraph):
                if later != version and later not in since_of.values():
                    problems.append(f"{where}: there is no version {later}")
            for name in names:
                if name.startswith("EXRAY_") and not re.search(rf"\b{name}\b", used):
                    problems.append(f"{where}: {name} is not used by tests/headers/macros.c")
    return problems


def release(version):
    names = {name for header in HEADERS for _, paragraph in paragraphs(header.read_text()) for name in names_of(paragraph)}
    path = LISTS / f"names-{version}.txt"
    path.write_text("\n".join(sorted(names)) + "\n")
    print(f"{path.relative_to(ROOT)}: {len(names)} names")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--release"]:
        release(sys.argv[2])
    else:
        found = check()
        print("\n".join(f"public_headers: {problem}" for problem in found) or "public_headers: fine")
        sys.exit(bool(found))
