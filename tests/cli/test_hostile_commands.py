"""Every command of the program, built with sanitizers, on logs, packets and results that do harm if anything does:
it ends by itself, with a status of its own, and no sanitizer says a word.

A sample runs; EXRAY_HOSTILE=all runs each command on each of them (a quarter of an hour)."""

import json
import os
import struct
import subprocess
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hostile_fields
import hostile_logs
import pytest
from log_writer import PB, ROOT
from small_log import write_small

EXRAY = Path(os.environ.get("EXRAY_ASAN_DIR", "/nonexistent")) / "exray"
ALL = os.environ.get("EXRAY_HOSTILE") == "all"
SAMPLE, TURNS = 8, 4  # one log of so many, one command of so many
LIMIT_S = 120  # of a command, on a busy machine
KNOWN = ROOT.parent / "shared" / "hostile"  # logs that did harm, where there are any

pytestmark = pytest.mark.skipif(not EXRAY.exists(), reason="no build with sanitizers (EXRAY_ASAN_DIR)")


def commands(bad, good, out):
    yield "info", bad, "--check", "--json", out / "info.json"
    yield "info", bad
    yield "validate", bad, good, "--json", out / "v.json", "--html", out / "v.html", "--junit", out / "v.xml"
    yield "validate", good, bad
    yield "validate", bad, bad
    yield "export", bad, "--npz", out / "npz", "--dequantize"
    yield "export", bad, "--csv", out / "csv"
    yield "export", bad, "--trace", out / "trace"
    yield "export", bad, "--model-explorer", out / "overlay", "--reference", good
    yield "export", good, "--model-explorer", out / "overlay2", "--reference", bad
    yield "export", bad, "--foxglove", out / "foxglove.mcap"
    yield "recover", bad, "-o", out / "recovered.mcap"
    yield "recover", good, "--flight", bad, "-o", out / "flight.mcap"
    yield "scrub", bad, "-o", out / "scrubbed.mcap", "--stats", "/layer/*,/input/*,/sensor/*", "--drop", "/frame/source"
    yield "receive", bad, "-o", out / "received.mcap"
    yield "replay", bad, "--model", "none.onnx", "--pipeline", "none.yaml", "-o", out / "replayed.mcap"
    yield "diff", bad, bad


