"""The faults.  An atom is one bug: what it changes in the settings of a right
application, and the cause that exray must name for it.  A fault is one atom or
several.

An atom's `make(parameter, context)` returns the changed settings, or None where
the bug cannot happen with this model or camera.  `cause` is the name that it must
get; `also` are names that the data allow as well (a wrong scale of an 8-bit input
and a wrong std are the same numbers).  `draw` gives a parameter at random."""

from dataclasses import dataclass, field
from typing import Callable

IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


@dataclass
class Context:
    """What a fault is done to."""
    right: dict  # the model's right settings
    sensor: object
    model: object
    with_sensor: bool = True

    @property
    def integer(self):
        return self.model.integer


@dataclass
class Atom:
    name: str
    cause: str
    make: Callable
    parameters: list  # mild and strong, or just two of a kind
    draw: Callable = None  # (random) -> parameter
    also: Callable = lambda context: ()
    group: str = ""  # atoms of one group are not combined
    second_cause: str = None  # a transpose is a rotation and a flip
    kind: str = "input"  # "output", "model"
    edge_model: Callable = None  # (parameter, model) -> path of another model file

    def causes(self, context):
        links = [(self.cause, *self.also(context))]
        return links + ([(self.second_cause,)] if self.second_cause else [])


@dataclass
class Fault:
    name: str
    atoms: list  # of (atom, parameters)
    sensors: tuple = ()  # names; (): any
    severities: int = 2
    capture: tuple = ("io", "stats")
    extra: dict = field(default_factory=dict)

    def tells_kernel(self, atom, context):
        """Without the sensor's record nothing tells the kernel of a resize beside another part of
        the scene, and exray says so."""
        others = {a.group for a, _ in self.atoms}
        return context.with_sensor or atom.group != "kernel" or "crop" not in others

    def changes(self, severity, context):
        """(settings, links, edge model or None), or None."""
        settings, links, edge_model, now = dict(self.extra), [], None, dict(context.right)
        for atom, parameters in self.atoms:
            inner = Context(now, context.sensor, context.model, context.with_sensor)
            parameter = parameters[severity % len(parameters)]
            made = atom.make(parameter, inner)
            if made is None:
                return None
            settings.update(made)
            now.update(made)
            if not self.tells_kernel(atom, context):
                continue
            links += [link for link in atom.causes(inner) if link not in links]
            if atom.edge_model:
                edge_model = atom.edge_model(parameter, context.model)
                if edge_model is None:
                    return None
        return settings, links, edge_model


def _scaled(context):
    """A wrong mean or std of an 8-bit input is, in numbers, a wrong scale or zero point."""
    return ("input.quantization",) if context.integer else ()


def _mostly_clipped(context):
    """Where stored bytes are the pixels, quantizing them once more is the same as never
    having normalized."""
    return ("input.normalization",) if context.model.zero_point > 0 else ()


def _range(context):
    """Full for limited range is a gain and an offset, as a wrong mean and std are: what
    tells them apart is that the camera gives YUV."""
    return () if context.with_sensor else ("input.normalization",)


def _as_normalization(context):
    return ("input.normalization",)


def _colour(make):
    return lambda p, c: make(p, c) if c.sensor.colour else None


def _yuv(make):
    return lambda p, c: make(p, c) if c.sensor.yuv else None


def _integer(make):
    return lambda p, c: make(p, c) if c.integer else None


# ---- Values --------------------------------------------------------------------------------


def _times(values, factor):
    return tuple(v * factor for v in values)


def _mean(shift, c):
    return {"mean": tuple(m + s for m, s in zip(c.right["mean"], shift))}


def _std(factor, c):
    return {"std": tuple(v * f for v, f in zip(c.right["std"], factor))}


def _draw_one_channel(r):
    shift = [0, 0, 0]
    shift[r.randrange(3)] = r.choice([-1, 1]) * r.uniform(8, 50)
    return tuple(shift)


CHANNELS = Atom("channels", "input.channel_order", _colour(lambda p, c: {"channels": p}), ["bgr", "gbr"],
                lambda r: r.choice(["bgr", "bgr", "gbr", "brg", "rbg", "grb"]), group="channels")
SWAPPED_PAIR = Atom("channels_pair", "input.channel_order", _colour(lambda p, c: {"channels": p}), ["grb", "rbg"], group="channels")
MISSING = Atom("normalize_missing", "input.normalization", lambda p, c: {"mean": (0,) * 3, "std": (1,) * 3}, [0], lambda r: 0,
               also=_scaled, group="values")
