"""Completions and manual pages: they have every command and option of the help texts, the shells and troff take them."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from validate_support import EXRAY


def exray(*arguments, status=0):
    run = subprocess.run([EXRAY, *arguments], capture_output=True, text=True)
    assert run.returncode == status, run.stderr
    return run.stdout


COMMANDS = re.findall(r"^  (\w+) {2,}\w", exray("--help"), re.M)


def options(command):
    """As the help text's lines begin with them."""
    heads = [re.split(r" {2,}", line.strip())[0] for line in exray(command, "--help").splitlines() if line.startswith("  -")]
    return sorted({name for head in heads for name in re.findall(r"--[a-z-]+", head)})


def complete(*words):
    script = f'eval "$({EXRAY} completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _exray; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True).stdout.split()


def test_commands():
    assert len(COMMANDS) >= 12 and {"record", "validate", "doctor", "completion", "man"} <= set(COMMANDS)
    assert set(complete("exray", "")) == {*COMMANDS, "--help", "--version"}
    assert complete("exray", "val") == ["validate"]


@pytest.mark.parametrize("command", COMMANDS)
def test_bash_options(command):
    assert set(complete("exray", command, "--")) == {*options(command), "--help", "--quiet", "--verbose"}


def test_bash_values(tmp_path):
    assert complete("exray", "record", "--capture", "s") == ["stats", "sketch"]
    assert complete("exray", "validate", "--engine", "t") == ["tflite"]
    assert complete("exray", "record", "--threads", "") == []
    (tmp_path / "edge.mcap").touch()
    assert complete("exray", "info", str(tmp_path / "ed")) == [str(tmp_path / "edge.mcap")]
    assert complete("exray", "record", "--model", str(tmp_path / "ed")) == [str(tmp_path / "edge.mcap")]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_take_it(shell):
    text = exray("completion", shell)
    for command in COMMANDS:
        for option in options(command):
            assert (f"-l {option[2:]}" if shell == "fish" else option) in text
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not here")
    subprocess.run([shell, "-n"], input=text, text=True, check=True)


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_manual_pages(command):
    page = exray("man", *([command] if command else []))
    assert ".SH NAME" in page
    if not shutil.which("groff"):
        pytest.skip("groff is not here")
    run = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=page, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    plain = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", run.stdout).replace("\u2212", "-").replace("\u2010", "-")
    for option in options(command) if command else []:
        assert option in plain
    if command:
        assert "EXAMPLE" in plain


def test_doctor():
    checks = {c["what"]: c for c in json.loads(exray("doctor", "--json", "-"))["checks"]}
    assert checks["exray"]["said"].startswith(exray("version").split()[1])
    engines = {e["name"]: e for e in json.loads(exray("engines", "--json", "-"))["engines"]}
    for name, engine in engines.items():
        assert checks[name]["good"] == engine["found"]
    assert "ok compression" in exray("doctor")


def test_quiet_and_verbose(tmp_path):
    from validate_support import Recording

    logs = []
    for role in ("edge", "reference"):
        with Recording(tmp_path / f"{role}.mcap", role) as log:
            log.frame([])
        logs.append(tmp_path / f"{role}.mcap")
    said = [subprocess.run([EXRAY, "validate", *logs, *more], capture_output=True, text=True) for more in ([], ["-q"], ["--verbose"])]
    assert len({r.returncode for r in said}) == 1
    assert said[0].stdout and not said[1].stdout and not said[1].stderr
    assert said[2].stdout == said[0].stdout and "exray: compared 1 frames in" in said[2].stderr


@pytest.mark.parametrize(
    "arguments,meant",
    [(["recrod"], "record"), (["record", "--frams", "3"], "--frames"), (["validate", "a", "b", "--asert", "x"], "--assert"),
     (["info", "--jsn", "-"], "--json"), (["record", "--engine", "onnxruntme"], "onnxruntime")])  # fmt: skip
def test_did_you_mean(arguments, meant):
    run = subprocess.run([EXRAY, *arguments], capture_output=True, text=True)
    assert run.returncode == 2 and f"(did you mean {meant}?)" in run.stderr and run.stderr.count("\n") == 1


def test_nothing_near_is_not_guessed():
    run = subprocess.run([EXRAY, "frobnicate"], capture_output=True, text=True)
    assert "did you mean" not in run.stderr


def test_docs_have_the_option_tables():
    """docs/commands.md is what the program prints of itself."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "docs_commands.py"
    run = subprocess.run([sys.executable, script, EXRAY, "--check"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_synopsis_and_example_name_options_that_there_are(command):
    text = exray(command, "--help")
    usage, _, example = text.partition("\n\n")[0], None, text.rpartition("example: ")[2]
    named = re.findall(r"(?<![\w-])--[a-z-]+", usage + example)
    assert set(named) <= {*options(command), "--"}


def answer(*arguments):
    run = subprocess.run([EXRAY, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert run.returncode == 2 and run.stderr.count("\n") == 1
    return run.stderr


def test_how_options_are_written(tmp_path):
    log = tmp_path / "no.mcap"
    missing = f"exray: cannot open the log {log}: No such file or directory\n"
    for form in (["--json", "-"], ["--json=-"], ["--js", "-"], ["--json="], ["--check"], ["--", str(log)]):
        assert answer("info", *form, *([] if form[0] == "--" else [str(log)])) == missing
        assert answer("info", *([] if form[0] == "--" else [str(log)]), *form) == missing
    assert "out.tflite" in answer("expose", "-oout.tflite", "out.tflite")
    assert "--check=yes" in answer("info", "--check=yes", str(log))  # takes no value
    assert "there is no option --e;" in answer("record", "--e", "tflite")  # --engine, --engine-lib, --every
    assert "there is no option -x;" in answer("record", "-x")
    assert "--json needs a value" in answer("info", str(log), "--json")
    assert "at most 16 plug-ins" in answer("assertions", *["--plugin", "x.so"] * 17)
    assert "at most 64 settings" in answer("validate", *["--set", "a.b=1"] * 65)
    assert "two logs, not more: 'c'" in answer("validate", "a", "b", "c")
    assert "--repeat is for record" in answer("replay", str(log), "--repeat", "2")
    assert "--from lens: not sensor or input" in answer("replay", str(log), "--from", "lens")
    assert "not one of none, lz4, zstd" in answer("record", "--compress", "gzip")


def test_no_text_names_a_file_that_a_package_lacks():
    """Who has the program from a wheel has no scripts/ and no docs/."""
    program = EXRAY.read_bytes()
    found = [program[program.rfind(b"\0", 0, m.start()) + 1:program.find(b"\0", m.start())]
             for m in re.finditer(rb"\b(?:scripts|docs)/[a-z]", program)]
    assert [f for f in found if b".h" not in f and b".c" not in f] == []
