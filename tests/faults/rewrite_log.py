"""A log with other results or outputs: what an application makes wrong of what its model returned."""

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.reader import make_reader
from mcap.records import Attachment, Metadata  # noqa: F401  (what is copied)
from mcap.writer import CompressionType, Writer


def _class_of(schema, made):
    if schema.name not in made:
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(schema.data).file:
            pool.Add(file)
        made[schema.name] = message_factory.GetMessageClass(pool.FindMessageTypeByName(schema.name))
    return made[schema.name]


def rewrite(source, out, results=None, outputs=None):
    """results(list of Result) and outputs({name: [array]}, infos) return what takes their place; None in a list leaves that result out."""
    made, rows = {}, []
    with open(source, "rb") as file:
        reader = make_reader(file)
        for schema, channel, message in reader.iter_messages(log_time_order=False):
            rows.append((schema, channel, message, None))
        attachments, metadata = list(reader.iter_attachments()), list(reader.iter_metadata())
    decoded = {i: _class_of(s, made).FromString(m.data) for i, (s, c, m, _) in enumerate(rows)
               if (results and c.topic == "/result") or (outputs and c.topic.startswith("/output/"))}
    changed = dict(decoded)
    if results:
        at = [i for i in decoded if rows[i][1].topic == "/result"]
        for i, one in zip(at, results([decoded[i] for i in at])):
            changed[i] = one
    if outputs:
        at = [i for i in decoded if rows[i][1].topic.startswith("/output/")]
        for i in at:
            m = decoded[i]
            if m.data:
                m.data = np.ascontiguousarray(outputs(rows[i][1].topic[8:], np.frombuffer(m.data, "<f4"), m)).astype("<f4").tobytes()
    writer = Writer(str(out), compression=CompressionType.NONE)
    writer.start(profile="exray", library="faults")
    for m in metadata:
        writer.add_metadata(m.name, dict(m.metadata))
    schemas, channels = {}, {}
    for i, (schema, channel, message, _) in enumerate(rows):
        if i in changed and changed[i] is None:
            continue
        if schema.id not in schemas:
            schemas[schema.id] = writer.register_schema(schema.name, schema.encoding, schema.data)
        if channel.id not in channels:
            channels[channel.id] = writer.register_channel(channel.topic, channel.message_encoding, schemas[schema.id], dict(channel.metadata))
        data = changed[i].SerializeToString() if i in changed else message.data
        writer.add_message(channels[channel.id], message.log_time, data, message.publish_time, message.sequence)
    for a in attachments:
        writer.add_attachment(a.create_time, a.log_time, a.name, a.media_type, a.data)
    writer.finish()
