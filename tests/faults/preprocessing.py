"""What happens between sensor and model, as one dict of settings, and its two
forms: a pipeline file for `record` and `replay`, switches for camera_app."""

import math

RIGHT = dict(crop="none", fraction=1.0, filter="bilinear", antialias=0, mean=(0, 0, 0), std=(1, 1, 1))
DEFAULTS = dict(pad=0, offset=(0, 0), resize_first=0, grid="half", rotate=0, flip="none", channels="rgb",
                normalize_first=0, normalize_twice=0, layout="nhwc", orient="exif", **RIGHT)

# Settings that only an application has.
SENSOR = {"read_as": "as", "matrix": "matrix", "range": "range", "stride": "stride", "gamma": "gamma", "gray": "gray",
          "chroma": "chroma", "dct": "dct", "upsampling": "upsampling", "shrink": "shrink", "recompress": "recompress"}
VALUES = {"signed": "signed", "noise": "noise", "blur": "blur", "quantize": "quantize", "sign_bit": "sign-bit",
          "scale": "scale", "zero_point": "zero-point", "order": "order", "every": "every"}
ANSWER = {"permute": "permute", "softmax_again": "softmax-again", "scores": "scores", "boxes": "boxes",
          "manual": "manual"}


class NotInAPipeline(Exception):
    pass


def _numbers(values):
    return ",".join(f"{v:.10g}" for v in values)


def switches(settings):
    """camera_app's command line."""
    s = {**DEFAULTS, **settings}
    out = ["--crop", s["crop"], "--fraction", s["fraction"], "--pad", s["pad"], "--offset", "%d,%d" % s["offset"],
           "--resize-first", s["resize_first"], "--filter", s["filter"], "--grid", s["grid"],
           "--antialias", s["antialias"], "--rotate", s["rotate"], "--channels", s["channels"],
           "--mean", _numbers(s["mean"]), "--std", _numbers(s["std"]), "--normalize-first", s["normalize_first"],
           "--normalize-twice", s["normalize_twice"], "--layout", s["layout"], "--orient", s["orient"],
           "--label-offset", s.get("label_offset", 0)]
    if s["flip"] != "none":
        out += ["--flip", s["flip"]]
    for key, name in {**SENSOR, **VALUES, **ANSWER}.items():
        if key in s:
            out += [f"--{name}", s[key]]
    return [str(x) for x in out]


def _resize(s, size):
    if s["grid"] == "asymmetric" or s["filter"] == "lanczos":
        raise NotInAPipeline(s["filter"])
    words = [s["filter"], size] + (["antialias"] if s["antialias"] else [])
    return " ".join(words + (["align_corners"] if s["grid"] == "corners" else []))


def pipeline(settings, width, height, task):
    """The text of a pipeline file."""
    s = {**DEFAULTS, **settings}
    strange = [k for k in (*SENSOR, *VALUES, *ANSWER) if k in s]
    if strange or s["offset"] != (0, 0):
        raise NotInAPipeline(", ".join(strange) or "offset")
    steps = [("orient", s["orient"])]
    # A quarter turn after the resize: the resize makes what the turn needs.
    inner = f"{height}x{width}" if s["rotate"] % 180 else f"{width}x{height}"
    if s["resize_first"]:
        shorter = math.floor(width / s["fraction"] + 0.5)
        steps += [("resize", _resize(s, str(shorter))), ("crop", inner)]
    else:
        crop = {"none": "none", "center": f"center {s['fraction']:.10g}", "letterbox": f"letterbox {s['pad']}"}[s["crop"]]
        steps += [("crop", crop), ("resize", _resize(s, inner))]
    steps += [("rotate", s["rotate"]), ("flip", {"n": "none", "h": "horizontal", "v": "vertical"}[s["flip"][0]])]
    normalize = ("normalize", "{mean: [%s], std: [%s]}" % (_numbers(s["mean"]), _numbers(s["std"])))
    after = [normalize] * (1 + s["normalize_twice"])
    steps += [*after, ("channels", s["channels"])] if s["normalize_first"] else [("channels", s["channels"]), *after]
    steps += [("layout", s["layout"])]
    plain = not (s["resize_first"] or s["normalize_first"] or s["normalize_twice"])
    if plain:
        body = "".join(f"  {k}: {v}\n" for k, v in steps)
    else:
        body = "  steps:\n" + "".join(f"    - {k}: {v}\n" for k, v in steps)
    return f"task: {task}\nimage:\n{body}output: {{label_offset: {s.get('label_offset', 0)}}}\n"
