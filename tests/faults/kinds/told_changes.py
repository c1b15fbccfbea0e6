"""Changes of what a log tells, result by result."""

import numpy as np


def each(change):
    """change(result) of every frame."""

    def changed(results):
        for r in results:
            change(r)
        return results

    return changed


def of_the_frame_before(results):
    made = [type(r).FromString(r.SerializeToString()) for r in results]
    for k, r in enumerate(made):
        frame = r.frame
        r.CopyFrom(results[max(k - 1, 0)])
        r.frame = frame
    return made


def each_vector(change):
    """change(values) of every vector."""

    def one(r):
        for v in r.vectors:
            made = change(np.array(v.value))
            del v.value[:]
            v.value.extend(made)

    return each(one)
