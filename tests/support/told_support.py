"""Pairs of logs of which the outputs are given, and what each side's application told of them."""

import numpy as np
from validate_support import Recording, finding, validate


def write_told(path, role, outputs, tell, noise=0.0, inputs=None, keep_outputs=True, early=None, **metadata):
    """outputs: a dict {name: array} for each frame.  tell(result, k) fills the frame's Result and may return {stage: array};
    None: no result at all.  noise: of this side's outputs; tell gets no noise.  early: {stage: array} before the input."""
    from log_writer import PB

    random = np.random.default_rng(11)
    with Recording(path, role, **metadata) as log:
        for k, given in enumerate(outputs):
            begin = log.time
            for name, values in (early or {}).items():
                log.tensor(f"/stage/{name}", np.ascontiguousarray(values), frame=k)
            image = np.random.default_rng(k).integers(0, 255, (1, 16, 16, 3)).astype(np.uint8) if inputs is None else inputs[k]
            log.tensor("/input/image", np.ascontiguousarray(image), frame=k)
            for name, values in given.items() if keep_outputs else ():
                if noise and values.dtype == np.float32:
                    values = (values + random.normal(0, noise, values.shape)).astype(np.float32)
                log.tensor(f"/output/{name}", np.ascontiguousarray(values), frame=k)
            result = PB["Result"](frame=k)
            stages = (tell(result, k) if tell else None) or {}
            for name, values in stages.items():
                log.tensor(f"/stage/{name}", np.ascontiguousarray(values), frame=k)
            if tell and not stages:
                log.add("/result", "Result", result)
            log.add("/frame", "Frame", PB["Frame"](index=k, source=f"{k}.jpg", begin_ns=begin, end_ns=log.time + 10, inference_ns=2_000_000))
    return path


def judged(folder, outputs, edge, reference, edge_noise=0.0, **keywords):
    """The verdict on two applications that tell `edge` and `reference` of the same outputs."""
    e = write_told(folder / "e", "edge", outputs, edge, noise=edge_noise, **keywords)
    r = write_told(folder / "r", "reference", outputs, reference, **keywords)
    return validate(e, r)


def told_finding(verdict, cause="output.postprocess"):
    """The one finding about what was told; no other error may stand beside it."""
    assert [f["cause"] for f in verdict["findings"] if f["severity"] == "error"] == [cause], verdict["findings"]
    return finding(verdict, cause)
