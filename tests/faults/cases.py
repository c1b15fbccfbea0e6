"""Which cases there are: the whole bench, the fast subset, random mixtures, and
the healthy pairs."""

import hashlib
import random
import shutil

import catalogue
from catalogue import Context, Fault
from execute import Case
from places import ARM64_ENGINE
from sensors import SENSORS


def number(*parts):
    """The same number for the same words, on every machine and run."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:4], "big")


def preferred(models, model, allowed):
    """The cameras of a model: files, and two raw ones that differ from model to model.
    A model keeps to few, so that references are shared."""
    at = list(models).index(model)
    raw = catalogue.RAW
    mine = [*catalogue.ENCODED, raw[at % len(raw)], raw[(at + 4) % len(raw)]]
    chosen = [s for s in mine if s in allowed]
    return chosen or [s for s in allowed]


def pictures_for(model, sensor):
    return str(number("pictures", model, sensor) % 5)


def make(fault, severity, model, sensor, with_sensor, pictures=None, right=None):
    """The case, or None where this bug cannot happen with this model and camera."""
    context = Context(right or model.right, SENSORS[sensor], model, with_sensor)
    changed = fault.changes(severity, context)
    if changed is None:
        return None
    settings, links, edge_model = changed
    kinds = {a.kind for a, _ in fault.atoms}
    return Case(fault.name, severity, model.name, sensor, fault.capture[severity % len(fault.capture)], with_sensor,
                pictures=pictures or pictures_for(model.name, sensor), settings=settings, links=[list(l) for l in links],
                edge_model=str(edge_model or ""), input_fault="input" in kinds)


def of_fault(models, fault, model, severities=(0, 1), with_tails=True):
    """Two severities with the sensor record (one kept as io, one as stats), and one of
    them without it."""
    found, without = [], number(fault.name, model.name, "without") % 2
    needs_sensor = {a.kind for a, _ in fault.atoms} != {"input"}
    for severity in severities:
        allowed = [s for s in fault.sensors if make(fault, severity, model, s, True)]
        if not allowed:
            continue
        mine = preferred(models, model.name, allowed)
        sensor = mine[(number(fault.name, model.name) + severity) % len(mine)]
        found.append(make(fault, severity, model, sensor, True))
        if with_tails and not needs_sensor and severity == without:
            found.append(make(fault, severity, model, sensor, False))
    return found


def faults(models):
    # Two models that share an edge and a reference but not both: one of them does.
    mine = [m for m in models.values() if m.name != "lite0_int8_vs_float"]
    return [c for f in catalogue.FAULTS for m in mine for c in of_fault(models, f, m)]


# ---- Healthy pairs ---------------------------------------------------------------------------


def pair(name, model, sensor="jpeg", capture="stats", with_sensor=True, pictures=None, settings=None, options=None,
         reference=None, edge_model=""):
    return Case(name, 0, model.name, sensor, capture, with_sensor, kind="healthy", pictures=pictures or pictures_for(model.name, sensor),
                settings=settings or {}, options=options or {}, reference=reference or {}, edge_model=edge_model)


def healthy(models):
    """Pairs that differ as healthy ones do.  None may have a finding."""
    found, arm64 = [], shutil.which("qemu-aarch64") and ARM64_ENGINE.exists()
    for at, m in enumerate(models.values()):
        raws = [catalogue.RAW[(at + k) % len(catalogue.RAW)] for k in range(3)]
        # The application's own arithmetic against the reference's.
        found += [pair("own_arithmetic", m, s, options={"program": "camera_app"}) for s in ("jpeg", *raws)]
        found += [pair("own_arithmetic", m, raws[0], with_sensor=False)]
        found += [
            pair("same", m, "png", "io"),
            pair("no_tap", m, raws[2], "io", settings={"manual": 1}),
            pair("upright_by_exif", m, "jpeg_turned"),
            pair("upright_by_camera", m, "rgb8_turned"),
            pair("other_decoder", m, settings={"dct": "ifast", "upsampling": "plain"}),
            pair("other_decoder", m, "jpeg", "io", False, settings={"dct": "float"}),
            pair("chroma_interpolated", m, "nv12", settings={"chroma": "linear"}),
            pair("noise_of_one_level", m, raws[1], settings={"noise": 1}),
            pair("noise_of_one_level", m, "png", "io", False, settings={"noise": 1}),
            pair("png_against_raw", m, "png", "io", False, options={"program": "camera_app"}, reference={"sensor": "rgb8"}),
            pair("builtin_against_xnnpack", m, capture="full", options={"kernels": "builtin"}, reference={"kernels": "xnnpack"}),
            pair("xnnpack_against_builtin", m, "png", options={"kernels": "xnnpack"}, reference={"kernels": "builtin"}),
            pair("two_threads", m, "png", options={"threads": 2}),
            pair("decoded_by_pillow", m, "pillow", "io", False, reference={"sensor": "jpeg"}),
            pair("decoded_by_opencv", m, "opencv", "io", False, reference={"sensor": "jpeg"}),
        ]
        if m.name.startswith("mobilenet_v1") and arm64:
            found.append(pair("arm64", m, raws[0], "full", options={"program": "arm64"}))
    return found


# ---- Random mixtures ---------------------------------------------------------------------------


def other_right(model, r):
    """Right pre-processing is not always this model's: another crop, kernel, range."""
    right = dict(model.right)
    if right["crop"] == "center" and r.random() < 0.5:
        right["fraction"] = r.choice([0.8, 0.9, 1.0])
    if r.random() < 0.4:
        right["filter"], right["antialias"] = r.choice([("bilinear", 0), ("bilinear", 1), ("bicubic", 1), ("area", 0), ("bicubic", 0)])
    if not model.integer and r.random() < 0.4:
        right["mean"], right["std"] = r.choice([((0,) * 3, (255,) * 3), catalogue.IMAGENET, ((127.5,) * 3, (127.5,) * 3)])
    return right


