"""What LiteRT's interpreter says of a model, from lists: for models that no file is at hand of."""


class DescribedInterpreter:
    """values: by a tensor's index; details, ops: as the interpreter gives them; the first tensor is the input, `output` the output's index."""

    def __init__(self):
        self.values, self.details, self.ops, self.output = {}, [], [], 0

    def get_tensor_details(self):
        return self.details

    def _get_ops_details(self):
        return self.ops

    def get_input_details(self):
        return self.details[:1]

    def get_output_details(self):
        return [d for d in self.details if d["index"] == self.output]

    def tensor(self, index):
        return lambda: self.values[index]

    def get_tensor(self, index):
        return self.values[index].copy()

    def invoke(self):
        pass
