"""Logs as other people's readers have them, LayerStats as the Tensors that it stands for."""

from log_writer import PB
from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory


def tensors_of(topic, message, model=None):
    """[(topic, message)]: of /layers and /constants one for each node, of any other topic itself.  With a model
    each says which of its tensors it is."""
    if topic not in ("/layers", "/constants"):
        return [(topic, message)]
    assert len(message.node) == len(message.stats)
    out = []
    for node, stats in zip(message.node, message.stats):
        tensor = PB["Tensor"](frame=message.frame, stats=PB["TensorStats"].FromString(stats.SerializeToString()))
        if model:
            tensor.tensor = model.nodes[node].outputs[0] if topic == "/layers" else node
        out.append((f"{topic[:-1]}/{node}", tensor))
    return out


def messages(path):
    """[(topic, message)] of a log, as PyPI's reader sees it."""
    with open(path, "rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()], validate_crcs=True)
        return [m for _, channel, _, message in reader.iter_decoded_messages() for m in tensors_of(channel.topic, message)]
