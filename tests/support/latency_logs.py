"""Logs with known times of the layers, noise of heavy tails, in many seeds."""

import numpy as np
from log_writer import DTYPES, PB, Log

OPS = ["CONV_2D"] + ["DEPTHWISE_CONV_2D", "CONV_2D"] * 6 + ["AVERAGE_POOL_2D", "FULLY_CONNECTED", "SOFTMAX"]
USUAL = {"CONV_2D": 600e3, "DEPTHWISE_CONV_2D": 300e3, "AVERAGE_POOL_2D": 40e3, "FULLY_CONNECTED": 150e3, "SOFTMAX": 30e3}


def write_times(path, seed, role="edge", frames=30, slow=None, speed=1.0, kernels="builtin", cpu="a", shape=None, rss=None, mhz=None,
                dropped=0, layers=True, spread=0.0, tail=3, tick=1):
    """slow: {op or layer: factor}; shape: factor of every frame's time; tail: of the noise; rss, mhz: value of a frame;
    tick: nanoseconds of the clock that measures frames."""
    random = np.random.default_rng(seed)
    log = Log(path, metadata={"role": role, "log_id": role, "device": cpu, "cpu": cpu, "arch": "x"})
    m = PB["Model"](name="m", sha256=bytes(32), engine="tflite", engine_version="2", kernels=kernels, threads=1, inputs=[0],
                    outputs=[len(OPS)])
    for i in range(len(OPS) + 1):
        m.tensors.add(name=f"t{i}", dtype=DTYPES["float32"], shape=[1, 8])
    for i, op in enumerate(OPS):
        m.nodes.add(op=op, inputs=[i], outputs=[i + 1])
    log.add("/model", "Model", m)
    own = np.exp(np.random.default_rng(seed + 77).normal(0, spread, len(OPS)))
    x = np.arange(8, dtype=np.float32).reshape(1, 8)
    for f in range(frames):
        begin = log.time
        scale = speed * (shape(f) if shape else 1)
        times = []
        for i, op in enumerate(OPS):
            factor = (slow or {}).get(op, 1) * (slow or {}).get(i, 1)
            noise = np.exp(random.normal(0, 0.08)) + (random.random() < 0.03) * random.pareto(1.5) * tail
            times.append(int(USUAL[op] * own[i] * factor * scale * noise))
        log.tensor("/input/t0", x, frame=f)
        log.tensor(f"/output/t{len(OPS)}", x, frame=f)
        if layers:
            starts = np.concatenate([[0], np.cumsum(times)[:-1]])
            log.add("/latency", "Latency", PB["Latency"](frame=f, node=range(len(OPS)), start_ns=[int(s) for s in starts],
                                                         duration_ns=times))
        s = PB["System"](frame=f, dropped_records=dropped if f > frames // 2 else 0)
        s.rss_bytes = int(rss(f)) if rss else 50 << 20
        if mhz:
            s.cpu_mhz = mhz(f)
        log.add("/system", "System", s)
        log.time += sum(times)
        log.frame(f, begin, source=f"{f}.jpg", inference_ns=round(sum(times) / tick) * tick)
    log.finish()
    return path
