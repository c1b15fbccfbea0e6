#!/usr/bin/env python3
"""The structure of the source, checked: called by scripts/lint.sh.

    structure.py [BUILD]      BUILD (build) holds the objects whose symbols are read

- arrows: a room includes headers, and calls functions, of the rooms it may know (ROOMS below) and no others;
- no circle: a node is a file (x.h with x.c), an arrow an include or a symbol that the other defines; the same for
  the Python package and its imports, wherever in a module they stand;
- a type, an include guard and a file's base name mean one thing;
- no folder with more than 30 files, no file with more than 800 lines.
"""

import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
PACKAGE = ROOT / "bindings" / "python" / "src" / "exray"
MOST_FILES, MOST_LINES = 30, 800

# Room: what it may include.  Whoever may include a room may call it, too.
ROOMS = {
    "core": "",
    "codecs": "core",
    "base": "codecs core",
    "models": "core",
    "engines": "core models",
    "log": "base codecs core",
    "tasks": "base core",
    "media": "base core",
    "pipeline": "base core media",
    "compare": "base codecs core log",
    "replay": "base core engines/engine.h engines/agreement.h log media pipeline",
    "isolate": "base compare core engines/engine.h log media models pipeline",
    "checks": "",
    "report": "base checks compare",
    "validate": "base checks compare core engines/engine.h isolate log models pipeline/parse.h pipeline/yaml_tree.h replay/rerun.h report",
    "cli": "base checks codecs compare core engines isolate log media models pipeline replay report validate",
}
# Functions of the public headers alone, as a plug-in of a user's has them.
PUBLIC = {"compare": "tasks", "replay": "tasks", "checks": "compare core log media tasks", "report": "core log media tasks", "validate": "core log", "cli": "tasks"}
# What the target exray_watched makes of malloc and its like (src/base/memory.h).
WATCHED = {"xr_malloc", "xr_calloc", "xr_realloc", "xr_strdup", "xr_strndup"}
GENERATED = re.compile(r"_fds\.h$")

problems = []


def say(text):
    problems.append(text)


def room_of(path):
    return path.relative_to(SRC).parts[0]


def node_of(path):
    return str(path.relative_to(SRC).with_suffix(""))


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT, text=True, check=True, capture_output=True)
    return [ROOT / line for line in out.stdout.splitlines() if (ROOT / line).exists()]


