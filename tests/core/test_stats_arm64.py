"""The kernels of statistics on arm64, under qemu: NEON's and the portable ones agree."""

import shutil
import subprocess

import pytest
from validate_support import ROOT

PROGRAM = r"""
#include "core/summary/stats_block.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static uint32_t state = 7;
static uint32_t random_bits(void) { return (state = state * 1664525u + 1013904223u) >> 8; }
static int differs(double a, double b, double room) { return !(fabs(a - b) <= room); }

int main(void)
{
    static uint8_t data[4 * XR_STATS_BLOCK + 1];
    const xr_stats_kernels *neon = xr_stats_kernels_neon(), *plain = xr_stats_kernels_portable();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)random_bits();
    data[3] = data[4000] = 0, data[9] = data[5000] = 255;
    for (size_t count = 1; count <= XR_STATS_BLOCK; count = count < 100 || count == XR_STATS_BLOCK ? count + 1 : count * 2 > XR_STATS_BLOCK ? XR_STATS_BLOCK : count * 2 - 3)
        for (int flip = 0; flip <= 0x80; flip += 0x80) {
            xr_byte_block a, b;
            neon->bytes(data + 1, count, (uint8_t)flip, 7, &a);
            plain->bytes(data + 1, count, (uint8_t)flip, 7, &b);
            if (a.min != b.min || a.max != b.max || a.sum != b.sum || a.squares != b.squares || a.zeros != b.zeros || a.lows != b.lows || a.highs != b.highs)
                return printf("bytes, %zu\n", count), 1;
        }
    memset(data, 255, sizeof data); /* the largest sums and counts */
    xr_byte_block most;
    neon->bytes(data, XR_STATS_BLOCK, 0, 255, &most);
    if (most.sum != 255ull * XR_STATS_BLOCK || most.squares != 65025ull * XR_STATS_BLOCK || most.zeros != XR_STATS_BLOCK || most.highs != XR_STATS_BLOCK || most.lows)
        return printf("bytes, largest\n"), 1;
    for (size_t i = 0; i < XR_STATS_BLOCK; i++) {
        const float x = i % 9 == 4 ? 0 : (float)random_bits() / 4e6f - 2;
        memcpy(data + 1 + 4 * i, &x, 4);
    }
    for (size_t count = 1; count <= XR_STATS_BLOCK; count += 1 + count / 3) {
        xr_float_block a, b;
        neon->floats(data + 1, count, 0.5, &a);
        plain->floats(data + 1, count, 0.5, &b);
        if (a.min != b.min || a.max != b.max || a.zeros != b.zeros || differs(a.sum, b.sum, 1e-12 * (double)count) || differs(a.squares, b.squares, 1e-12 * (double)count))
            return printf("floats, %zu\n", count), 1;
    }
    for (int i = 0; i < 3; i++) { /* what is not finite is never missed */
        const float odd[3] = {NAN, INFINITY, -INFINITY};
        memcpy(data + 1 + 4 * 777, &odd[i], 4);
        xr_float_block a;
        neon->floats(data + 1, 1000, 0.5, &a);
        if (isfinite(a.squares))
            return printf("not finite, %d\n", i), 1;
    }
    return neon ? 0 : 2;
}
"""


@pytest.mark.parametrize("optimize", ["-O3", "-Os"])
def test_kernels_agree(tmp_path, optimize):
    for tool in ("aarch64-linux-gnu-gcc", "qemu-aarch64"):
        if not shutil.which(tool):
            pytest.skip(f"no {tool}: scripts/bootstrap.sh arm64")
    source, program = tmp_path / "agree.c", tmp_path / "agree"
    source.write_text(PROGRAM)
    kernels = [ROOT / "src" / "core" / "summary" / f"stats_{name}.c" for name in ("neon", "portable")]
    subprocess.run(["aarch64-linux-gnu-gcc", "-std=c11", optimize, "-Wall", "-Wextra", "-Werror", "-static", f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}",
                    source, *kernels, "-lm", "-o", program], check=True)  # fmt: skip
    result = subprocess.run(["qemu-aarch64", program], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
