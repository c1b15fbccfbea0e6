"""Users' assertions: what they may do, and what becomes of those that misbehave."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from log_writer import PB
from plugin_support import compile_plugin, plugin
from validate_support import EXRAY, LITE0, ROOT, Recording, causes, finding, normalize, textures, validate


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    pictures = normalize(textures(2, 64), *LITE0)
    for role in ("edge", "reference"):
        with Recording(folder / role, role) as log:
            for p in pictures:
                log.frame([("/input/image", p[None], {}), ("/output/y", np.arange(10, dtype=np.float32)[None], {})])
    return folder / "edge", folder / "reference"


def run_of(verdict, name="user.mine"):
    return next(a for a in verdict["assertions"] if a["name"] == name)


def command(*arguments):
    return subprocess.run([str(a) for a in (EXRAY, *arguments)], capture_output=True, text=True, timeout=120)


def is_said(why, text):
    """A sanitizer ends the process before the signal does."""
    return why in text or (why == "Segmentation fault" and "instead of returning" in text)


# ---- What misbehaves is named, and the rest is judged -------------------------------------

CRASHES = {
    "null pointer": ("*(volatile int *)0 = 1;", "Segmentation fault"),
    "abort": ("abort();", "Aborted"),
    "division by zero": ("raise(SIGFPE);", "Floating point"),
    "exit": ("exit(0);", "instead of returning"),
    "_exit": ("_exit(7);", "instead of returning"),
    "null finding": ("exray_finding_summary(NULL, \"x\");", "Segmentation fault"),
    "killed": ("raise(SIGKILL);", "Killed"),
    "stack": ("volatile char big[1 << 26]; memset((char *)big, 1, sizeof big);", "Segmentation fault"),
    "far layer": ("exray_comparison_layer(comparison, 99999)->noise == 0 ? abort() : (void)0;", "Segmentation fault"),
    "closes everything": ("for (int i = 0; i < 64; i++) { close(i); } for (;;) { pause(); }", "within 2 s"),
    "signals": ("signal(SIGTERM, SIG_IGN); signal(SIGALRM, SIG_IGN); for (;;) { volatile int x = 1; (void)x; }", "within 2 s"),
    "endless loop": ("for (volatile int i = 0;; i = i + 1) { }", "within 2 s"),
    "sleeps": ("sleep(1000);", "within 2 s"),
    "a child that stays": ("if (fork() == 0) { sleep(30); } abort();", "Aborted"),
    "too much": ("char *t = malloc(65000); memset(t, 'x', 64999); t[64999] = 0; for (int i = 0; i < 900; i++) "
                 "exray_finding_detail(exray_findings_add(findings, \"user.mine\", EXRAY_SEVERITY_INFO, 1), \"%s\", t); free(t);", "more than 16 MiB"),
}


@pytest.mark.parametrize("name", CRASHES)
def test_crash_is_named_and_does_no_harm(tmp_path, logs, name):
    body, why = CRASHES[name]
    begun = time.monotonic()
    verdict = validate(*logs, "--plugin", plugin(tmp_path, body), "--plugin-timeout", "2", status=3)
    assert time.monotonic() - begun < 20
    run = run_of(verdict)
    assert run["status"] == "failed" and is_said(why, run["reason"]) and run["findings"] == 0
    assert "user.mine" in verdict["reason"] and causes(verdict) == []
    assert all(a["status"] != "failed" for a in verdict["assertions"] if a["name"] != "user.mine")


MISUSES = {
    "a cause of somebody else": ('exray_findings_add(findings, "layer.kernel", EXRAY_SEVERITY_ERROR, 1);', "layer.kernel", 0),
    "no cause": ("exray_findings_add(findings, NULL, EXRAY_SEVERITY_ERROR, 1);", "named the cause", 0),
    "an empty cause": ('exray_findings_add(findings, "", EXRAY_SEVERITY_ERROR, 1);', "named the cause", 0),
    "user. alone": ('exray_findings_add(findings, "user.", EXRAY_SEVERITY_ERROR, 1);', "named the cause", 0),
    "an odd cause": ('exray_findings_add(findings, "user.a b\\033[2J", EXRAY_SEVERITY_ERROR, 1);', "named the cause", 0),
    "confidence 7": ('exray_findings_add(findings, "user.mine", EXRAY_SEVERITY_WARNING, 7);', "confidence 7", 1),
    "confidence nan": ('exray_findings_add(findings, "user.mine", EXRAY_SEVERITY_WARNING, NAN);', "confidence", 1),
    "confidence -inf": ('exray_findings_add(findings, "user.mine", EXRAY_SEVERITY_WARNING, -INFINITY);', "confidence", 1),
    "severity 77": ('exray_findings_add(findings, "user.mine", (exray_severity)77, 1);', "severity 77", 1),
    "layer 500": ('exray_finding_where(exray_findings_add(findings, "user.mine", EXRAY_SEVERITY_INFO, 1), "layer", "x", 500);', "layer 500", 1),
    "too many": ('for (int i = 0; i < 2000; i++) exray_findings_add(findings, "user.mine", EXRAY_SEVERITY_INFO, 1);', "1000 findings more", 1000),
    "odd status": ("error->status = (exray_status)99;", "", 0),
    "failure without a word": ("error->status = EXRAY_E_IO;", "EXRAY_E_IO", 0),
}


@pytest.mark.parametrize("name", MISUSES)
def test_misuse_is_named(tmp_path, logs, name):
    body, why, kept = MISUSES[name]
    verdict = validate(*logs, "--plugin", plugin(tmp_path, body))
    run = run_of(verdict)
    assert run["status"] == "failed" and why in run["reason"] and run["findings"] == kept
    assert verdict["verdict"] == ("fail" if name == "severity 77" else "inconclusive")
    for found in verdict["findings"]:
        assert 0 <= found["confidence"] <= 1 and found["where"]["layer"] is None
    text = command("validate", *logs, "--plugin", tmp_path / "p.so").stdout
    assert "failed user.mine" in text and "\033" not in text


def test_null_strings_are_empty(tmp_path, logs):
    body = """exray_finding *f = exray_findings_add(findings, "user.mine", EXRAY_SEVERITY_WARNING, 1);
    exray_finding_where(f, NULL, NULL, EXRAY_NO_INDEX);
    exray_finding_text(f, NULL, NULL);
    exray_finding_number(f, NULL, 1);
    exray_finding_alternative(f, "user.other", 0.5);"""
    verdict = validate(*logs, "--plugin", plugin(tmp_path, body), status=0)
    assert causes(verdict) == ["user.mine"]


def test_escapes_do_not_reach_the_terminal(tmp_path, logs):
    body = 'exray_finding_summary(exray_findings_add(findings, "user.mine", EXRAY_SEVERITY_ERROR, 1), "a\\033[31mb\\nc\\xff");'
    library = plugin(tmp_path, body)
    result = command("validate", *logs, "--plugin", library)
    assert result.returncode == 1 and "\033" not in result.stdout
    assert "a [31mb c" in finding(validate(*logs, "--plugin", library), "user.mine")["summary"]


def test_what_it_prints_does_not_mix_with_json(tmp_path, logs):
    library = plugin(tmp_path, 'printf("noise\\n"); fflush(stdout);')
    result = command("validate", *logs, "--plugin", library, "--json", "-")
    assert json.loads(result.stdout)["verdict"] == "pass" and "noise" in result.stderr


def test_unjudged_is_said(tmp_path, logs):
    library = plugin(tmp_path, 'error->status = EXRAY_E_STATE; snprintf(error->message, sizeof error->message, "no reading");')
    verdict = validate(*logs, "--plugin", library, status=0)
    assert run_of(verdict) == {"name": "user.mine", "status": "unjudged", "reason": "no reading", "findings": 0}
    assert "no reading" in command("validate", *logs, "--plugin", library).stdout


# ---- Loading ----------------------------------------------------------------------------------

LOADS = {
    "crashes": ("static void start(void) __attribute__((constructor)); static void start(void) { abort(); }", "Aborted"),
    "exits": ("static void start(void) __attribute__((constructor)); static void start(void) { exit(0); }", "while it was loaded"),
}


@pytest.mark.parametrize("name", LOADS)
def test_a_constructor_that_misbehaves(tmp_path, logs, name):
    prelude, why = LOADS[name]
    library = plugin(tmp_path, "", prelude=prelude)
    for arguments in (["validate", *logs, "--plugin", library], ["assertions", "--plugin", library]):
        result = command(*arguments)
        assert result.returncode == 2 and why in result.stderr and "p.so" in result.stderr and result.stderr.count("\n") == 1


TABLES = {
    "no table": ("static const int x = 1; const int *y(void); const int *y(void) { return &x; }", "exray_plugin_assertions"),
    "empty": ("const exray_assertion *const exray_plugin_assertions[] = {NULL};", "no assertion"),
    "wild pointer": ("const exray_assertion *const exray_plugin_assertions[] = {(const exray_assertion *)1, NULL};", "Segmentation fault"),
    "no name": ("static const exray_assertion a = {sizeof a, EXRAY_ASSERTION_ABI, NULL, \"\", NULL, \"\", NULL, NULL}; "
                  "EXRAY_PLUGIN(&a);", "without a name or a function"),
    "odd name": ("static exray_status r(const exray_comparison *c, exray_findings *f, exray_error *e) { (void)c, (void)f, (void)e; return "
                 "EXRAY_OK; } static const exray_assertion a = {sizeof a, EXRAY_ASSERTION_ABI, \"a b\", \"\", NULL, \"\", r, NULL}; "
                 "EXRAY_PLUGIN(&a);", "is no name"),
    "name of a built-in": ("static exray_status r(const exray_comparison *c, exray_findings *f, exray_error *e) { (void)c, (void)f, (void)e; "
                           "return EXRAY_OK; } static const exray_assertion a = {sizeof a, EXRAY_ASSERTION_ABI, \"layer.nan\", \"\", NULL, "
                           "\"\", r, NULL}; EXRAY_PLUGIN(&a);", "another assertion with the name layer.nan"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_are_wrong(tmp_path, logs, name):
    text, why = TABLES[name]
    (tmp_path / "p.c").write_text("#include <exray/assertion.h>\n" + text + "\n")
    library = compile_plugin(tmp_path / "p.c", tmp_path / "p.so")
    result = command("validate", *logs, "--plugin", library)
    assert result.returncode == 2 and is_said(why, result.stderr), result.stderr


def test_a_plugin_from_before_there_were_options(tmp_path, logs):
    """Fields are appended: a smaller struct still works."""
    (tmp_path / "p.c").write_text("""#include <exray/assertion.h>
    struct old { uint32_t size, abi; const char *name, *summary; const char *const *causes; const char *needs;
        exray_status (*run)(const exray_comparison *, exray_findings *, exray_error *); };
    static exray_status run(const exray_comparison *c, exray_findings *f, exray_error *e)
    { (void)c, (void)e; exray_findings_add(f, "user.old", EXRAY_SEVERITY_ERROR, 1); return EXRAY_OK; }
    static const struct old a = {sizeof a, 1, "user.old", "old", 0, "nothing", run};
    extern const void *const exray_plugin_assertions[];
    const void *const exray_plugin_assertions[] = {&a, 0};
    """)
    library = compile_plugin(tmp_path / "p.c", tmp_path / "p.so")
    assert causes(validate(*logs, "--plugin", library, status=1)) == ["user.old"]
    assert "user.old" in command("assertions", "--plugin", library).stdout


# ---- Options and selection ------------------------------------------------------------------------

OPTIONS = """
static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    (void)comparison, (void)error;
    exray_finding *f = exray_findings_add(findings, "user.option", EXRAY_SEVERITY_INFO, 1);
    exray_finding_number(f, "least", exray_findings_option(findings, "least"));
    exray_finding_number(f, "absent", exray_findings_option(findings, "absent"));
    return EXRAY_OK;
}
static const exray_option options[] = {{"least", "levels of the input", 3, 0, 10}, {"other", "any", -1, 0, 0}, {NULL, NULL, 0, 0, 0}};
static const exray_assertion a = {.size = sizeof a, .abi = EXRAY_ASSERTION_ABI, .name = "user.option", .run = run, .options = options};
"""


@pytest.fixture
def options_plugin(tmp_path):
    (tmp_path / "p.c").write_text("#include <exray/assertion.h>\n" + OPTIONS + "EXRAY_PLUGIN(&a);\n")
    return compile_plugin(tmp_path / "p.c", tmp_path / "p.so")


def test_options(logs, options_plugin):
    for setting, value in ((None, 3), ("user.option.least=7.5", 7.5), ("user.option.other=1e9", 3)):
        verdict = validate(*logs, "--plugin", options_plugin, *(["--set", setting] if setting else []))
        assert finding(verdict, "user.option")["evidence"] == {"least": value, "absent": None}
    listed = json.loads(command("assertions", "--plugin", options_plugin, "--json", "-").stdout)["assertions"]
    assert listed[-1]["options"][0] == {"name": "least", "meaning": "levels of the input", "default": 3}
    assert "option: least = 3: levels of the input" in command("assertions", "--plugin", options_plugin).stdout


@pytest.mark.parametrize("setting", ["user.option.least=11", "user.option.least=x", "user.option.none=1", "no.such.least=1", "least=1", "x", "=1", ".=1",
                                     "user.option.least=", "user.option.least=nan"])
def test_settings_that_are_wrong(logs, options_plugin, setting):
    result = command("validate", *logs, "--plugin", options_plugin, "--set", setting)
    assert result.returncode == 2 and setting in result.stderr and result.stderr.count("\n") == 1


def test_options_of_built_ins(logs):
    assert validate(*logs, "--set", "model.version.share=0.7", status=0)
    listed = json.loads(command("assertions", "--json", "-").stdout)["assertions"]
    assert all(o["meaning"] for a in listed for o in a["options"])


def test_selection(logs, options_plugin):
    verdict = validate(*logs, "--plugin", options_plugin, "--assert", "user.*,log.truncated")
    assert [a["name"] for a in verdict["assertions"]] == ["log.truncated", "user.option"]
    verdict = validate(*logs, "--plugin", options_plugin, "--assert", "user.option")
    assert [a["name"] for a in verdict["assertions"]] == ["user.option"]
    verdict = validate(*logs, "--plugin", options_plugin, "--assert", "output.*")
    assert len(verdict["assertions"]) >= 4 and all(a["name"].startswith("output.") for a in verdict["assertions"])
    assert command("validate", *logs, "--assert", "user.*").returncode == 2


def test_user_causes_in_the_exit_status(tmp_path, logs):
    for severity, status in (("ERROR", 1), ("WARNING", 0), ("INFO", 0)):
        body = f'exray_findings_add(findings, "user.anything-else_2", EXRAY_SEVERITY_{severity}, 0.5);'
        verdict = validate(*logs, "--plugin", plugin(tmp_path, body), status=status)
        assert causes(verdict) == ["user.anything-else_2"] and verdict["findings"][0]["assertion"] == "user.mine"
        assert "user.anything-else_2" in command("validate", *logs, "--plugin", tmp_path / "p.so").stdout


# ---- The examples -----------------------------------------------------------------------------------


def write_examples(folder, role, darker=0.0, exposure=None, stage=None, dead=False):
    with Recording(folder / role, role) as log:
        tensors = [("image", "float32", [1, 64, 64, 3], [], [], 0), ("relu", "float32", [1, 8], [], [], 0)]
        log.model(tensors, [("RELU", [0], [1])], [0], [1])
        for p in normalize(textures(2, 64), *LITE0):
            index, begin = log.count, log.time
            log.count += 1
            log.tensor("/input/image", (p - np.float32(darker))[None], frame=index)
            if stage is not None:
                log.tensor("/stage/resized", stage, frame=index)
            log.tensor("/layer/0", np.zeros((1, 8), np.float32) if dead else np.arange(8, dtype=np.float32)[None], frame=index)
            f = PB["Frame"](index=index, source=f"{index}.jpg", begin_ns=begin, end_ns=log.time + 10,
                            values={} if exposure is None else {"exposure_ms": exposure})
            log.add("/frame", "Frame", f)
    return folder / role


def example(name, folder):
    return compile_plugin(ROOT / "examples" / "plugin" / f"{name}.c", folder / f"{name}.so")


def by_hand(edge, reference):
    return subprocess.run([sys.executable, ROOT / "examples" / "plugin" / "by_hand.py", edge, reference], capture_output=True, text=True)


@pytest.mark.parametrize("darker", [0, 0.3, -0.3])
def test_brightness_in_four_lines_and_by_hand(tmp_path, darker):
    library = example("brightness", tmp_path)
    edge, reference = write_examples(tmp_path, "edge", darker), write_examples(tmp_path, "reference")
    verdict = validate(edge, reference, "--plugin", library, "--assert", "user.*")
    manual = by_hand(edge, reference)
    assert causes(verdict) == (["user.brightness"] if darker > 0 else [])
    assert manual.returncode == (1 if darker > 0 else 0), manual.stderr
    if darker > 0:
        found = finding(verdict, "user.brightness")
        assert "user.brightness" in manual.stderr
        assert found["evidence"]["reference_mean"] - found["evidence"]["edge_mean"] == pytest.approx(darker, abs=1e-4)


def test_template(tmp_path):
    library = example("template", tmp_path)
    reference = write_examples(tmp_path, "reference")
    options = ("--plugin", library, "--assert", "user.*")
    verdict = validate(write_examples(tmp_path, "edge"), reference, *options, status=0)
    assert causes(verdict) == [] and run_of(verdict, "user.exposure")["status"] == "unjudged"
    verdict = validate(write_examples(tmp_path, "edge", exposure=15.0), reference, *options)
    assert causes(verdict) == ["user.exposure"] and finding(verdict, "user.exposure")["evidence"]["longest_ms"] == 15
    assert causes(validate(tmp_path / "edge", reference, *options, "--set", "user.exposure.most=20")) == []
    verdict = validate(write_examples(tmp_path, "edge", stage=np.zeros((4, 4), np.float32)), reference, *options)
    assert set(causes(verdict)) == {"user.stage"} and verdict["findings"][0]["where"]["tensor"] == "resized"
    assert causes(validate(write_examples(tmp_path, "edge", stage=np.eye(4, dtype=np.float32)), reference, *options)) == []
    verdict = validate(write_examples(tmp_path, "edge", dead=True), reference, *options)
    assert causes(verdict) == ["user.dead_layer"] and verdict["findings"][0]["where"]["op"] == "RELU"


def test_lines_are_counted():
    result = subprocess.run([ROOT / "scripts" / "count_lines.sh"], capture_output=True, text=True)
    assert result.returncode == 0 and "brightness.c: 4 lines" in result.stdout, result.stdout + result.stderr
    hand = int(result.stdout.split("by hand: ")[1])
    assert hand >= 20
