"""Logs as other people's readers see them: PyPI mcap and npm @mcap/core."""

import json
import math
import os
import pathlib
import shutil
import struct
import subprocess
import zlib

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from mcap.records import Schema
from mcap.reader import NonSeekingReader, SeekingReader, make_reader
from mcap.stream_reader import StreamReader
from mcap_protobuf.decoder import DecoderFactory

import everything
from node_support import run_node

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("EXRAY_BUILD_DIR", ROOT / "build"))
WRITER = BUILD / "tests" / "write_everything"

pytestmark = [
    pytest.mark.skipif(not WRITER.exists(), reason=f"{WRITER} is not built: run make first"),
    pytest.mark.skipif(not shutil.which("protoc"), reason="protoc is needed to say what is expected"),
]


@pytest.fixture(scope="module", params=everything.MODES)
def log(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / f"{request.param}.mcap"
    subprocess.run([WRITER, path, request.param], check=True)
    return request.param, path


def decode(reader):
    """[(channel, message, protobuf)] in the order of the file, through the log's own schemas."""
    return [(channel, message, decoded) for _, channel, message, decoded in reader.iter_decoded_messages(log_time_order=False)]


def plain(message, run_knows=()):
    """A dict of every set field, without those named."""
    fields = MessageToDict(message, preserving_proto_field_name=True)
    return {name: value for name, value in fields.items() if name not in run_knows}


def same_stats(actual, wanted):
    """Counts and extrema are exact; sums may be added in any order."""
    for name in ("count", "nan_count", "inf_count", "zero_count", "low_count", "high_count"):
        assert getattr(actual, name) == getattr(wanted, name), name
    for name in ("min", "max", "mean", "variance"):
        a, b = getattr(actual, name), getattr(wanted, name)
        assert (math.isnan(a) and math.isnan(b)) or a == pytest.approx(b, rel=1e-12, abs=1e-300), name


RUN_KNOWS = {
    "/frame": ("begin_ns", "end_ns"),
    "/system": ("rss_bytes", "peak_rss_bytes", "cpu_celsius", "cpu_mhz"),
}


def compare(messages, mode):
    wanted = everything.expected(mode)
    assert [channel.topic for channel, _, _ in messages] == [topic for topic, _ in wanted]
    for (channel, _, actual), (topic, message) in zip(messages, wanted):
        ignored = RUN_KNOWS.get(topic, ())
        if topic in ("/layers", "/constants"):
            assert len(actual.stats) == len(message.stats)
            for a, b in zip(actual.stats, message.stats):
                same_stats(a, b)
            ignored = ("stats",)
        elif topic.startswith(("/layer", "/sensor", "/input", "/constant")):
            assert actual.HasField("stats") == message.HasField("stats"), topic
            same_stats(actual.stats, message.stats)
            ignored = ("stats",)
        assert plain(actual, ignored) == plain(message, ignored), topic


def test_every_field(log):
    mode, path = log
    with path.open("rb") as file:
        compare(decode(make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])), mode)


def test_without_the_index(log):
    mode, path = log
    with path.open("rb") as file:
        messages = decode(NonSeekingReader(file, validate_crcs=True, decoder_factories=[DecoderFactory()]))
    messages.sort(key=lambda entry: entry[1].log_time)  # stable: the order of writing
    compare(messages, mode)


def test_times_and_sequences(log):
    mode, path = log
    with path.open("rb") as file:
        messages = decode(NonSeekingReader(file, decoder_factories=[DecoderFactory()]))
    frames = {m.index: m for channel, _, m in messages if channel.topic == "/frame"}
    assert sorted(frames) == [0, 1, 2]
    ends = 0
    for index in sorted(frames):
        assert ends <= frames[index].begin_ns <= frames[index].end_ns
        ends = frames[index].end_ns
    sequences = {}
    for channel, message, decoded in messages:
        assert message.sequence == sequences.get(channel.topic, 0)
        sequences[channel.topic] = message.sequence + 1
        assert message.publish_time == message.log_time
        if channel.topic.startswith(("/model", "/constant")):
            assert message.log_time <= frames[0].begin_ns
            continue
        frame = frames[decoded.index if channel.topic == "/frame" else decoded.frame]
        assert frame.begin_ns <= message.log_time <= frame.end_ns, channel.topic
    if mode in everything.DEVICE:
        return
    system = [m for channel, _, m in messages if channel.topic == "/system"]
    assert all(0 < m.rss_bytes <= m.peak_rss_bytes * 1.1 for m in system)


def test_schemas_and_channels(log):
    mode, path = log
    named = {} if mode in everything.DEVICE else everything.CHANNEL_METADATA
    seen = {}
    with path.open("rb") as file:
        for schema, channel, _ in NonSeekingReader(file).iter_messages():
            seen[channel.topic] = (schema, channel)
    assert seen
    for topic, (schema, channel) in seen.items():
        assert (schema.encoding, channel.message_encoding) == ("protobuf", "protobuf")
        assert schema.name == everything.type_of_topic(topic)
        assert channel.metadata == named.get(topic, {}), topic


def test_header_metadata_attachments(log):
    mode, path = log
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        header = reader.get_header()
        assert header.profile == "exray"
        assert header.library.startswith("exray ")
        records = list(reader.iter_metadata())
        attachments = list(reader.iter_attachments())
    assert [record.name for record in records] == ["exray", "exray.observer"]
    assert records[1].metadata == {"observer": "equal", "observer_max_abs": "0"}
    assert [(a.name, a.media_type, a.data) for a in attachments] == everything.ATTACHMENTS
    own = records[0].metadata
    assert {key: own.get(key) for key in everything.METADATA} == everything.METADATA
    assert own["capture"] == everything.capture(mode)
    assert {"exray_version", "wall_clock_offset_ns"} <= set(own)
    if mode in everything.DEVICE:
        assert not {"log_id", "os", "arch", "created"} & set(own)
        return
    assert len(own["log_id"]) == 36 and own["log_id"][14] == "4"
    assert {"os", "arch", "exray_version", "created", "wall_clock_offset_ns"} <= set(own)