UNIT = Atom("normalize_unit", "input.normalization", lambda p, c: {"mean": (p,) * 3, "std": (255,) * 3}, [0], lambda r: 0,
            also=_scaled, group="values")
IMAGENET_CONSTANTS = Atom("normalize_imagenet", "input.normalization", lambda p, c: {"mean": IMAGENET[0], "std": IMAGENET[1]}, [0],
                          lambda r: 0, also=_scaled, group="values")
IMAGENET_SWAPPED = Atom("normalize_imagenet_bgr", "input.normalization",
                        lambda p, c: {"mean": IMAGENET[0][::-1], "std": IMAGENET[1][::-1]}, [0], lambda r: 0, also=_scaled,
                        group="values")
TWICE = Atom("normalize_twice", "input.normalization", lambda p, c: {"normalize_twice": 1}, [0], lambda r: 0, also=_scaled,
             group="values")
MEAN = Atom("normalize_mean", "input.normalization", _mean, [(12,) * 3, (-40,) * 3],
            lambda r: (r.choice([-1, 1]) * r.uniform(6, 60),) * 3, also=_scaled, group="values")
STD = Atom("normalize_std", "input.normalization", _std, [(1.2,) * 3, (2,) * 3],
           lambda r: (r.uniform(1.1, 2.5),) * 3, also=_scaled, group="values")
ONE_CHANNEL = Atom("normalize_one_channel", "input.normalization", _mean, [(0, 0, 15), (-35, 0, 0)],
                   _draw_one_channel, group="values", also=_scaled)
PER_CHANNEL_STD = Atom("normalize_channel_std", "input.normalization", _std, [(1, 1.15, 1.3), (1.6, 1, 1)],
                       lambda r: (r.uniform(1, 1.6), 1, r.uniform(1.1, 1.6)), group="values", also=_scaled)
SYMMETRIC = Atom("normalize_half_step", "input.normalization",
                 lambda p, c: None if c.integer or c.right["mean"][0] == 127.5 else {"mean": (127.5,) * 3, "std": (127.5,) * 3}, [0],
                 group="values")
SIGNED = Atom("signed_bytes", "input.dtype", lambda p, c: None if c.integer else {"signed": 1}, [0], lambda r: 0, group="values")
SIGN_BIT = Atom("int8_as_uint8", "input.dtype", _integer(lambda p, c: {"sign_bit": 1}), [0], lambda r: 0, group="values")
SCALE = Atom("quantize_scale", "input.quantization", _integer(lambda p, c: {"scale": c.model.scale * p}), [1.25, 2],
             lambda r: r.uniform(1.1, 3), also=_as_normalization, group="values")
SMALL_SCALE = Atom("quantize_clips", "input.quantization", _integer(lambda p, c: {"scale": c.model.scale * p}), [0.75, 0.4],
                         lambda r: r.uniform(0.3, 0.85), also=_as_normalization, group="values")
ZERO_POINT = Atom("quantize_zero_point", "input.quantization", _integer(lambda p, c: {"zero_point": c.model.zero_point + p}), [-20, 50],
                  lambda r: r.choice([-1, 1]) * r.randint(8, 70), also=_as_normalization, group="values")
QUANTIZE_TWICE = Atom("quantize_twice", "input.quantization", _integer(lambda p, c: {"quantize": "twice"}), [0], lambda r: 0,
                      also=_mostly_clipped, group="values")
QUANTIZE_NOT = Atom("quantize_missing", "input.quantization", _integer(lambda p, c: {"quantize": "not"}), [0], lambda r: 0,
                    group="values")
LAYOUT = Atom("layout", "input.layout", lambda p, c: {"layout": "nchw"}, [0], lambda r: 0, group="layout")

# ---- Geometry ------------------------------------------------------------------------------


def _rotate(degrees, c):
    return None if c.model.width != c.model.height else {"rotate": degrees}


def _crop(p, c):
    kind, value = p
    if kind == c.right["crop"] and (kind == "none" or value == c.right.get("pad" if kind == "letterbox" else "fraction", 0)):
        return None
    return {"crop": kind, **({"fraction": value} if kind == "center" else {"pad": value} if kind == "letterbox" else {})}


def _fraction(p, c):
    return {"fraction": p} if c.right["crop"] == "center" else {"crop": "center", "fraction": p}


def _resize_first(p, c):
    return {"resize_first": 1} if c.right["crop"] == "center" else None


def _offset(p, c):
    return {"offset": p} if c.right["crop"] == "center" else None


def _pad(p, c):
    return {"pad": p} if c.right["crop"] == "letterbox" else None


