"""Changes of what a log tells, result by result."""


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
