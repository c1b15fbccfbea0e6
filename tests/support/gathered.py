"""LayerStats as the Tensors that it stands for, for tests that read logs with other people's readers."""

from log_writer import PB


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
