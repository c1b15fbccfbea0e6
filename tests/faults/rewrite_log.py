"""A log with other results, outputs, inputs or sensor records: what an application makes wrong before its model and behind it."""

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer


def _class_of(schema, made):
    if schema.name not in made:
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(schema.data).file:
            pool.Add(file)
        made[schema.name] = message_factory.GetMessageClass(pool.FindMessageTypeByName(schema.name))
    return made[schema.name]


class Log:
    """All messages of a log, as they lie in the file."""

    def __init__(self, path):
        self.rows, self.made = [], {}
        with open(path, "rb") as file:
            reader = make_reader(file)
            for schema, channel, message in reader.iter_messages(log_time_order=False):
                self.rows.append((schema, channel, message))
            self.attachments, self.metadata = list(reader.iter_attachments()), list(reader.iter_metadata())

    def decoded(self, *topics):
        """{place: message} of the topics that begin so."""
        return {i: _class_of(s, self.made).FromString(m.data) for i, (s, c, m) in enumerate(self.rows) if c.topic.startswith(topics)}

    def topic(self, i):
        return self.rows[i][1].topic

    def write(self, out, changed, attachments=True):
        """changed: {place: message, or None: it is left out}."""
        writer = Writer(str(out), compression=CompressionType.NONE)
        writer.start(profile="exray", library="faults")
        for m in self.metadata:
            writer.add_metadata(m.name, dict(m.metadata))
        schemas, channels = {}, {}
        for i, (schema, channel, message) in enumerate(self.rows):
            if i in changed and changed[i] is None:
                continue
            if schema.id not in schemas:
                schemas[schema.id] = writer.register_schema(schema.name, schema.encoding, schema.data)
            if channel.id not in channels:
                channels[channel.id] = writer.register_channel(channel.topic, channel.message_encoding, schemas[schema.id], dict(channel.metadata))
            data = changed[i].SerializeToString() if i in changed else message.data
            writer.add_message(channels[channel.id], message.log_time, data, message.publish_time, message.sequence)
        for a in self.attachments if attachments else ():
            writer.add_attachment(a.create_time, a.log_time, a.name, a.media_type, a.data)
        writer.finish()


def rewrite(source, out, results=None, outputs=None, inputs=None, sensors=None, attachments=True):
    """results and sensors(list of messages) return what takes their place; None in a list leaves that one out. outputs(name, array, message):
    an array; inputs: {name: an array a frame}. attachments: false leaves out the pipeline file."""
    log, changed = Log(source), {}
    for change, topic in ((results, "/result"), (sensors, "/sensor/")):
        if change:
            decoded = log.decoded(topic)
            changed.update(zip(decoded, change(list(decoded.values()))))
    for i, m in log.decoded("/output/").items() if outputs else ():
        if m.data:
            m.data = np.ascontiguousarray(outputs(log.topic(i)[8:], np.frombuffer(m.data, "<f4"), m)).astype("<f4").tobytes()
            changed[i] = m
    for name, values in (inputs or {}).items():
        for (i, m), value in zip(log.decoded(f"/input/{name}").items(), values, strict=True):
            m.data = np.ascontiguousarray(value).tobytes()
            changed[i] = m
    log.write(out, changed, attachments)