def _kernel(p, c):
    """p: (filter, antialias, grid).  The same as the right one is no fault: then its neighbour."""
    now = (c.right["filter"], c.right["antialias"], c.right.get("grid", "half"))
    if p == now:
        p = ("bilinear", 0, "half") if now != ("bilinear", 0, "half") else ("bicubic", 1, "half")
    return {"filter": p[0], "antialias": p[1], "grid": p[2]}


def _antialias(p, c):
    if c.right["filter"] == "nearest":
        return None
    return {"antialias": 1 - c.right["antialias"], **({"filter": p} if p and p != "lanczos" else {})}


ROTATE = Atom("rotate_90", "input.rotation", _rotate, [90, 270], lambda r: r.choice([90, 270, 180]), group="turn")
ROTATE_180 = Atom("rotate_180", "input.rotation", _rotate, [180], group="turn")
FLIP = Atom("flip", "input.flip", lambda p, c: {"flip": p}, ["h", "v"], lambda r: r.choice("hv"), group="turn")
TRANSPOSE = Atom("transpose", "input.rotation", lambda p, c: {"rotate": p, "flip": "h"}, [90, 270], lambda r: r.choice([90, 270]),
                 group="turn", second_cause="input.flip")
ORIENTATION = Atom("orientation_ignored", "input.rotation", lambda p, c: {"orient": "none"} if c.sensor.rotation else None, [0],
                   group="turn")
STRETCH = Atom("stretched", "input.crop", lambda p, c: _crop(("none", 0), c), [0], lambda r: 0, group="crop")
FRACTION = Atom("crop_fraction", "input.crop", _fraction, [0.8, 1.0], lambda r: r.choice([0.7, 0.75, 0.95, 1.0]), group="crop")
LETTERBOX = Atom("letterboxed", "input.crop", lambda p, c: _crop(("letterbox", p), c), [0, 114], lambda r: r.choice([0, 114, 128, 255]),
                 group="crop")
PAD = Atom("letterbox_colour", "input.crop", _pad, [114, 255], group="crop")
OFFSET = Atom("crop_offset", "input.crop", _offset, [(6, 4), (15, -12)], lambda r: (r.randint(4, 20), r.randint(-15, 15)), group="crop")
RESIZE_FIRST = Atom("resize_then_crop", "input.crop", _resize_first, [0], group="crop")
NEAREST = Atom("kernel_nearest", "input.resize", _kernel, [("nearest", 0, "half"), ("nearest", 0, "corners")],
               lambda r: ("nearest", 0, "half"), group="kernel")
KERNEL = Atom("kernel", "input.resize", _kernel, [("bilinear", 0, "half"), ("area", 0, "half")],
              lambda r: (r.choice(["nearest", "bilinear", "bicubic", "area"]), 0, "half"), group="kernel")
KERNEL_2 = Atom("kernel_antialiased", "input.resize", _kernel, [("bicubic", 0, "half"), ("bilinear", 1, "half")], group="kernel")
GRID = Atom("kernel_grid", "input.resize", _kernel, [("bilinear", 0, "asymmetric"), ("bilinear", 0, "corners")],
            lambda r: ("bilinear", 0, r.choice(["asymmetric", "corners"])), group="kernel")
ANTIALIAS = Atom("antialias", "input.resize", _antialias, ["", "bilinear"], group="kernel")

# ---- Camera --------------------------------------------------------------------------------


def _matrix(p, c):
    return {"matrix": "bt709" if c.sensor.matrix == "bt601" else "bt601"}


def _stride(p, c):
    return {"stride": 0} if p == "packed" else None


def _raw(make):
    return lambda p, c: None if c.sensor.encoded else make(p, c)


def _read_as(p, c):
    return {"nv12": {"read_as": p}, "yuyv": {"read_as": "uyvy"}, "i420": {"read_as": "nv12"}}.get(c.sensor.format)


NV21 = Atom("nv21_for_nv12", "input.color_space", _yuv(lambda p, c: {"read_as": "nv21"} if c.sensor.format == "nv12" else None), [0],
            lambda r: 0, group="colour")
READ_AS = Atom("yuv_format", "input.color_space", _yuv(_read_as), ["i420", "nv21"], group="colour")
MATRIX = Atom("yuv_matrix", "input.color_space", _yuv(_matrix), [0], lambda r: 0, group="colour")
RANGE = Atom("yuv_range", "input.color_space", _yuv(lambda p, c: {"range": "limited" if c.sensor.full_range else "full"}), [0],
             lambda r: 0, group="colour", also=_range)