def circles(graph):
    """The strongly connected sets of more than one node (Tarjan), each sorted."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            part = []
            while not part or part[-1] != node:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(sorted(part))

    sys.setrecursionlimit(10000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


# ---- C: includes and symbols ---------------------------------------------------------


def includes(files):
    """(file, header, line) of each include of a header of src; one that names no room is told."""
    for path in files:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not match:
                continue
            header = SRC / match[1]
            if header.exists():
                yield path, header, number
            elif not match[1].endswith("_fds.h"):
                say(f"{path.relative_to(ROOT)}:{number}: include a header of this project by its room: \"ROOM/{Path(match[1]).name}\"")


def may_include(room, header):
    allowed = ROOMS[room].split()
    name = str(header.relative_to(SRC))
    return room_of(header) == room or room_of(header) in allowed or name in allowed


def symbols(build):
    """{object's source: (defined, undefined)} by nm."""
    result = {}
    for obj in sorted((build / "src").rglob("*.c.o")):
        parts = obj.relative_to(build / "src").parts
        folder = parts[: parts.index("CMakeFiles")]
        source = SRC.joinpath(*folder, *parts[parts.index("CMakeFiles") + 2 :]).with_suffix("")
        if not source.exists():
            continue
        out = subprocess.run(["nm", "-g", "-P", obj], text=True, check=True, capture_output=True).stdout
        defined, undefined = set(), set()
        for line in out.splitlines():
            name, kind = line.split()[:2]
            (undefined if kind in "Uw" else defined).add(name)
        result[source] = (defined, undefined)
    return result


def public_names():
    text = "".join(p.read_text() for p in (ROOT / "include" / "exray").glob("*.h"))
    return set(re.findall(r"\bexray_\w+", text))


def may_call(room, source, name, public):
    other = room_of(source)
    if name in WATCHED:
        return True
    allowed = {a.split("/")[0] for a in ROOMS[room].split()}
    return other == room or other in allowed or (other in PUBLIC.get(room, "").split() and name in public)


def check_c(build):
    files = [f for f in tracked("src/*.c", "src/*.h")]
    graph = defaultdict(set)
    for path, header, number in includes(files):
        room = room_of(path)
        if not may_include(room, header):
            say(f"{path.relative_to(ROOT)}:{number}: {room} may not include {header.relative_to(SRC)}")
        if node_of(path) != node_of(header):
            graph[node_of(path)].add(node_of(header))
    table = symbols(build)
    if not table:
        say(f"{build}/src holds no objects: build first, so that calls can be checked")
    owner, public = {}, public_names()
    for source, (defined, _) in table.items():
        for name in defined:
            owner[name] = source
    for source, (_, undefined) in table.items():
        for name in sorted(undefined):
            other = owner.get(name)
            if other is None or node_of(other) == node_of(source):
                continue
            graph[node_of(source)].add(node_of(other))
            if not may_call(room_of(source), other, name, public):
                say(f"{source.relative_to(ROOT)} calls {name}, which {room_of(other)} defines, a room that {room_of(source)} may not know")
    for part in circles(graph):
        say("a circle: " + " ".join(part))
    return files


# ---- Names ------------------------------------------------------------------------------


def role(path):
    """Files of sibling adapters may share a name: src/engines/*/tap.c."""
    parts = path.relative_to(ROOT).parts
    return path.name if parts[:2] == ("src", "engines") and len(parts) == 4 else str(path)


def check_names(files):
    by_name, by_type, by_guard = defaultdict(set), defaultdict(set), defaultdict(set)
    for path in files:
        by_name[path.name].add(role(path))
    for path in files + tracked("include/exray/*.h"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        for match in re.finditer(r"^#ifndef (\w+_H)\s*\n#define \1", text, re.M):
            by_guard[match[1]].add(role(path))
        names = re.findall(r"\b(?:struct|union|enum)\s+(\w+)\s*\{", text)
        names += re.findall(r"^\}\s*(\w+)\s*;", text, re.M) if "typedef" in text else []
        names += re.findall(r"^typedef\s+[^{};]*?\b(\w+)\s*;", text, re.M)
        names += re.findall(r"^typedef\s+[^{};]*?\(\*\s*(\w+)\)", text, re.M)
        for name in set(names):
            by_type[name].add(role(path))
    for what, table in (("file name", by_name), ("type", by_type), ("include guard", by_guard)):
        for name, where in sorted(table.items()):
            # A type may be declared in its header and defined in the header's own file.
            nodes = {str(Path(w).with_suffix("")) for w in where}
            if len(nodes) > 1 and not (what == "type" and declared_once(name, where)):
                places = ", ".join(sorted(str(Path(w).relative_to(ROOT)) if w.startswith("/") else w for w in where))
                say(f"the {what} {name} stands for several things: {places}")


def declared_once(name, where):
    """`typedef struct x x;` in a header, and `struct x {` where it is filled: one type."""
    bodies = 0
    for place in where:
        if not place.startswith("/"):
            return False
        text = re.sub(r"/\*.*?\*/", "", Path(place).read_text(encoding="utf-8"), flags=re.S)
        opaque = re.search(rf"\btypedef\s+(struct|union|enum)\s+{name}\s+{name}\s*;", text)
        body = re.search(rf"\b(struct|union|enum)\s+{name}\s*\{{", text) or (not opaque and re.search(rf"\b{name}\s*;", text))
        bodies += 1 if body else 0
    return bodies <= 1


def check_sizes():
    files = [f for f in tracked("*.c", "*.h", "*.py", "*.sh", "*.js", "*.css") if not GENERATED.search(f.name)]
    for path in files:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > MOST_LINES:
            say(f"{path.relative_to(ROOT)} has {lines} lines, more than {MOST_LINES}; is there a second subject in it?")
    folders = Counter(p.parent for p in tracked("src/*"))
    for folder, count in sorted(folders.items()):
        if count > MOST_FILES:
            say(f"{folder.relative_to(ROOT)} has {count} files, more than {MOST_FILES}; which rooms is it?")


# ---- Python --------------------------------------------------------------------------------


def imported(path, modules):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = "exray" + ("." + base if base else "")
            names = [f"{base}.{a.name}" if f"{base}.{a.name}" in modules else base for a in node.names]
        else:
            continue
        yield from (n for n in names if n in modules)


def check_python():
    modules = {"exray": PACKAGE / "__init__.py"}
    for path in PACKAGE.rglob("*.py"):
        if path.name != "__init__.py":
            modules["exray." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)] = path
        elif path.parent != PACKAGE:
            modules["exray." + ".".join(path.parent.relative_to(PACKAGE).parts)] = path
    graph = {name: {m for m in imported(path, modules) if m != name} for name, path in modules.items()}
    for part in circles(graph):
        say("a circle of Python modules: " + " ".join(part))


def main():
    build = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
    files = check_c(build if build.is_absolute() else ROOT / build)
    check_names(files)
    check_sizes()
    check_python()
    for problem in problems:
        print(f"structure: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
