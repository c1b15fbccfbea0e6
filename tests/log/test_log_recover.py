"""Broken logs: what exray still reads of them, and that `exray recover` makes logs
of them that PyPI's mcap reads without error, checksums checked."""

import io
import json
import random
import re
import subprocess

import numpy as np
import pytest
from log_writer import CompressionType, Log
from mcap.reader import NonSeekingReader, SeekingReader
from mcap.records import Chunk, DataEnd, Message
from mcap.stream_reader import StreamReader
from small_log import EXRAY, WRITERS, arrays, assert_equal, info, run, write_small


def read_all(data):
    """(topic, log_time, bytes) of every message, by both of mcap's readers."""
    seeking = SeekingReader(io.BytesIO(data), validate_crcs=True)
    by_index = [(c.topic, m.log_time, m.data) for _, c, m in seeking.iter_messages(log_time_order=False)]
    summary = seeking.get_summary()
    attachments = list(seeking.iter_attachments())
    metadata = list(seeking.iter_metadata())
    by_walk = [(c.topic, m.log_time, m.data)
               for _, c, m in NonSeekingReader(io.BytesIO(data), validate_crcs=True).iter_messages(log_time_order=False)]
    assert sorted(by_index) == sorted(by_walk)
    assert summary.statistics.message_count == len(by_walk)
    assert summary.statistics.chunk_count == len(summary.chunk_indexes)
    assert summary.statistics.attachment_count == len(attachments) == len(summary.attachment_indexes)
    assert summary.statistics.metadata_count == len(metadata) == len(summary.metadata_indexes)
    assert sum(summary.statistics.channel_message_counts.values()) == len(by_walk)
    if by_walk:
        assert summary.statistics.message_start_time == min(t for _, t, _ in by_walk)
        assert summary.statistics.message_end_time == max(t for _, t, _ in by_walk)
    # The message indexes lead to every message.
    assert sum(1 for _ in seeking.iter_messages(starting_at=0, ending_at=2**64)) == len(by_walk)
    return by_walk, attachments, metadata


def recover(path, good):
    said = run("recover", path, "-o", good)
    return said, *read_all(good.read_bytes())


@pytest.mark.parametrize("options", WRITERS.values(), ids=WRITERS.keys())
def test_whole_log_stays_the_same(tmp_path, options):
    path, good = tmp_path / "log.mcap", tmp_path / "good.mcap"
    expected = write_small(path, **options)
    before = read_all(path.read_bytes()) if "repeat_channels" not in options and "use_statistics" not in options else None
    said, *after = recover(path, good)
    assert "lost    0 bytes" in said and "frames  3 whole" in said
    if before:
        assert before == tuple(after)
    assert_equal(arrays(tmp_path, good), expected)


@pytest.mark.parametrize("options", WRITERS.values(), ids=WRITERS.keys())
def test_cut_short_anywhere(tmp_path, options):
    """Of every beginning of a log: all that is whole, nothing else, no crash."""
    path, cut, good = tmp_path / "log.mcap", tmp_path / "cut.mcap", tmp_path / "good.mcap"
    write_small(path, **options)
    data = path.read_bytes()
    whole, _, _ = recover(path, good)[1:]
    before = -1
    for size in sorted(random.Random(1).sample(range(60, len(data)), 60)) + [len(data) - 1]:
        cut.write_bytes(data[:size])
        said, found, _, _ = recover(cut, good)
        assert found == whole[:len(found)] and len(found) >= before
        before = len(found)
        # exray reads the same of the broken log as of the mended one.
        a, b = info(cut), info(good)
        assert a["truncated"] and not b["truncated"] and a["frames"] == b["frames"] and a["records"] == b["records"]
        assert "damaged" not in a["truncated"] and b["damaged"] == 0
        assert "byte" in said
    assert before == len(whole)


def first_message_chunk(data):
    """Offset of the first chunk's records, and the chunk."""
    reader = StreamReader(io.BytesIO(data), emit_chunks=True)
    for record in reader.records:
        if isinstance(record, Chunk):
            return data.index(record.data), record
    raise AssertionError("no chunk")


