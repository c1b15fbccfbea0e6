"""The property of brightness.c checked by hand: a log reader, matching of frames,
dequantization, the means, the step, the verdict.  Needs mcap, protobuf and NumPy from PyPI.

    python by_hand.py edge.mcap reference.mcap      # exit status 1: darker
"""
import sys
import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.reader import make_reader
def read_inputs(path):
    pool, found = descriptor_pool.DescriptorPool(), {}
    with open(path, "rb") as file:
        for schema, channel, message in make_reader(file).iter_messages():
            if not channel.topic.startswith("/input/"):
                continue
            if not found:
                for part in descriptor_pb2.FileDescriptorSet.FromString(schema.data).file:
                    pool.Add(part)
            kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(schema.name))
            t = kind.FromString(message.data)
            types = {1: np.float32, 2: np.float16, 4: np.float64, 5: np.int8, 6: np.uint8, 7: np.int16}
            values = np.frombuffer(t.data, types[t.info.dtype]).astype(np.float64)
            q = t.info.quantization
            if q.scale:
                values = (values - (q.zero_point[0] if q.zero_point else 0)) * q.scale[0]
            found[channel.topic, t.frame] = values, q.scale[0] if q.scale else np.diff(np.unique(values)).min()
    return found
edge, reference = read_inputs(sys.argv[1]), read_inputs(sys.argv[2])
both = sorted(edge.keys() & reference.keys())
for topic in sorted({topic for topic, _ in both}):
    ours, theirs = (np.mean([side[k][0].mean() for k in both if k[0] == topic]) for side in (edge, reference))
    if ours <= theirs - 8 * max(reference[k][1] for k in both if k[0] == topic):
        sys.exit(f"user.brightness: {topic} is darker: {ours:.4f} on average, not {theirs:.4f}")