def problem(command):
    """What is wrong with how a command ends; None: nothing."""
    environment = {**os.environ, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=98"}
    options = os.environ.get("ASAN_OPTIONS", "detect_leaks=1:allocator_may_return_null=1")
    environment["ASAN_OPTIONS"] = options + ":exitcode=99"
    environment.setdefault("LSAN_OPTIONS", f"suppressions={ROOT / 'tests' / 'lsan.supp'}:print_suppressions=0")
    try:
        ran = subprocess.run([str(EXRAY), *map(str, command)], capture_output=True, timeout=LIMIT_S, env=environment)
    except subprocess.TimeoutExpired:
        return f"{command}: longer than {LIMIT_S} s"
    said = ran.stderr.decode("utf-8", "replace")
    if ran.returncode in range(4) and "Sanitizer" not in said and "runtime error" not in said:
        return None
    return f"{command}: status {ran.returncode}\n{said[-3000:]}"


def try_all(tmp_path, logs, every):
    """Each command on each log, or in turn one of TURNS of them."""
    good = hostile_fields.write(tmp_path / "good.mcap", hostile_fields.messages())

    def one(numbered):
        number, (name, content) = numbered
        out = tmp_path / name
        out.mkdir()
        bad = out / "bad.mcap"
        bad.write_bytes(content) if isinstance(content, bytes) else hostile_fields.write(bad, content)
        mine = [c for i, c in enumerate(commands(bad, good, out)) if every or i % TURNS == number % TURNS]
        return [p for p in map(problem, mine) if p]

    with ThreadPoolExecutor(2) as pool:
        found = [p for problems in pool.map(one, enumerate(logs)) for p in problems]
    assert not found, "\n".join(found)


def sample(logs):
    return [log for i, log in enumerate(logs) if ALL or i % SAMPLE == 0]


def test_a_sound_log_is_one(tmp_path):
    """What the hostile ones are made from: it is read, and compared with itself."""
    good = hostile_fields.write(tmp_path / "good.mcap", hostile_fields.messages())
    said = subprocess.run([EXRAY, "info", good, "--json", "-"], capture_output=True, text=True, check=True).stdout
    told = json.loads(said)
    assert told["frames"]["count"] == 3 and not told["damaged"] and not told["truncated"] and not told["unknown"], told


def test_fields_at_their_extremes(tmp_path):
    try_all(tmp_path, sample(hostile_fields.logs()), ALL)


def test_nested_and_contradicting(tmp_path):
    try_all(tmp_path, list(hostile_fields.special()), ALL)


def test_structures(tmp_path):
    try_all(tmp_path, sample(hostile_fields.structures()), ALL)


def test_damaged(tmp_path):
    """The smallest ones, and a log cut, with a length flipped, with holes."""
    write_small(tmp_path / "small.mcap")
    whole = (tmp_path / "small.mcap").read_bytes()
    logs = [("tiny", hostile_logs.tiny()), ("leaking", hostile_logs.leaking()), ("empty", b""), ("magic", whole[:8]),
            *((f"cut-{n}", whole[:len(whole) * n // 7]) for n in range(1, 7)),
            *((f"hole-{n}", whole[:n * 900] + bytes(700) + whole[n * 900 + 700:]) for n in range(1, 5)),
            *((f"header-{n}", data) for n, data in enumerate(hostile_logs.header_flips(whole)) if n % 16 == 0)]
    try_all(tmp_path, logs, ALL)


@pytest.mark.skipif(not KNOWN.exists(), reason="no logs that did harm are beside the checkout")
def test_those_that_did_harm(tmp_path):
    try_all(tmp_path, [(p.stem, p.read_bytes()) for p in sorted(KNOWN.glob("*.mcap"))], True)


# ---- What other commands read -------------------------------------------------------------------

def cobs(data):
    out, block = bytearray(), bytearray()
    for byte in data:
        if byte:
            block.append(byte)
        if byte == 0 or len(block) == 254:
            out += bytes([len(block) + 1]) + block
            block = bytearray()
    return b"\0" + bytes(out + bytes([len(block) + 1]) + block) + b"\0"


def packet(number, offset, payload, stream=1, first=0x10):
    data = struct.pack("<BHII", first, stream, number, offset) + payload
    return cobs(data + struct.pack("<I", zlib.crc32(data)))


def links():
    """(name, what comes over a link): packets whose checksums are right."""
    begin = packet(0, 0, b"\x89MCAP0\r\n")
    channel = hostile_fields.channel(1, b"/frame")
    message = hostile_fields.message(1, PB["Frame"](index=1, begin_ns=1, end_ns=2).SerializeToString())
    sound = begin + packet(1, 0, channel) + packet(2, 0, message)
    for n, length in enumerate(hostile_fields.HUGE):
        for opcode in (3, 4, 5, 6, 9, 12):
            yield f"length-{n}-{opcode}", sound + packet(3, 0, hostile_fields.record(opcode, b"\x01" * 40, length)) + sound
        number = length & 0xFFFFFFFF
        yield f"number-{n}", sound + packet(number, 0, message) + packet(number, 5, message) + packet(3, number, message) + sound
    yield "repeats", sound + b"".join(packet(i, 0, channel, first=0x11) for i in range(2000, 0, -1))
    yield "streams", b"".join(packet(0, 0, b"\x89MCAP0\r\n", stream=i) + packet(1, 0, channel, stream=i) for i in range(20))
    yield "waiting", begin + b"".join(packet(i, 0, hostile_fields.message(7, b"\x08\x01")) for i in range(1, 4000))
    yield "gaps", sound + b"".join(packet(3 * i, 0, message) for i in range(1, 3000))
    yield "one packet", cobs(bytes(1 << 20)) + cobs(b"\x01" * (1 << 21))
    yield "zeros", bytes(100000)
    yield "ones", b"\xff" * 100000


def test_links(tmp_path):
    found = []
    for i, (name, data) in enumerate(links()):
        if ALL or i % 3 == 0 or "-" not in name:
            (tmp_path / "link").write_bytes(data)
            out = tmp_path / f"received-{i}.mcap"
            found += [problem(("receive", tmp_path / "link", "-o", out)), problem(("info", out, "--check"))]
    assert not any(found), "\n".join(filter(None, found))


def results():
    """(name, bytes) of what is no result of `validate --json`, though it begins like one."""
    good = '{"format": "exray-validation", "version": 1, "verdict": "PASS", "findings": %s, "layers": %s, "unjudged": [], "measures": %s}'
    for name, value in (("deep", "[" * 200000), ("deep-closed", "[" * 5000 + "]" * 5000), ("objects", '{"a":' * 100000), ("numbers", "[1e999999,-1e999999,1e-999999]"),
                        ("text", '["\\ud800\\udfff\\u0000", "%s"]' % ("x" * 100000)), ("null", "null"), ("kinds", '[1, "a", null, [], {}, {"cause": 5, "where": []}]'),
                        ("findings", '[{"cause": "x", "severity": "error", "confidence": 1e308, "where": {"layer": -5}}]'),
                        ("open", '[{"cause": "'), ("escape", '["\\')):
        for at in range(3):
            yield f"{name}-{at}", (good % tuple(value if i == at else "[]" for i in range(3))).encode()
    yield "twice", b'{"format": "exray-validation", "format": [], "version": "1", "version": 1e30}'
    yield "bytes", b'{"format": "exray-validation", "version": 1, "verdict": "\xff\xfe\0"}'


def test_results(tmp_path):
    (tmp_path / "good.json").write_text('{"format": "exray-validation", "version": 1, "verdict": "PASS", "findings": [], "layers": []}')
    found = []
    for i, (name, data) in enumerate(results()):
        if ALL or i % 2 == 0:
            bad = tmp_path / "bad.json"
            bad.write_bytes(data)
            found += [problem(("diff", bad, tmp_path / "good.json", "--json", "-")), problem(("diff", tmp_path / "good.json", bad, "--html", tmp_path / "d.html"))]
    assert not any(found), "\n".join(filter(None, found))
