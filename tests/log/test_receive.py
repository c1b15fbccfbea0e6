"""`exray receive`: what a device sent over a link that loses bytes.  The packets are checked against the
specification by a decoder of the test's own and zlib's CRC; the logs are read by PyPI's mcap."""

import io
import os
import pty
import random
import signal
import subprocess
import time
import zlib

import pytest
from log_writer import PB
from mcap.reader import NonSeekingReader, SeekingReader
from small_log import EXRAY, info, run

TOOL = EXRAY.parent / "tests" / "link_tool"
HEADER, CRC = 11, 4


def send(tmp_path, **options):
    """(bytes on the link, the same log as it is)"""
    sent, plain = tmp_path / "sent", tmp_path / "plain.mcap"
    said = subprocess.run([TOOL, sent, plain, *(f"{k}={v}" for k, v in options.items())], check=True,
                          capture_output=True, text=True).stdout
    return sent.read_bytes(), plain.read_bytes(), said


def uncobs(data):
    out, at = bytearray(), 0
    while at < len(data):
        code = data[at]
        out += data[at + 1:at + code]
        assert code and at + code <= len(data) and 0 not in data[at + 1:at + code]
        at += code
        if code < 255 and at < len(data):
            out.append(0)
    return bytes(out)


def packets(sent):
    """[(repeat, stream, record, offset, payload, first byte on the link)]"""
    found, at = [], 0
    for piece in sent.split(b"\0"):
        if piece:
            packet = uncobs(piece)
            assert int.from_bytes(packet[-CRC:], "little") == zlib.crc32(packet[:-CRC])
            assert packet[0] & 0xF0 == 0x10 and packet[0] & 0x0E == 0
            found.append((packet[0] & 1, *(int.from_bytes(packet[a:b], "little") for a, b in ((1, 3), (3, 7), (7, 11))),
                          packet[HEADER:-CRC], at))
        at += len(piece) + 1
    return found


def receive(tmp_path, data, status=0, name="out.mcap"):
    link, out = tmp_path / "link", tmp_path / name
    link.write_bytes(data)
    result = subprocess.run([EXRAY, "receive", link, "-o", out], capture_output=True, text=True, timeout=60)
    assert result.returncode == status, result.stderr
    return out, result.stderr


def messages(data, ended=True):
    """[(topic, log_time, bytes)]; events of our own apart."""
    reader = (SeekingReader if ended else NonSeekingReader)(io.BytesIO(data), validate_crcs=True)
    all_of = [(c.topic, m.log_time, m.data) for _, c, m in reader.iter_messages(log_time_order=False)]
    return [m for m in all_of if m[0] != "/event"], [PB["Event"].FromString(m[2]) for m in all_of if m[0] == "/event"]


def of_stream(plain):
    return messages(plain, ended=False)[0]


@pytest.mark.parametrize("size", [64, 100, 512, 4096])
def test_packets_are_as_specified(tmp_path, size):
    sent, plain, _ = send(tmp_path, packet_size=size)
    assert all(len(p) + 2 <= size for p in sent.split(b"\0"))
    found = packets(sent)
    once = [p for p in found if not p[0]]
    assert b"".join(p[4] for p in once) == plain
    position = {}
    for _, stream, record, offset, payload, _ in once:
        assert stream == 1 and offset == position.get(record, 0)
        position[record] = offset + len(payload)
    assert list(position) == list(range(len(position)))  # one record each, and none without a number
    for _, _, record, offset, payload, _ in (p for p in found if p[0]):
        whole = b"".join(p[4] for p in once if p[2] == record)
        assert whole[offset:offset + len(payload)] == payload


def test_all_that_was_sent(tmp_path):
    sent, plain, _ = send(tmp_path)
    out, said = receive(tmp_path, sent)
    got, events = messages(out.read_bytes())
    assert got == of_stream(plain) and not events and "lost 0 records\n" in said
    reader = SeekingReader(io.BytesIO(out.read_bytes()), validate_crcs=True)
    assert [(a.name, a.data) for a in reader.iter_attachments()] == [("labels.txt", b"zero\none\n")]
    assert info(out)["metadata"]["exray.link"]["lost_records"] == "0"
    assert info(out)["metadata"]["exray"]["role"] == "edge"


def test_64_lost_bytes_cost_one_record(tmp_path):
    sent, plain, _ = send(tmp_path, frames=30, packet_size=600)
    before, rng = of_stream(plain), random.Random(1)
    lost_of = []
    for _ in range(40):
        at = rng.randrange(len(sent) - 64)
        out, said = receive(tmp_path, sent[:at] + sent[at + 64:])
        out.rename(tmp_path / "last.mcap")
        got, events = messages((tmp_path / "last.mcap").read_bytes())
        assert set(got) <= set(before)
        told = int(said.split("; lost ")[1].split()[0])
        missing = len(before) - len(got)
        assert missing <= told <= missing + 1  # the header, or the end: records that are no messages
        assert told <= sum(e.records_lost for e in events) <= told + 1  # what a repeat brought back later
        lost_of.append(told)
    # 2 and 3: where the hole lies across two of them, and a short Check record between.
    assert max(lost_of) <= 3 and sum(lost_of) <= 60


def test_changed_bytes_are_never_believed(tmp_path):
    sent, plain, _ = send(tmp_path, frames=6, packet_size=200)
    before, rng = set(of_stream(plain)), random.Random(2)
    for _ in range(40):
        broken = bytearray(sent)
        for _ in range(rng.choice([1, 5, 50])):
            broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        out, _ = receive(tmp_path, bytes(broken))
        assert set(messages(out.read_bytes())[0]) <= before
        out.unlink()


