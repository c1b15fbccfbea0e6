#!/usr/bin/env python3
"""Draws the pictures of docs/causes.md: what a fault does to a picture, to values, to time.

    cause_pictures.py docs/images/causes

A drawn scene, so that the pictures belong to nobody and never change.  Needs Pillow and NumPy
(build/python-demo has them).
"""

import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = (168, 126)


def scene(scale=4):
    """A house in the evening: every colour, fine lines, nothing symmetric."""
    w, h = SIZE[0] * scale, SIZE[1] * scale
    top, bottom = np.array([70, 120, 200.0]), np.array([250, 190, 140.0])
    t = np.linspace(0, 1, h)[:, None, None]
    sky = Image.fromarray(np.broadcast_to(top * (1 - t) + bottom * t, (h, w, 3)).astype(np.uint8).copy())
    d = ImageDraw.Draw(sky)
    u = w / 168

    def box(*corners):
        return [c * u for c in corners]

    d.ellipse(box(122, 14, 146, 38), fill=(255, 225, 90))
    d.rectangle(box(0, 92, 168, 126), fill=(70, 130, 60))
    d.rectangle(box(28, 54, 84, 104), fill=(200, 60, 50))
    d.polygon(box(20, 56, 56, 26, 92, 56), fill=(90, 50, 45))
    for x in (36, 62):
        d.rectangle(box(x, 62, x + 14, 76), fill=(245, 235, 170), outline=(60, 40, 40), width=int(u))
    d.rectangle(box(50, 82, 62, 104), fill=(80, 50, 40))
    d.rectangle(box(126, 78, 132, 104), fill=(95, 65, 40))
    d.ellipse(box(112, 48, 146, 86), fill=(35, 110, 60))
    for i in range(14):
        d.line(box(96 + 5 * i, 112, 98 + 5 * i, 100 + i % 3), fill=(230, 240, 220), width=int(u))
    for i in range(7):
        d.line(box(4, 100 + 3.5 * i, 24, 100 + 3.5 * i), fill=(30, 60, 30), width=max(1, int(u / 2)))
    return sky


def small(image, how=Image.Resampling.BOX):
    return image.resize(SIZE, how)


def values(image):
    return np.asarray(image, np.float64)


def shown(array):
    return Image.fromarray(np.clip(np.rint(array), 0, 255).astype(np.uint8))


# ---- What a fault does to a picture ------------------------------------------------------


def normalization(x):
    """[0, 1] where [-1, 1] is wanted, shown on the scale of the right one."""
    return shown(x / 2 + 127.5)


def stride(x):
    """Rows of 168 pixels read as rows of 164."""
    flat = x.reshape(-1, 3)
    row = SIZE[0] - 4
    rows = len(flat) // row
    sheared = flat[: rows * row].reshape(rows, row, 3)[: SIZE[1]]
    out = np.zeros((SIZE[1], SIZE[0], 3))
    out[: len(sheared), :row] = sheared
    return shown(out)


def layout(x):
    """Planes read as pixels."""
    return shown(x.transpose(2, 0, 1).reshape(x.shape))


def yuv_as_nv21(x):
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    y = 0.299 * r + 0.587 * g + 0.114 * b
    u, v = 0.564 * (b - y), 0.713 * (r - y)
    u, v = v, u
    return shown(np.stack([y + 1.403 * v, y - 0.344 * u - 0.714 * v, y + 1.773 * u], -1))


