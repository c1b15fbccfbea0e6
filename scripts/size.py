"""How large the recorder is on a device: the tables of `make size`.

    size.py [--tree DIR] [--markdown]      DIR: another checkout, to compare with

How it is measured, for each processor and each of -Os and -O2:

text    core alone is compiled (-ffunction-sections) and linked with what a row names, all public
        calls of that row being roots, the rest left out by --gc-sections: code and constants of core.
        Neither the port nor the C library is in it (memcpy, strlen and the like).  "helpers" is what
        the compiler's own library adds: on Cortex-M4 mostly arithmetic of doubles, which an
        application that computes with doubles has already.
data    initialized and zeroed variables.
stack   the deepest chain of calls below any public call of the row, by -fstack-usage and
        -fcallgraph-info.  A call through a pointer counts as the deepest function that may stand
        there (TARGETS below, by the caller's file); encoders of nested messages count as often as
        messages can lie in each other (NESTING).  Without the application's own functions (its sink),
        the port, the C library and interrupts.  It is an upper bound: nested calls are
        taken at their largest.
RAM     the recorder's state (sizeof exray_recorder), and the least memory that a recorder of 8
        channels and a buffer of 256 bytes takes (chunks: of 32 KiB, 16 of them; the ring: 16 KiB),
        as exray_recorder_memory_needed_device says on that processor (emulated, where qemu-user is there).

Exit status 1: a row of LIMITS takes more.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["-std=c11", "-DNDEBUG", "-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"]
M4 = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
# name: (prefix of the tools, flags, how its programs are run here)
PROCESSORS = {
    "x86-64": ("", ["-m64", "-fno-pie"], []),
    "arm64": ("aarch64-linux-gnu-", ["-fno-pie"], ["qemu-aarch64"]),
    "Cortex-M4": ("arm-none-eabi-", M4, ["qemu-arm"]),
}

CALLS = """open_device_sized memory_needed_device bytes_written close abandon error_status error_message dropped
frame_begin frame_begin_at frame_label frame_inference frame_end frame_index now log_tensor wants log_scalar log_span
log_reading log_model has_model log_latency frame_elapsed set_arena_bytes log_attachment log_metadata
on_close fail""".split()
DEVICE = [f"exray_recorder_{name}" for name in CALLS]
RESULTS = ["exray_recorder_log_result", "exray_recorder_log_truth"]
PICTURES = ["exray_recorder_log_image", "exray_recorder_log_encoded", "exray_recorder_frame_begin_encoded",
            "exray_recorder_log_text"]
ALL = ["exray_recorder_open_file_sized", "exray_recorder_open_callback_sized", "exray_recorder_open_memory_sized", "exray_recorder_memory_needed"]
LINK = ["exray_link_open", "exray_link_write", "exray_link_lost_packets", "exray_link_unrepeated"]
SUMS = ["exray_stats_compute", "exray_sketch_compute", "exray_sha256"]

# Row: the parts and calls that it has beside DEVICE.  The first is what each other one is compared with.
ROWS = {
    "stream": [],
    "stream + stats (small)": ["stats_part_small"],
    "stream + stats (fast)": ["stats_part_fast"],
    "stream + stats + sketch (small)": ["stats_part_small", "sketch_part_small"],
    "stream + stats + sketch (fast)": ["stats_part_fast", "sketch_part_fast"],
    "stream + chunks": ["chunks_part_default"],
    "stream + stats + checksums (small)": ["stats_part_small", "checksums_part_small"],
    "stream + checksums (fast)": ["checksums_part_fast"],
    "stream + events": ["events_part_default", "exray_recorder_event"],
    "stream + retry": ["retry_part_default"],
    "stream + flush": ["flush_part_default", "exray_recorder_flush", "exray_recorder_sync"],
    "stream + async": ["async_part_default"],
    "stream + layers": ["layers_part_default"],
    "stream + layer stats": ["layer_stats_part_default"],
    "stream + machine": ["machine_part_default"],
    "stream + budget": ["budget_part_default"],
    "stream + stats (small) + flight": ["stats_part_small", "flight_part_default", "exray_recorder_trigger"],
    "stream + level at run time": ["exray_recorder_set_capture"],
    "stream + results": RESULTS,
    "stream + pictures": PICTURES,
    "stream + link": LINK,
    "everything": PICTURES + RESULTS + ALL + SUMS,
}

# What a small device was promised, -Os: bytes of text.
LIMITS = {("Cortex-M4", "stream + stats (small)"): 24 << 10, ("arm64", "stream + stats (small)"): 30 << 10}

# Which functions the calls through pointers may reach, by the function (in its file) that calls.
SINKS = r"(memory|draft|crc)_write|(xr_)?out_write"
ENCODERS = r"(xr_)?encode_\w+|xr_mcap_encode_\w+"
TARGETS = [
    (r"\w+\.c:(xr_pb_message|xr_encoded_size|xr_mcap_record|xr_mcap_put_content|keep_index|xr_emit_topic)", ENCODERS),
    (r"draft\.c:\w+", r"xr_chunks_crc"),
    (r"(sink|messages|mcap|mcap_end|chunks|chunk_summary)\.c:(?!xr_chunks_crc|write_with_crc|hand_over)\w+", SINKS),
    (r"retry\.c:offer|out\.c:(hand_over|xr_out_\w+)", r"write_with_crc"),
    (r"out\.c:\w+", r"retry_\w+"),
    (r"(out|retry|mcap|checksums)\.c:\w*(out_write|sum|check|message)\w*", r"crc_(small|fast)|xr_chunks_crc|xr_checksums_\w+"),
    (r"mcap\.c:xr_mcap_message", r"xr_chunks_message"),
    (r"mcap\.c:xr_mcap_(attachment|metadata)", r"xr_chunks_(attachment|metadata)"),
    (r"mcap\.c:xr_mcap_flush", r"xr_chunks_(close|write_ahead)|by_age|handed_over"),
    (r"mcap\.c:xr_mcap_settle", r"retry_settle"),
    (r"mcap\.c:xr_mcap_end", r"xr_chunks_(summary|close)"),
    (r"mcap\.c:(xr_mcap_message_cost|encode_names)", r"message_cost|put_names"),
    (r"(chunk_summary|mcap_end)\.c:(write_summary|xr_chunks_summary|xr_mcap_end)", r"write_(schemas|channels|statistics|\w+_indexes)"),
    (r"emit\.c:\w+", r"write_(message|attachment|metadata)|flush_now|send|call|written|admit_message|spend_message"),
    (r"ring\.c:\w+", r"write_(message|attachment|metadata)|flush_now|write_entries"),
    (r"events\.c:xr_event(_of)?", r"write_event"),
    (r"events\.c:exray_recorder_event", r"event_of_call"),
    (r"events\.c:(xr_refuse_call|xr_count_lost)", r"tell_(refusal|gap)"),
    (r"close\.c:\w+", r"tell_end"),
    (r"messages\.c:xr_encode_system", r"put_usage"),
    (r"frame\.c:flush", r"flush_call"),
    (r"(frame|close|open|recorder)\.c:\w+", r"flush|at_frame|stop|start|bytes_written|identify|watch|read_usage|end"),
    (r"(emit|frame|records|tensors|open)\.c:\w+", r"begin|cost_of|admit|spend|keeps_frame|xr_budget_tell"),
    (r"layout\.c:\w+", r"problem|place"),
    (r"(frame|records|tensors|close)\.c:\w+", r"take_stats|flush|keep_model|admit_\w+|keep_of_tensor"),
    (r"tensors\.c:\w+", r"(stats|sketch)_small|exray_(stats|sketch)_compute|take"),
    (r"(stats|sketch|stats_x86)\.c:\w+", r"floats|bytes|xr_\w+_to_(double|float)|xr_sketch_rows_\w+|rows_avx2"),
]
NESTING = 11  # Model, Node, eight deep in Node.inner, a pair of strings


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, text=True, capture_output=True, **options).stdout


class Build:
    """Core, compiled for one processor with one kind of optimization."""

    def __init__(self, tree, processor, optimize, folder):
        self.tree, self.folder = tree, folder
        self.prefix, self.flags, self.emulator = PROCESSORS[processor]
        self.flags = [*self.flags, *FLAGS, optimize, f"-I{tree / 'include'}", f"-I{tree / 'src'}"]
        objects = []
        for source in sorted((tree / "src" / "core").rglob("*.c")):
            if source.parent.name == "port":
                continue
            objects.append(folder / f"{source.stem}.o")
            run(f"{self.prefix}gcc", *self.flags, "-fstack-usage", "-fcallgraph-info=su", "-c", source, "-o", objects[-1])
        self.archive = folder / "core.a"
        run(f"{self.prefix}ar", "rcs", self.archive, *objects)
        defined = run(f"{self.prefix}nm", "-g", "--defined-only", self.archive)
        self.defined = set(re.findall(r" [A-Z] (\w+)$", defined, re.M))
        self.stacks = Stacks(folder)

    def link(self, roots, *libraries):
        probe, linked = self.folder / "probe.c", self.folder / "probe.elf"
        names = "\n".join(f"extern char {name}[];" for name in roots)
        table = ", ".join(roots)
        probe.write_text(f'{names}\n__attribute__((section(".probe"))) const void *const probe[] = {{{table}}};\n')
        run(f"{self.prefix}gcc", *self.flags, "-w", "-nostdlib", "-static", "-Wl,--gc-sections,-e,probe,--unresolved-symbols=ignore-all,--build-id=none",
            probe, self.archive, *libraries, "-o", linked)  # fmt: skip
        return linked

    def sections(self, linked):
        text = data = 0
        for line in run(f"{self.prefix}size", "-A", linked).splitlines():
            match = re.match(r"(\.\S+)\s+(\d+)", line)
            if match and re.match(r"\.(text|rodata|ARM.ex)", match[1]):
                text += int(match[2])
            elif match and re.match(r"\.(data|bss|got|init)", match[1]):
                data += int(match[2])
        return text, data

    def row(self, extra):
        """text, helpers, data and stack of a recorder with that; None where the tree has no such recorder."""
        roots = [name if name.startswith("exray_") else f"exray_{name}" for name in extra]
        if "exray_recorder_memory_needed_device" not in self.defined:  # from before the parts: always all of it
            if extra != ROWS["everything"]:
                return None
            roots = [name.removesuffix("_sized") for name in roots]
        roots = [name for name in roots if name in self.defined]
        roots += [name for name in DEVICE if name in self.defined]
        linked = self.link(roots)
        text, data = self.sections(linked)
        helpers = self.sections(self.link(roots, "-lgcc"))[0] - text
        self.link(roots)
        names = set(re.findall(r" [a-zA-Z] (\S+)$", run(f"{self.prefix}nm", linked), re.M))
        return text, helpers, data, self.stacks.deepest(roots, names)

    def memory(self, lines):
        """What the functions of exray.h say of each of `lines` (name, statements), on that processor."""
        program, linked = self.folder / "memory.c", self.folder / "memory"
        body = "".join(f'    print("{name}", {statement});\n' for name, statement in lines)
        program.write_text(MEMORY.replace("BODY", body))
        if self.emulator and not shutil.which(self.emulator[0]):
            return {}
        bare = self.prefix == "arm-none-eabi-"
        port = self.tree / "src" / "core" / "port" / "port_template.c"
        options = ["-nostartfiles", "--specs=nosys.specs", "-Wl,-Ttext=0x20000", "-w"] if bare else ["-static"]
        run(f"{self.prefix}gcc", *self.flags, *options, program, port, self.archive, "-o", linked)
        out = run(*self.emulator, linked)
        return {name: int(value) for name, value in (line.rsplit(" ", 1) for line in out.splitlines())}


# Numbers without printf: the bare processor has no C library to speak of; qemu-user runs it as a Linux program.
MEMORY = r"""
#include <exray/exray.h>
#include <string.h>
#if defined(__arm__)
static void say(const char *text, unsigned size)
{
    register unsigned number __asm__("r7") = 4, file __asm__("r0") = 1;
    register const char *from __asm__("r1") = text;
    register unsigned count __asm__("r2") = size;
    __asm__ volatile("svc 0" : "+r"(file) : "r"(number), "r"(from), "r"(count) : "memory");
}
static void leave(void)
{
    register unsigned number __asm__("r7") = 1, status __asm__("r0") = 0;
    __asm__ volatile("svc 0" : : "r"(number), "r"(status));
}
#else
#include <unistd.h>
static void say(const char *text, unsigned size) { if (write(1, text, size) < 0) _exit(1); }
static void leave(void) { _exit(0); }
#endif
static void print(const char *name, size_t value)
{
    char digits[24];
    unsigned at = sizeof digits;
    digits[--at] = '\n';
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    say(name, strlen(name));
    say(" ", 1);
    say(digits + at, sizeof digits - at);
}
static size_t needed(exray_recorder_parts parts, exray_recorder_config config)
{
    config.size = sizeof config;
    config.parts = &parts;
    config.max_channels = 8;
    config.max_chunks = 16;
    config.chunk_size = 1;
    config.buffer_size = 1;
    return exray_recorder_memory_needed_device(&config);
}
static void all(void)
{
BODY    leave();
}
#if defined(__arm__)
void _start(void) { all(); }
#else
int main(void) { all(); }
#endif
"""


def plain(title):
    """A function's name, without its file and what the compiler adds to copies of it."""
    return re.sub(r"\.(constprop|isra|part|cold).*", "", title.split(":")[-1])


