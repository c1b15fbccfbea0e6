"""A task of one's own: how many things are seen, the place of the largest of a vector of scores of 0, 1, 2, ... things.

    python count_task.py EDGE.mcap REFERENCE.mcap

The logs are of applications that recorded their outputs (Recorder(task="user.count"), r.output(...)), and what they told
with r.vector("count", [n]), if anything."""

import sys

import exray


def told(count):
    return exray.Result(vectors=(exray.Vector("count", (float(count),)),))


class Count(exray.Task):
    """How many things are seen"""

    name = "user.count"
    measures = {"count_error": ("things", "lower"), "exactly": ("share", "higher")}
    misreadings = {"counted from one": lambda result: told(result.vectors[0].values[0] + 1), "always none": lambda result: told(0)}

    def fits(self, outputs):
        return None if len(outputs) == 1 else "needs one output, the scores of 0, 1, 2, ... things"

    def decide(self, outputs):
        (scores,) = outputs.values()
        return told(scores.argmax())

    def has(self, result):
        return [vector.name for vector in result.vectors] == ["count"]

    def compare(self, told, other):
        apart = abs(told.vectors[0].values[0] - other.vectors[0].values[0])
        return {"count_error": apart, "exactly": apart == 0}


if __name__ == "__main__":
    report = exray.validate(sys.argv[1], sys.argv[2], tasks=[Count()])
    for measure in report.accuracy.measures:
        print(f"{measure.name}: agreement {measure.agreement:.3g} {measure.unit} ({measure.better} is better)")
    report.raise_for_findings()