GAMMA = Atom("gamma", "input.color_space", lambda p, c: {"gamma": p}, [1.4, 0.4545], lambda r: r.choice([0.4545, 0.6, 1.5, 1.8, 2.2]),
             group="colour")
GRAY = Atom("grey", "input.color_space", _colour(lambda p, c: {"gray": 1}), [0], lambda r: 0, group="colour")
STRIDE = Atom("stride_ignored", "input.stride", _raw(_stride), ["packed"], lambda r: "packed", group="stride")
SHRINK = Atom("jpeg_shrunk", "input.decoder", lambda p, c: {"shrink": p} if c.sensor.format == "jpeg" else None, [2, 4],
              also=lambda c: ("input.resize",), group="kernel")
RECOMPRESS = Atom("jpeg_recompressed", "input.decoder", lambda p, c: {"recompress": p} if c.sensor.encoded else None, [30, 8],
                  also=lambda c: ("input.unknown",), group="decoder")
LATE = Atom("frame_late", "input.frame_order", lambda p, c: {"order": "late", "every": p}, [1, 2], lambda r: r.choice([1, 1, 2]),
            group="frames")
REPEAT = Atom("frame_repeated", "input.frame_order", lambda p, c: {"order": "repeat", "every": p}, [4, 2], lambda r: r.choice([2, 3, 4]),
              group="frames")
DROP = Atom("frame_dropped", "input.frame_order", lambda p, c: {"order": "drop", "every": p}, [6, 3], lambda r: r.choice([3, 4, 5]),
            group="frames")
BLUR = Atom("blurred", "input.unknown", lambda p, c: {"blur": p}, [1.5, 4], also=lambda c: ("input.resize", "input.decoder"),
            group="decoder")
NOISE = Atom("noisy", "input.unknown", lambda p, c: {"noise": p}, [12, 40], also=lambda c: ("input.decoder",), group="decoder")

# ---- Output and model ----------------------------------------------------------------------


def _classes(make):
    return lambda p, c: make(p, c) if c.model.task == "classification" else None


def _labels(make):
    return lambda p, c: make(p, c) if c.model.task in ("classification", "detection") else None


def _variant(name):
    return lambda p, model: model.variant(name, p)


def _none(p, c):
    return {}


def _raw_scores(p, c):
    return None if p == "no-zero-point" and c.model.output_zero_point == 0 else {"scores": p}


LABEL_OFFSET = Atom("label_offset", "output.label_offset", _labels(lambda p, c: {"label_offset": c.right.get("label_offset", 0) + p}),
                    [1, -1], kind="output", group="labels")
LABEL_MAP = Atom("label_map", "output.label_offset", _classes(lambda p, c: {"permute": p}), [7, 11], kind="output", group="labels",
                 also=lambda c: ("output.postprocess",))
def _softmax_again(p, c):
    """Of logits it would be right, whatever a replay tells."""
    return {"softmax_again": 1} if c.model.has_softmax else None


SOFTMAX_AGAIN = Atom("softmax_again", "output.activation", _classes(_softmax_again), [0], kind="output", group="scores")
SOFTMAX_MISSING = Atom("softmax_missing", "output.activation", _classes(_none), [0], kind="output", group="model",
                       edge_model=_variant("without_softmax"))
SOFTMAX_TWICE = Atom("softmax_twice", "output.activation", _classes(_none), [0], kind="output", group="model",
                     edge_model=_variant("with_two_softmax"))
RAW_SCORES = Atom("scores_raw", "output.dequantization", _classes(_integer(_raw_scores)), ["raw", "no-zero-point"],
                  kind="output", group="scores")
SCORE_SCALE = Atom("scores_scale", "output.dequantization", _classes(_integer(lambda p, c: {"scores": f"scale:{p}"})), [0.5, 4],
                   kind="output", group="scores")
SCORE_SIGN = Atom("scores_other_sign", "output.dequantization", _classes(_integer(lambda p, c: {"scores": "other-sign"})), [0],
                  kind="output", group="scores")
BOXES = Atom("boxes_xyxy", "output.box_format", lambda p, c: {"boxes": "xyxy"} if c.model.task == "detection" else None, [0],
             kind="output", group="scores")
VERSION = Atom("other_weights", "model.version", _none, [0.05, 0.2], kind="model", group="model", edge_model=_variant("other_weights"))
WEIGHTS = Atom("one_layer_s_weights", "model.weights", _none, [0.5, 2], kind="model", group="model", edge_model=_variant("one_layer"),
               also=lambda c: ("layer.unknown",))
