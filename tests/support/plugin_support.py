"""Plug-ins with users' assertions, compiled as a user does it."""

import subprocess

from validate_support import ROOT

FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wmissing-prototypes", "-Werror", "-shared", "-fPIC", "-I", ROOT / "include"]


def compile_plugin(source, library):
    subprocess.run(["cc", *FLAGS, source, "-o", library], check=True)
    return library


def plugin(folder, body, name="user.mine", prelude="", table=True):
    """A plug-in whose assertion has that body."""
    source = folder / "p.c"
    source.write_text(f"""#define _POSIX_C_SOURCE 200809L
#include <exray/assertion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
{prelude}
EXRAY_ASSERTION(mine, "{name}", "a test", "nothing")
{{
    (void)comparison, (void)findings, (void)error;
    {body}
}}
{"EXRAY_PLUGIN(&mine);" if table else ""}
""")
    return compile_plugin(source, folder / "p.so")