@pytest.mark.parametrize("name", ["small chunks", "lz4", "zstd"])
def test_damaged_chunk_is_passed_over(tmp_path, name):
    """Of many chunks one is damaged: it alone is lost, and said to be."""
    path, good, log = tmp_path / "log.mcap", tmp_path / "good.mcap", None
    options = dict(WRITERS[name], chunk_size=64)
    write_small(path, **options)
    data = bytearray(path.read_bytes())
    whole, _, _ = read_all(bytes(data))
    chunks = [r for r in StreamReader(io.BytesIO(bytes(data)), emit_chunks=True).records if isinstance(r, Chunk)]
    target = chunks[len(chunks) // 2]
    at = bytes(data).index(target.data)
    data[at + len(target.data) // 2] ^= 0x10
    path.write_bytes(data)
    said, found, _, _ = recover(path, good)
    lost = [m for m in whole if m not in found]
    assert 1 <= len(lost) <= 2 and len(found) == len(whole) - len(lost)
    assert "1 damaged place\n" in said or "1 damaged place;" in said
    text = run("info", path, "--check", status=1)
    assert "1 damaged" in text and "state      whole" not in text
    result = json.loads(run("info", path, "--check", "--json", "-", status=1))
    assert result["damaged"] == 1


def test_it_saves_no_more_than_there_is(tmp_path):
    """A compressed chunk is taken apart, as the chunk that introduces its channels is damaged: what its records take is
    counted in bytes of the file, of which there are fewer."""
    path, good = tmp_path / "log.mcap", tmp_path / "good.mcap"
    log = Log(path, chunk_size=100_000, compression=CompressionType.ZSTD)
    log.tensor("/input/x", np.zeros(30_000, np.float32))
    for _ in range(2):  # a chunk with messages of a channel that will be unknown, and of one that it introduces
        log.tensor("/input/x", np.zeros(10, np.float32))
        log.tensor("/input/y", np.zeros(30_000, np.float32))
    log.finish()
    data = bytearray(path.read_bytes())
    at, chunk = first_message_chunk(bytes(data))
    data[at + len(chunk.data) // 2] ^= 0xFF
    path.write_bytes(data[:bytes(data).index(b"\x0f\x04\0\0\0\0\0\0\0")])
    said = run("recover", path, "-o", good)
    factor = {"bytes": 1, "kB": 1e3, "MB": 1e6}
    saved, total = (float(n) * factor[unit] for n, unit in re.findall(r"([\d.]+) (bytes|[kM]B)", said.split("\n")[1]))
    assert 0 < saved <= total, said


def test_channel_of_a_damaged_chunk(tmp_path):
    """The chunk that introduces a channel is lost: the summary still knows it."""
    path, good = tmp_path / "log.mcap", tmp_path / "good.mcap"
    log = Log(path, chunk_size=1)
    for f in range(5):
        log.tensor("/input/x", np.full(3, f, np.float32), frame=f)
    log.finish()
    data = bytearray(path.read_bytes())
    at, chunk = first_message_chunk(bytes(data))
    data[at + 5] ^= 1
    path.write_bytes(data)
    _, found, _, _ = recover(path, good)
    assert [t for t, _, _ in found] == ["/input/x"] * 4
    assert_equal(arrays(tmp_path, path), {f"frame-{f:06d}": {"input/x": np.full(3, f, np.float32)} for f in range(1, 5)})
    # Without a summary nothing says what the later messages are.
    end = bytes(data).index(b"\x0f\x04\0\0\0\0\0\0\0")
    path.write_bytes(data[:end])
    _, found, _, _ = recover(path, good)
    assert found == [] and info(path)["damaged"] >= 4


def test_damaged_length(tmp_path):
    """A length that leads astray: the summary says where to go on."""
    path, good = tmp_path / "log.mcap", tmp_path / "good.mcap"
    write_small(path, frames=6, chunk_size=64)
    data = path.read_bytes()
    whole, _, _ = read_all(data)
    chunks = [data.index(r.data) for r in StreamReader(io.BytesIO(data), emit_chunks=True).records if isinstance(r, Chunk)]
    # The record header of the third last chunk: 9 bytes, then 40 up to its records.
    start = chunks[-3] - 49
    assert data[start] == 6
    for value in (2**63, 2**40, 3, 500):
        broken = bytearray(data)
        broken[start + 1:start + 9] = value.to_bytes(8, "little")
        path.write_bytes(broken)
        _, found, _, _ = recover(path, good)
        assert len(whole) - 3 <= len(found) and set(found) <= set(whole) and len(set(found)) == len(found)
        assert info(path)["damaged"] >= 1


def test_zeros_at_the_end(tmp_path):
    """As file systems leave them after power loss."""
    path, good = tmp_path / "log.mcap", tmp_path / "good.mcap"
    expected = write_small(path, use_chunking=False)
    data = path.read_bytes()
    end = data.index(b"\x0f\x04\0\0\0\0\0\0\0")
    path.write_bytes(data[:end] + bytes(5000))
    said, found, _, _ = recover(path, good)
    assert "zeros" in said and len(found) == 23
    assert_equal(arrays(tmp_path, good), expected)


def test_frame_that_died_stays_visible(tmp_path):
    """Its records are saved, its /frame message is not invented."""
    path, good = tmp_path / "log.mcap", tmp_path / "good.mcap"
    log = Log(path, use_chunking=False)
    log.tensor("/input/x", np.zeros(3, np.float32), frame=0)
    log.frame(0, 1000)
    log.tensor("/input/x", np.ones(3, np.float32), frame=1)
    log.writer.flush()
    size = path.stat().st_size
    log.tensor("/input/x", np.ones(3, np.float32), frame=2)
    log.finish()
    path.write_bytes(path.read_bytes()[:size + 20])
    said, found, _, _ = recover(path, good)
    assert [t for t, _, _ in found] == ["/input/x", "/frame", "/input/x"]
    assert "frames  1 whole, 1 without an end" in said


def test_not_onto_itself(tmp_path):
    path = tmp_path / "log.mcap"
    write_small(path)
    before = path.read_bytes()
    (tmp_path / "link.mcap").symlink_to(path)
    for target in (path, tmp_path / "link.mcap"):
        assert "onto itself" in run("recover", path, "-o", target, status=2)
    assert path.read_bytes() == before


def test_to_standard_output(tmp_path):
    path, good = tmp_path / "log.mcap", tmp_path / "good.mcap"
    write_small(path)
    result = subprocess.run([EXRAY, "recover", path, "-o", "-"], capture_output=True)
    run("recover", path, "-o", good)
    assert result.returncode == 0 and result.stdout == good.read_bytes() and b"saved" in result.stderr


def test_large_messages_of_a_stream_become_chunks_of_their_own(tmp_path):
    path, good = tmp_path / "log.mcap", tmp_path / "good.mcap"
    log = Log(path, use_chunking=False)
    big = np.arange(300000, dtype=np.float32)
    for f in range(2):
        log.tensor("/layer/0", big, frame=f)
        for i in range(40):
            log.tensor(f"/layer/{i + 1}", big[:9000], frame=f)
        log.frame(f, 0)
    log.finish()
    _, found, _, _ = recover(path, good)
    assert len(found) == 2 * 42
    chunks = [r for r in StreamReader(io.BytesIO(good.read_bytes()), emit_chunks=True).records if isinstance(r, Chunk)]
    assert sorted(c.uncompressed_size for c in chunks)[-1] < 1300000 and 4 <= len(chunks) <= 8


def test_random_damage(tmp_path):
    """Bits flipped anywhere: always an answer, and what comes out is sound."""
    path, good = tmp_path / "log.mcap", tmp_path / "good.mcap"
    for name, options in WRITERS.items():
        write_small(path, **options)
        data = path.read_bytes()
        rng = random.Random(name)
        for _ in range(15):
            broken = bytearray(data)
            for _ in range(rng.choice([1, 1, 3, 20])):
                broken[rng.randrange(100, len(data))] ^= 1 << rng.randrange(8)
            path.write_bytes(broken)
            result = subprocess.run([EXRAY, "recover", path, "-o", good], capture_output=True, text=True, timeout=20)
            assert result.returncode in (0, 2), result.stderr
            if result.returncode == 0:
                try:
                    read_all(good.read_bytes())
                except UnicodeDecodeError:
                    pass  # a name without a checksum: copied as it is, as all else