BADCAL = Atom("calibrated_too_dark", "input.quantization", _none, [0], kind="input", group="model", edge_model=_variant("badcal"))

ATOMS = [v for v in list(globals().values()) if isinstance(v, Atom)]
RAW = ("rgb8", "bgr8", "nv12", "nv12_full", "yuyv", "i420", "gray8")
ENCODED = ("jpeg", "png")
YUV = ("nv12", "nv12_full", "yuyv", "i420")
WITH_COLOUR = ENCODED + RAW[:-1]


def _sensors(*atoms):
    names = [n for n in ENCODED + RAW]
    for atom in atoms:
        if atom is ORIENTATION:
            names = ["jpeg_turned", "rgb8_turned"]
        elif atom is NV21:
            names = [n for n in names if n.startswith("nv12")]
        elif atom in (READ_AS, MATRIX, RANGE):
            names = [n for n in names if n in YUV]
        elif atom in (CHANNELS, SWAPPED_PAIR, GRAY):
            names = [n for n in names if n in WITH_COLOUR]
        elif atom is STRIDE:
            names = [n for n in names if n in RAW]
        elif atom is SHRINK:
            names = ["jpeg"]
        elif atom is RECOMPRESS:
            names = [n for n in names if n in ENCODED]
    return tuple(names)


def fault(name, *atoms, **options):
    """atoms: Atom, or (Atom, [parameters])."""
    pairs = [a if isinstance(a, tuple) else (a, a.parameters) for a in atoms]
    kinds = {a.kind for a, _ in pairs}
    if kinds & {"model", "output"}:
        options.setdefault("capture", ("stats", "full"))
    return Fault(name, pairs, _sensors(*[a for a, _ in pairs]), **options)


FAULTS = [fault(a.name, a) for a in ATOMS] + [
    fault("bgr+unit", CHANNELS, UNIT),
    fault("bgr+unit+rotated", CHANNELS, UNIT, ROTATE),
    fault("bgr+imagenet", CHANNELS, IMAGENET_CONSTANTS),
    fault("bgr+imagenet_before", CHANNELS, IMAGENET_CONSTANTS, extra={"normalize_first": 1}),
    fault("bgr+mean", CHANNELS, MEAN),
    fault("bgr+flip", CHANNELS, FLIP),
    fault("bgr+stretched", CHANNELS, STRETCH),
    fault("bgr+layout", CHANNELS, LAYOUT),
    fault("bgr+transpose", CHANNELS, TRANSPOSE),
    fault("letterbox+kernel", LETTERBOX, KERNEL),
    fault("letterbox+bgr+unit", LETTERBOX, CHANNELS, UNIT),
    fault("stretched+nearest", STRETCH, NEAREST),
    fault("fraction+kernel", FRACTION, KERNEL),
    fault("offset+mean", OFFSET, MEAN),
    fault("rotated+std", ROTATE, STD),
    fault("flip+kernel", FLIP, NEAREST),
    fault("layout+unit", LAYOUT, UNIT),
    fault("rotated+stretched", ROTATE, STRETCH),
    fault("gamma+bgr", GAMMA, CHANNELS),
    fault("gamma+flip", GAMMA, FLIP),
    fault("range+bgr", RANGE, CHANNELS),
    fault("matrix+range", MATRIX, RANGE),
    fault("nv21+rotated", NV21, ROTATE),
    fault("nv21+unit", NV21, UNIT),
    fault("late+bgr", LATE, CHANNELS),
    fault("late+unit", LATE, UNIT),
    fault("dtype+rotated", SIGNED, ROTATE),
    fault("sign_bit+bgr", SIGN_BIT, CHANNELS),
    fault("scale+flip", SCALE, FLIP),
    fault("labels+bgr", LABEL_OFFSET, CHANNELS),
    fault("softmax+unit", SOFTMAX_AGAIN, UNIT),
    fault("version+bgr", VERSION, CHANNELS),
    # An application without a tap logs inputs and outputs as it has them.
    fault("no_tap:bgr", CHANNELS, extra={"manual": 1}),
    fault("no_tap:scores_raw", RAW_SCORES, extra={"manual": 1}),
    fault("no_tap:scores_scale", SCORE_SCALE, extra={"manual": 1}),
    fault("no_tap:scores_other_sign", SCORE_SIGN, extra={"manual": 1}),
    fault("no_tap:softmax_again", Atom("softmax", "output.activation", _classes(lambda p, c: {"softmax_again": 1}), [0], kind="output"),
          extra={"manual": 1}),
]
assert len({f.name for f in FAULTS}) == len(FAULTS)