class Stacks:
    """The call graph of the objects in a folder, with each function's frame."""

    def __init__(self, folder):
        self.frame, self.calls, self.file = {}, defaultdict(set), {}
        for path in folder.glob("*.ci"):
            for line in path.read_text().splitlines():
                node = re.match(r'node: \{ title: "([^"]+)" label: "[^"]*?(\d+) bytes', line)
                edge = re.match(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', line)
                if node:
                    self.frame[node[1]] = int(node[2])
                    self.file[node[1]] = path.stem + ".c"
                elif edge:
                    self.calls[edge[1]].add(edge[2])
        self.by_name = defaultdict(list)
        for title in self.frame:
            self.by_name[plain(title)].append(title)

    def targets(self, title, linked):
        for target in self.calls[title]:
            if target == "__indirect_call":
                for where, functions in TARGETS:
                    if re.fullmatch(where, f"{self.file[title]}:{plain(title)}"):
                        yield from (t for n, ts in self.by_name.items() if n in linked and re.fullmatch(functions, n) for t in ts)
            elif target in self.frame:
                yield target

    def deepest(self, roots, linked):
        linked = {plain(n) for n in linked}
        graph = {}
        todo = [t for name in roots for t in self.by_name.get(name, [])]
        while todo:
            title = todo.pop()
            if title not in graph:
                graph[title] = set(self.targets(title, linked))
                todo += graph[title]
        depth = {}
        for part in components(graph):  # callees first
            below = max((depth[t] for title in part for t in graph[title] if t not in part), default=0)
            frames = [self.frame[t] for t in part]
            looped = len(part) > 1 or any(t in graph[t] for t in part)
            # Within a loop of encoders each level has one of them, and what calls it.
            encoders = [self.frame[t] for t in part if re.fullmatch(ENCODERS, plain(t))]
            own = NESTING * (max(encoders, default=0) + sum(frames) - sum(encoders)) if looped else frames[0]
            for title in part:
                depth[title] = own + below
        return max((depth[t] for name in roots for t in self.by_name.get(name, [])), default=0)


def components(graph):
    """Strongly connected sets, callees before their callers (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            part = [stack.pop()]
            while part[-1] != node:
                part.append(stack.pop())
            found.append(part)

    sys.setrecursionlimit(10000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


# Row: its config, beside the least of everything; the parts are those of ROWS.
MEMORY_ROWS = {
    "stream": ".stream = true, .capture = EXRAY_CAPTURE_IO",
    "stream + stats (small)": ".stream = true",
    "stream + stats + sketch (small)": ".stream = true, .capture = EXRAY_CAPTURE_SKETCH",
    "stream + chunks": ".capture = EXRAY_CAPTURE_IO",
    "stream + async": ".stream = true, .capture = EXRAY_CAPTURE_IO, .ring_size = 16 << 10",
    "stream + layers": ".stream = true, .capture = EXRAY_CAPTURE_IO",
}


def memory_lines():
    yield "state", "sizeof(exray_recorder)"
    for row, config in MEMORY_ROWS.items():
        parts = "".join(f", .{part.split('_')[0]} = exray_{part}()" for part in ROWS[row])
        yield row, f"needed((exray_recorder_parts){{.size = sizeof(exray_recorder_parts){parts}}}, (exray_recorder_config){{{config}}})"


def table(head, rows, markdown):
    widths = [max(len(str(r[i])) for r in [head, *rows]) for i in range(len(head))]
    for number, row in enumerate([head, *rows]):
        cells = [str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        print(("| " + " | ".join(cells) + " |") if markdown else "  ".join(cells).rstrip())
        if markdown and number == 0:
            print("|" + "|".join("-" * (w + 2) for w in widths) + "|")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tree", type=Path, default=ROOT)
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    sizes, memory, processors = {}, {}, []
    for name, (prefix, _, _) in PROCESSORS.items():
        if not shutil.which(f"{prefix}gcc"):
            print(f"size: no {prefix}gcc here; without {name} (scripts/bootstrap.sh size)", file=sys.stderr)
            continue
        processors.append(name)
        for optimize in ("-Os", "-O2"):
            with tempfile.TemporaryDirectory() as folder:
                build = Build(arguments.tree.resolve(), name, optimize, Path(folder))
                for row, extra in ROWS.items():
                    sizes[name, optimize, row] = build.row(extra)
                if "exray_recorder_memory_needed_device" in build.defined and optimize == "-Os":
                    memory[name] = build.memory(memory_lines())
    for name in processors:
        stream = sizes[name, "-Os", "stream"]
        print(f"\n{name}: bytes\n")
        rows = []
        for row in ROWS:
            both = [sizes[name, o, row] for o in ("-Os", "-O2")]
            if None in both:
                continue
            more = "" if row in ("stream", "everything") else f"{both[0][0] - stream[0]:+}"
            rows.append((row, both[0][0], more, both[1][0], both[0][1], both[0][2], both[0][3], both[1][3], memory.get(name, {}).get(row, "-")))
        table(("", "text -Os", "", "text -O2", "helpers", "data", "stack -Os", "stack -O2", "memory"), rows, arguments.markdown)
        print(f"\nthe recorder's state: {memory.get(name, {}).get('state', '-')}")
    over = [
        f"size: {row} takes {sizes[name, '-Os', row][0]:,} bytes on {name}, more than {limit:,}"
        for (name, row), limit in LIMITS.items()
        if (name, "-Os", row) in sizes and sizes[name, "-Os", row][0] > limit
    ]
    print("\n".join(over), file=sys.stderr, end="\n" if over else "")
    return bool(over)


if __name__ == "__main__":
    sys.exit(main())