def test_what_describes_the_rest_comes_again(tmp_path):
    sent, plain, said = send(tmp_path, frames=30, every=4)
    assert said == "0 lost, 0 unrepeated\n"
    before = of_stream(plain)
    first = [p for p in packets(sent) if not p[0] and p[3] == 0]
    needed = [p for p in first if p[4][:1] in (b"\x03", b"\x04", b"\x09", b"\x0c")] + \
        [p for p in first if p[4][:1] == b"\x05" and b"FULLY_CONNECTED" in p[4]]
    assert len(needed) > 8
    for packet in needed:
        at = packet[5]
        end = sent.index(b"\0", at)
        out, said = receive(tmp_path, sent[:at] + sent[end:])
        assert "lost 0 records" in said and sorted(messages(out.read_bytes())[0]) == sorted(before)
        assert len(list(SeekingReader(io.BytesIO(out.read_bytes())).iter_attachments())) == 1
        out.unlink()


def test_a_receiver_that_comes_late(tmp_path):
    sent, plain, _ = send(tmp_path, frames=60, every=2)
    late = len(sent) // 3
    out, said = receive(tmp_path, sent[late:])
    got, _ = messages(out.read_bytes())
    before = of_stream(plain)
    assert len(got) > 0.6 * len(before) and set(got) <= set(before)
    assert info(out)["model"]["name"] == "dense"
    assert int(info(out)["metadata"]["exray.link"]["records_before"]) > 40


def test_noise_before_and_between(tmp_path):
    sent, plain, _ = send(tmp_path, frames=3)
    rng = random.Random(3)
    noise = bytes(rng.randrange(256) for _ in range(5000))
    out, _ = receive(tmp_path, noise + b"\0" + sent + noise)
    assert messages(out.read_bytes())[0] == of_stream(plain)


def test_a_device_that_begins_anew(tmp_path):
    one, plain, _ = send(tmp_path, frames=3)
    two, plain2, _ = send(tmp_path, frames=5, stream=2)
    out, said = receive(tmp_path, one[:-900] + two)
    assert "out-2.mcap" in said
    assert set(messages(out.read_bytes())[0]) < set(of_stream(plain))
    assert messages((tmp_path / "out-2.mcap").read_bytes())[0] == of_stream(plain2)
    # Nor is a log overwritten that is there.
    before = out.read_bytes()
    receive(tmp_path, one)
    assert out.read_bytes() == before and messages((tmp_path / "out-3.mcap").read_bytes())[0] == of_stream(plain)


def test_nothing_of_ours(tmp_path):
    out, said = receive(tmp_path, b"hello\0" * 100, status=2)
    assert "no packet of a log came" in said and said.count("\n") == 1 and not out.exists()
    assert "cannot open" in run("receive", tmp_path / "missing", "-o", out, status=2)
    assert "is no serial line" in run("receive", tmp_path / "link", "-o", out, "--baud", 9600, status=2)


def test_ended_by_hand_and_killed(tmp_path):
    for how in (signal.SIGINT, signal.SIGKILL):
        fifo, out = tmp_path / "fifo", tmp_path / f"{how.name}.mcap"
        os.mkfifo(fifo)
        receiver = subprocess.Popen([EXRAY, "receive", fifo, "-o", out], stderr=subprocess.PIPE, text=True,
                                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        sender = subprocess.Popen([TOOL, fifo, tmp_path / "plain.mcap", "frames=100", "pause_ms=50"], stdout=subprocess.PIPE)
        time.sleep(2.6)
        receiver.send_signal(how)
        said = receiver.communicate(timeout=20)[1]
        sender.kill()
        sender.communicate()
        frames = info(out)["frames"]
        if how == signal.SIGINT:
            assert receiver.returncode == 0 and "messages received" in said
            assert messages(out.read_bytes())[0]
        assert len(frames) if isinstance(frames, list) else frames, frames
        fifo.unlink()


def test_a_serial_line(tmp_path):
    """A pseudo-terminal changes bytes (0x03 is Ctrl-C, 0x0D becomes 0x0A) unless it is set up."""
    sent, plain, _ = send(tmp_path, frames=4)
    ours, theirs = pty.openpty()
    out = tmp_path / "out.mcap"
    receiver = subprocess.Popen([EXRAY, "receive", os.ttyname(theirs), "--baud", "115200", "-o", out], stderr=subprocess.PIPE,
                                text=True)
    time.sleep(0.5)
    for at in range(0, len(sent), 256):
        os.write(ours, sent[at:at + 256])
    time.sleep(0.5)
    receiver.send_signal(signal.SIGTERM)
    receiver.communicate(timeout=20)
    os.close(ours)
    os.close(theirs)
    assert receiver.returncode == 0
    assert messages(out.read_bytes())[0] == of_stream(plain)


def test_standard_input_and_output(tmp_path):
    sent, plain, _ = send(tmp_path, frames=4)
    result = subprocess.run([EXRAY, "receive", "-", "-o", "-"], input=sent, capture_output=True, timeout=20)
    assert result.returncode == 0 and messages(result.stdout)[0] == of_stream(plain)
    other, _, _ = send(tmp_path, frames=1, stream=9)
    result = subprocess.run([EXRAY, "receive", "-", "-o", "-"], input=sent + other, capture_output=True, timeout=20)
    assert result.returncode == 2 and b"room for one" in result.stderr
