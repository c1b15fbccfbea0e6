#!/usr/bin/env python3
"""Writes src/media/text/unicode_classes.c and unicode_maps.c: what the tokenizers need of Unicode, and
src/checks/told/text/composed_table.c: letters that marks make of others; by Python's unicodedata (which says its version there).  Run it when a newer version matters: the files are part of the source."""

import pathlib
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "src/media/text"
CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HEAD = f"""/* Written by scripts/make_unicode.py from Unicode {unicodedata.unidata_version}; do not edit.  clang-format off */
/* clang-format off */
#include "media/text/unicode_tables.h"
"""

# Marks, punctuation and formats that came after Unicode 8, which is what Hugging Face's `tokenizers` know of these classes;
# and two characters that have changed since.  Word pieces follow them, as the models were trained with them.
NEWER = """
61D 7FD 890-891 898-89F 8CA-8E2 9FD-9FE A76 AFA-AFF B55 C04 C3C C77 C84 D00 D3B-D3C D81 EBA 180F 1885-1886 1ABF-1ACE
1B7D-1B7E 1DF6-1DFB 2E43-2E4F 2E52-2E5D A82C A8C5 A8FF A9BD 10D24-10D27 10EAB-10EAD 10F46-10F50 10F55-10F59
10F82-10F89 11070 11073-11074 110C2 110CD 111C9 111CF 1123E 1133B 11438-1143F 11442-11444 11446 1144B-1144F
1145A-1145B 1145D-1145E 11660-1166C 116B9 1182F-11837 11839-1183B 1193B-1193C 1193E 11943-11946 119D4-119D7
119DA-119DB 119E0 119E2 11A01-11A0A 11A33-11A38 11A3B-11A47 11A51-11A56 11A59-11A5B 11A8A-11A96 11A98-11A9C
11A9E-11AA2 11C30-11C36 11C38-11C3D 11C3F 11C41-11C45 11C70-11C71 11C92-11CA7 11CAA-11CB0 11CB2-11CB3 11CB5-11CB6
11D31-11D36 11D3A 11D3C-11D3D 11D3F-11D45 11D47 11D90-11D91 11D95 11D97 11EF3-11EF4 11EF7-11EF8 11FFF 12FF1-12FF2
13430-13438 16E97-16E9A 16F4F 16FE2 16FE4 1CF00-1CF2D 1CF30-1CF46 1E000-1E006 1E008-1E018 1E01B-1E021 1E023-1E024
1E026-1E02A 1E130-1E136 1E2AE 1E2EC-1E2EF 1E944-1E94A 1E95E-1E95F
"""
CHANGED = {0x166D: "Po", 0x1734: "Mn"}


def codes_of(ranges):
    for r in ranges.split():
        first, _, last = r.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


UNKNOWN = frozenset(codes_of(NEWER))


def category(c):
    return CHANGED.get(c) or unicodedata.category(chr(c))


def known(c):
    """Its category, as of Unicode 8."""
    return "Cn" if c in UNKNOWN else category(c)


CLASSES = {
    "xr_unicode_words": ("What Python's \\\\w takes: letters, numbers, and the underscore.", lambda c: chr(c).isalnum() or c == 0x5F),
    "xr_unicode_spaces": ("What Python's \\\\s takes.", lambda c: chr(c).isspace()),
    "xr_unicode_digits": ("What Python's \\\\d takes.", lambda c: category(c) == "Nd"),
    "xr_unicode_marks": ("Nonspacing marks (Mn).", lambda c: known(c) == "Mn"),
    "xr_unicode_letters": ("Letters (L).", lambda c: category(c)[0] == "L"),
    "xr_unicode_punctuation": ("Punctuation (P), and ASCII's other signs.",
                               lambda c: known(c)[0] == "P" or (c < 128 and chr(c).isprintable() and not chr(c).isalnum() and c != 32)),
    "xr_unicode_controls": ("Controls, formats and private use (Cc, Cf, Co).", lambda c: known(c) in ("Cc", "Cf", "Co")),
}


def ranges(test):
    made = []
    for c in CODES:
        if not test(c):
            continue
        if made and made[-1][1] == c - 1:
            made[-1][1] = c
        else:
            made.append([c, c])
    return made


def rows(entries, per_line):
    return "".join("    " + " ".join(entries[i:i + per_line]) + "\n" for i in range(0, len(entries), per_line))


def write_classes():
    text = HEAD
    for name, (what, test) in CLASSES.items():
        made = ranges(test)
        text += f"\n/* {what.replace(chr(92) * 2, chr(92))} */\nstatic const xr_unicode_range {name}_ranges[] = {{\n"
        text += rows([f"{{{a:#x}, {b:#x}}}," for a, b in made], 6)
        text += f"}};\nconst xr_unicode_class {name} = {{{name}_ranges, {len(made)}}};\n"
    (FOLDER / "unicode_classes.c").write_text(text)


def write_map(name, what, mapped):
    """mapped: {code: [codes]}; pairs of one code each, and the few of another number."""
    pairs = [f"{{{c:#x}, {to[0]:#x}}}," for c, to in mapped.items() if len(to) == 1]
    others = [f"{{{c:#x}, {len(to)}, {{{', '.join(hex(x) for x in to) or 0}}}}}," for c, to in mapped.items() if len(to) != 1]
    text = f"\n/* {what} */\nstatic const xr_unicode_pair {name}_pairs[] = {{\n" + rows(pairs, 6)
    text += f"}};\nstatic const xr_unicode_several {name}_several[] = {{\n" + rows(others, 4)
    return text + f"}};\nconst xr_unicode_map {name} = {{{name}_pairs, {len(pairs)}, {name}_several, {len(others)}}};\n"


def bare(c):
    """Its canonical decomposition without nonspacing marks."""
    return [ord(x) for x in unicodedata.normalize("NFD", chr(c)) if known(ord(x)) != "Mn"]


def write_maps():
    lower = {c: [ord(x) for x in chr(c).lower()] for c in CODES if chr(c).lower() != chr(c)}
    # Hangul syllables follow from a rule (unicode.c), marks from their class.
    stripped = {c: bare(c) for c in CODES if not 0xAC00 <= c <= 0xD7A3 and known(c) != "Mn" and bare(c) != [c]}
    text = HEAD + write_map("xr_unicode_lower", "To lower case.", lower)
    text += write_map("xr_unicode_bare", "Decomposed, without nonspacing marks.", stripped)
    (FOLDER / "unicode_maps.c").write_text(text)


def write_composed():
    """Syllables of Hangul follow from a rule (composed.c); what lies beyond 16 bits is rare."""
    made = []
    for c in CODES:
        parts = unicodedata.normalize("NFD", chr(c))
        first = unicodedata.normalize("NFC", parts[:-1])
        whole = c < 0x10000 and not 0xAC00 <= c <= 0xD7A3 and len(parts) > 1 and len(first) == 1
        if whole and unicodedata.normalize("NFC", first + parts[-1]) == chr(c):
            made.append((ord(first), ord(parts[-1]), c))
    text = HEAD.replace("media/text/unicode_tables.h", "checks/told/text/composed_table.h")
    text += "\n/* A letter, a mark behind it, and the letter that they are together; sorted. */\nconst xr_composed_letter xr_composed_letters[] = {\n"
    text += rows([f"{{{a:#x}, {b:#x}, {c:#x}}}," for a, b, c in sorted(made)], 4)
    text += f"}};\nconst size_t xr_composed_count = {len(made)};\n"
    (ROOT / "src/checks/told/text/composed_table.c").write_text(text)


write_classes()
write_maps()
write_composed()