def test_index_and_statistics(log):
    mode, path = log
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
        if mode in everything.STREAMS:
            assert summary is None
            return
        wanted = everything.expected(mode)
        counts = {}
        for topic, _ in wanted:
            counts[topic] = counts.get(topic, 0) + 1
        statistics = summary.statistics
        assert statistics.message_count == len(wanted)
        assert statistics.channel_count == len(counts) == len(summary.channels)
        assert statistics.schema_count == len({everything.type_of_topic(topic) for topic in counts}) == len(summary.schemas)
        assert statistics.attachment_count == 2 == len(summary.attachment_indexes)
        assert statistics.metadata_count == 2 == len(summary.metadata_indexes)
        assert statistics.chunk_count == len(summary.chunk_indexes) > 0
        by_topic = {summary.channels[i].topic: n for i, n in statistics.channel_message_counts.items()}
        assert by_topic == counts
        check_chunks(file, summary, mode)


def test_checksum_of_the_summary(log):
    mode, path = log
    data = path.read_bytes()
    summary_start, _, crc = struct.unpack("<QQI", data[-28:-8])
    if mode in everything.STREAMS:
        assert (summary_start, crc) == (0, 0)
    else:
        assert zlib.crc32(data[summary_start:-12]) == crc


def check_chunks(file, summary, mode):
    """Every chunk and message index lies where the summary says, of the size it says."""
    compressed = {"lz4": "lz4", "zstd": "zstd"}.get(mode, "")
    assert compressed in {chunk.compression for chunk in summary.chunk_indexes}
    for chunk in summary.chunk_indexes:
        assert chunk.compression in ("", compressed)
        file.seek(chunk.chunk_start_offset)
        records = StreamReader(file, skip_magic=True, emit_chunks=True).records
        record = next(records)
        assert type(record).__name__ == "Chunk"
        assert (record.message_start_time, record.message_end_time) == (
            chunk.message_start_time,
            chunk.message_end_time,
        )
        assert record.uncompressed_size == chunk.uncompressed_size
        assert len(record.data) == chunk.compressed_size
        assert file.tell() == chunk.chunk_start_offset + chunk.chunk_length
        for channel, offset in chunk.message_index_offsets.items():
            file.seek(offset)
            index = next(StreamReader(file, skip_magic=True).records)
            assert type(index).__name__ == "MessageIndex" and index.channel_id == channel
            assert all(chunk.message_start_time <= time <= chunk.message_end_time for time, _ in index.records)


def test_one_topic_through_the_index(log):
    mode, path = log
    if mode in everything.STREAMS:
        pytest.skip("a stream has no index")
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        assert isinstance(reader, SeekingReader)
        found = [m for _, _, _, m in reader.iter_decoded_messages(topics=["/layer/101"])]
    assert len(found) == 1
    assert found[0].info.shape == [1 << 20]


def test_with_the_javascript_reader(log, tmp_path):
    mode, path = log
    wanted = [
        {"topic": topic, "ignore": RUN_KNOWS.get(topic, ()), "message": MessageToDict(message, preserving_proto_field_name=True)}
        for topic, message in everything.expected(mode)
    ]
    expectation = tmp_path / "expected.json"
    expectation.write_text(
        json.dumps({"messages": wanted, "metadata": everything.METADATA, "indexed": mode not in everything.STREAMS})
    )
    assert run_node("compare_log.js", path, expectation).split() == [str(len(wanted)), "messages", "equal"]


def test_each_schema_has_what_its_message_needs(log):
    """Its message, those that it uses, and no others, each as schema/exray.proto has it."""
    _, path = log
    schemas = {}
    with path.open("rb") as file:
        for record in StreamReader(file).records:
            if isinstance(record, Schema):
                assert schemas.setdefault(record.name, record.data) == record.data
    for name, data in schemas.items():
        (proto,) = FileDescriptorSet.FromString(data).file
        pool = DescriptorPool()
        pool.Add(proto)
        reached, todo = set(), [pool.FindMessageTypeByName(name)]
        while todo:
            message = todo.pop()
            if message.containing_type is None:
                reached.add(message.full_name)
            for field in message.fields:
                if field.enum_type:
                    reached.add(field.enum_type.full_name)
                elif field.message_type and field.message_type.full_name not in reached:
                    todo.append(field.message_type)
        assert {f"exray.v1.{m.name}" for m in [*proto.message_type, *proto.enum_type]} == reached
        for message in proto.message_type:
            wanted = everything.message_classes()[message.name].DESCRIPTOR.fields
            assert {(f.name, f.number, f.type) for f in message.field} == {(f.name, f.number, f.type) for f in wanted}


def test_the_committed_schema_is_fresh(tmp_path):
    if not shutil.which("protoc"):
        pytest.skip("protoc is needed to make the schema anew")
    fresh, committed = [tmp_path / "log.h", tmp_path / "foxglove.h"], ["core/encode/schema_fds.h", "cli/export/foxglove_schema_fds.h"]
    subprocess.run([ROOT / "scripts" / "make_schema.sh", *fresh], check=True)
    for new, old in zip(fresh, committed):
        assert new.read_text() == (ROOT / "src" / old).read_text(), "run scripts/make_schema.sh"