def letterbox(image):
    inner = image.resize((SIZE[0] * 3 // 4, SIZE[1] * 3 // 4), Image.Resampling.BOX)
    out = Image.new("RGB", SIZE)
    out.paste(inner, ((SIZE[0] - inner.width) // 2, (SIZE[1] - inner.height) // 2))
    return out


def nearest(image):
    tiny = image.resize((56, 42), Image.Resampling.NEAREST)
    return tiny.resize(SIZE, Image.Resampling.NEAREST)


def decoder(image):
    """Chroma at an eighth of the size, not interpolated: what a cheap decoder leaves."""
    y, cb, cr = image.convert("YCbCr").split()
    coarse = [c.resize((SIZE[0] // 8, SIZE[1] // 8), Image.Resampling.BOX).resize(SIZE, Image.Resampling.NEAREST) for c in (cb, cr)]
    return Image.merge("YCbCr", (y, *coarse)).convert("RGB")


def quantization(x):
    """A range that holds a third of the values."""
    return shown(np.clip(x, 85, 170))


def picture_faults():
    big = scene()
    right = small(big)
    x = values(right)
    moved = small(big.transform(big.size, Image.Transform.AFFINE, (1, 0, 90, 0, 1, 0), fillcolor=(70, 130, 60)))
    return right, {
        "input.channel_order": shown(x[..., ::-1]),
        "input.normalization": normalization(x),
        "input.quantization": quantization(x),
        "input.dtype": shown((x.astype(np.uint8).astype(np.int16) + 128) % 256),
        "input.resize": nearest(big),
        "input.rotation": right.transpose(Image.Transpose.ROTATE_90).resize(SIZE, Image.Resampling.BOX),
        "input.flip": right.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "input.crop": letterbox(big),
        "input.layout": layout(x),
        "input.color_space": yuv_as_nv21(x),
        "input.stride": stride(x),
        "input.frame_order": moved,
        "input.decoder": decoder(right),
    }


def side_by_side(right, wrong):
    out = Image.new("RGB", (SIZE[0] * 2 + 8, SIZE[1]), (255, 255, 255))
    out.paste(right, (0, 0))
    out.paste(wrong, (SIZE[0] + 8, 0))
    return out.quantize(128, dither=Image.Dither.NONE)


# ---- What a fault does to values and to time ----------------------------------------------

INK, CALM, FAULT = "#57606a", "#8ab4d8", "#d1495b"
WIDE, HIGH = 344, 126


def svg(parts, label):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}" role="img">'
        f"<title>{label}</title>"
        f'<rect width="{WIDE}" height="{HIGH}" fill="#fff"/><g font-family="sans-serif" font-size="10" fill="{INK}">{"".join(parts)}</g></svg>\n'
    )


def bars(heights, x, width, colour, base=104, most=80):
    each = width / len(heights)
    return [
        f'<rect x="{x + i * each:.1f}" y="{base - h * most:.1f}" width="{each * 0.8:.1f}" height="{max(h * most, 0.5):.1f}" fill="{c}"/>'
        for i, h in enumerate(heights)
        for c in [colour(i) if callable(colour) else colour]
    ]


def bell(count=32, centre=0.5, spread=0.16):
    return [math.exp(-(((i + 0.5) / count - centre) ** 2) / (2 * spread**2)) for i in range(count)]


def text(x, y, words, colour=INK, anchor="start"):
    return f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}">{words}</text>'


def both(left, right, label, words=("reference", "edge")):
    line = f'<line x1="8" y1="104.5" x2="{WIDE - 8}" y2="104.5" stroke="{INK}"/>'
    return svg([*left, *right, line, text(84, 120, words[0], anchor="middle"), text(260, 120, words[1], anchor="middle")], label)


def line_plot(ys, label, marks=(), words=""):
    step = (WIDE - 24) / (len(ys) - 1)
    points = " ".join(f"{12 + i * step:.1f},{104 - y * 80:.1f}" for i, y in enumerate(ys))
    dots = [f'<circle cx="{12 + i * step:.1f}" cy="{104 - ys[i] * 80:.1f}" r="3" fill="{FAULT}"/>' for i in marks]
    return svg([f'<polyline points="{points}" fill="none" stroke="{CALM}" stroke-width="2"/>', *dots, text(12, 120, words)], label)


def value_faults():
    healthy = bell()
    clipped = [h if 9 <= i < 23 else 0 for i, h in enumerate(healthy)]
    clipped[9] = clipped[22] = 1
    coarse = [sum(healthy[i // 8 * 8 : i // 8 * 8 + 8]) / 8 if i % 8 == 3 else 0 for i in range(32)]
    off = [0] * 12 + healthy[:20]
    off[31] = 1
    spread = [0.03, 0.9, 0.05, 0.5, 0.02, 0.04, 0.7, 0.03]
    random = np.random.default_rng(5)
    jitter = random.uniform(0, 0.04, 40)
    kinds = [0.1, 0.08, 0.1, 0.07, 0.11, 0.08, 0.1, 0.09]
    slow = [0.1, 0.9, 0.1, 0.85, 0.11, 0.95, 0.1, 0.09]
    odd = lambda i: FAULT if i % 2 else CALM  # noqa: E731
    scores = [0.05, 0.1, 0.72, 0.08, 0.05]
    return {
        "layer.saturation": both(bars(healthy, 12, 150, CALM), bars(clipped, 188, 150, lambda i: FAULT if i in (9, 22) else CALM),
                                 "A histogram with both tails cut off and piled up at its ends"),
        "layer.range": both(bars(healthy, 12, 150, CALM), bars(coarse, 188, 150, FAULT), "A histogram with four of 32 values left"),
        "layer.zero_point": both(bars(healthy, 12, 150, CALM), bars(off, 188, 150, lambda i: FAULT if i == 31 else CALM),
                                 "A histogram moved to one side and piled up at its end"),
        "layer.per_tensor_weights": svg([*bars(spread, 12, 320, lambda i: CALM if spread[i] > 0.2 else FAULT),
                                         f'<line x1="8" y1="94" x2="336" y2="94" stroke="{INK}" stroke-dasharray="3 3"/>',
                                         text(12, 120, "weights by channel; one step of the common scale: - -")],
                                        "Weights by channel: five of eight are smaller than one step"),
        "layer.constant": both(bars(healthy, 12, 150, CALM), bars([0] * 15 + [1] + [0] * 16, 188, 150, FAULT), "A single value"),
        "layer.precision": both(bars(healthy, 12, 150, CALM), bars([h if i % 4 == 0 else 0 for i, h in enumerate(healthy)], 188, 150, FAULT),
                                "Fewer values, evenly spaced: rounded to 16 bits"),
        "layer.nan": both(bars(healthy, 12, 150, CALM), [text(262, 70, "NaN", FAULT, "middle")], "No number is left"),
        "layer.kernel": line_plot([0.02, 0.02, 0.03, 0.02, 0.75, 0.7, 0.72, 0.68, 0.7, 0.66], "Error by layer: a step up at one layer", [4],
                                  "error by layer: its inputs are right, its output is not"),
        "model.weights": svg([*bars([0.5, 0.6, 0.4, 0.7, 0.5, 0.6, 0.45, 0.55], 12, 320, lambda i: FAULT if i == 4 else CALM),
                              text(12, 120, "weights by layer: one layer's are others")], "One layer of eight stands out"),
        "model.version": svg([*bars([0.5, 0.6, 0.4, 0.7, 0.5, 0.6, 0.45, 0.55], 12, 320, FAULT), text(12, 120, "weights by layer: all are others")],
                             "All layers stand out"),
        "model.operator": line_plot([0.02, 0.02, 0.02, 0.5, 0.45, 0.5, 0.46], "Error by layer: a step up", [3],
                                    "error by layer: a padding, an activation, a convention differs"),
        "output.label_offset": both(bars(scores, 12, 150, lambda i: FAULT if i == 2 else CALM), bars([0.02, *scores[:4]], 188, 150, lambda i: FAULT if i == 3 else CALM),
                                    "The same scores, one class further"),
        "output.activation": both(bars(scores, 12, 150, CALM), bars([0.36, 0.4, 0.62, 0.38, 0.36], 188, 150, FAULT), "Scores before and after a function"),
        "output.dequantization": both(bars(scores, 12, 150, CALM), bars([s * 1.2 + 0.05 for s in scores], 188, 150, FAULT), "The same scores in another unit"),
        "perf.straggler": both(bars(kinds, 12, 150, CALM), bars(slow, 188, 150, odd), "Time by layer: one kind takes nearly all of it"),
        "perf.fallback": svg([f'<rect x="12" y="52" width="120" height="30" fill="{CALM}"/><rect x="140" y="52" width="44" height="30" fill="{FAULT}"/>'
                              f'<rect x="192" y="52" width="140" height="30" fill="{CALM}"/>', text(40, 71, "delegate", "#fff"), text(146, 71, "CPU", "#fff"),
                              text(234, 71, "delegate", "#fff"), text(12, 120, "a layer that the delegate leaves out")], "A layer between two partitions"),
        "perf.warmup": line_plot([0.95] + [0.2 + j for j in jitter[1:]], "Time by frame: the first is slow", [0], "time by frame"),
        "perf.throttle": line_plot([0.25 + j for j in jitter[:20]] + [0.7 + j for j in jitter[20:]], "Time by frame: slower from the middle on", [20],
                                   "time by frame: the clock falls"),
        "perf.memory_growth": line_plot([0.1 + 0.02 * i for i in range(40)], "Memory by frame rises to the end", [], "memory by frame"),
    }


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    right, faults = picture_faults()
    for cause, wrong in faults.items():
        side_by_side(right, wrong).save(folder / f"{cause}.png", optimize=True)
    for cause, drawing in value_faults().items():
        (folder / f"{cause}.svg").write_text(drawing)


if __name__ == "__main__":
    main()