def draw(models, r, name):
    model = r.choice(list(models.values()))
    sensor = r.choice([*catalogue.ENCODED, *catalogue.RAW])
    right = other_right(model, r)
    pictures = f"{name}"
    if r.random() < 0.15:
        case = pair("healthy", model, sensor, r.choice(["io", "stats"]), r.random() < 0.5, pictures, options={"program": "camera_app"},
                    settings=r.choice([{}, {"noise": 1}, {"dct": "ifast"}, {"chroma": "linear"}]))
        return case, right
    pool = [a for a in catalogue.ATOMS if a.draw and a.kind == "input"]
    chosen, wanted = [], r.choice([1, 2, 2, 3])
    for atom in r.sample(pool, len(pool)):
        if len(chosen) == wanted:
            break
        groups = {a.group for a, _ in chosen}
        if atom.group in groups or ("colour" in groups | {atom.group} and catalogue.GRAY in [atom, *(a for a, _ in chosen)] and chosen):
            continue
        parameter = (atom, [atom.draw(r)])
        fault = Fault("x", [*chosen, parameter])
        if make(fault, 0, model, sensor, True, right=right):
            chosen.append(parameter)
    if not chosen:
        return None, right
    fault = Fault("+".join(a.name for a, _ in chosen), chosen, capture=(r.choice(["io", "stats"]),))
    return make(fault, 0, model, sensor, r.random() < 0.6, pictures, right), right


def drawn(models, seed, count):
    """`count` cases that only the seed knows; each with its own pictures and its own
    idea of what is right (execute.Bench reads it from the case)."""
    r, found = random.Random(seed), []
    while len(found) < count:
        case, right = draw(models, r, f"drawn {seed}.{len(found) // 4}")
        if case:
            case.right = right
            found.append(case)
    return found


# ---- The fast subset --------------------------------------------------------------------------

FAST_FAULTS = ("channels", "normalize_unit", "normalize_imagenet", "normalize_twice", "rotate_90", "flip", "stretched", "letterboxed",
               "kernel_nearest", "layout", "int8_as_uint8", "quantize_zero_point", "nv21_for_nv12", "yuv_range", "gamma",
               "stride_ignored", "frame_late", "label_offset", "bgr+unit+rotated", "letterbox+bgr+unit")
FAST_MODELS = ("mobilenet_v1", "mobilenet_v1_uint8")
FAST_HEALTHY = ("own_arithmetic", "other_decoder", "noise_of_one_level", "builtin_against_xnnpack")


def fast(models):
    few = {n: models[n] for n in FAST_MODELS if n in models} or dict(list(models.items())[:2])
    chosen = [c for c in healthy(few) if c.fault in FAST_HEALTHY and c.with_sensor]
    for f in catalogue.FAULTS:
        if f.name in FAST_FAULTS:
            for i, m in enumerate(few.values()):
                chosen += of_fault(few, f, m, severities=(i,), with_tails=False)
    return chosen
