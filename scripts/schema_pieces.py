"""schema/exray.proto for the recorder: the bytes of its FileDescriptorProto in pieces, and which of
them the set of each message needs.  A log's schema of a topic is a FileDescriptorSet with that
message and those it uses, which the recorder puts together as it writes it (core/encode/schema.c):
all sets share one table.

    schema_pieces.py DESCRIPTOR_SET      prints the header's content

The json_name of each field is left out: readers derive it from the name.  The bytes are packed by pairs (Gage, "A New
Algorithm for Data Compression", 1994): from 0x81 on, a byte stands for two, each of which may again; 0x80 stands
before a byte that is not to be looked up.
"""

import sys
from collections import Counter

FILE, NAME, PACKAGE, MESSAGE_TYPE, ENUM_TYPE, SYNTAX = 1, 1, 2, 4, 5, 12
FIELD, NESTED_TYPE, TYPE_NAME, JSON_NAME = 2, 3, 6, 10
INSIDE = {"message": {FIELD: "field", NESTED_TYPE: "message"}}


def read_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def fields(data):
    """(number, content, all bytes): descriptors have varints and pieces of bytes alone."""
    at = 0
    while at < len(data):
        begin = at
        tag, at = read_varint(data, at)
        value, at = read_varint(data, at)
        if tag & 7 == 2:
            at += value
        yield tag >> 3, data[at - value : at] if tag & 7 == 2 else b"", data[begin:at]


def wrapped(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def shortened(data, kind):
    out = b""
    for number, content, whole in fields(data):
        inside = INSIDE.get(kind, {}).get(number)
        if inside:
            out += wrapped(number, shortened(content, inside))
        elif not (kind == "field" and number == JSON_NAME):
            out += whole
    return out


def types_used(message):
    """The top-level types that a message's fields name: ".exray.v1.Result.Box" is Result's."""
    for number, content, _ in fields(message):
        if number == NESTED_TYPE:
            yield from types_used(content)
        elif number == FIELD:
            yield from (c.decode().split(".")[3] for n, c, _ in fields(content) if n == TYPE_NAME)


ESCAPE, FIRST_PAIR, MOST_PAIRS, DEEPEST = 0x80, 0x81, 0x7F, 8


def packed(pieces):
    """The pieces packed, and the pairs that bytes from FIRST_PAIR on stand for."""
    left = [[byte if byte < ESCAPE else (byte,) for byte in piece] for piece in pieces]  # (byte,): escaped
    pairs, depth = [], {}
    while len(pairs) < MOST_PAIRS:
        counts = Counter()
        for piece in left:
            at = 0
            while at + 1 < len(piece):
                a, b = piece[at], piece[at + 1]
                plain = not isinstance(a, tuple) and not isinstance(b, tuple)
                if plain and max(depth.get(a, 0), depth.get(b, 0)) < DEEPEST:
                    counts[a, b] += 1
                at += 2 if a == b and at + 2 < len(piece) and piece[at + 2] == a else 1
        (pair, count), = counts.most_common(1)
        if count < 4:  # a pair takes two bytes itself
            break
        token = FIRST_PAIR + len(pairs)
        pairs.append(pair)
        depth[token] = 1 + max(depth.get(one, 0) for one in pair)
        for i, piece in enumerate(left):
            made, at = [], 0
            while at < len(piece):
                both = tuple(piece[at : at + 2]) == pair
                made.append(token if both else piece[at])
                at += 2 if both else 1
            left[i] = made
    return [bytes(b for one in piece for b in ((ESCAPE, one[0]) if isinstance(one, tuple) else (one,))) for piece in left], pairs


def print_array(kind, name, numbers):
    print(f"static const {kind} {name}[] = {{")
    for at in range(0, len(numbers), 20):
        print("    " + ", ".join(str(n) for n in numbers[at : at + 20]) + ",")
    print("};\n")


def main():
    with open(sys.argv[1], "rb") as file:
        ((_, proto, _),) = fields(file.read())
    first = b"".join(whole for number, _, whole in fields(proto) if number in (NAME, PACKAGE))
    last = b"".join(whole for number, _, whole in fields(proto) if number == SYNTAX)
    pieces, number_of, used, messages = [first], {}, {}, []
    for number, content, _ in fields(proto):
        if number not in (MESSAGE_TYPE, ENUM_TYPE):
            continue
        name = next(c for n, c, _ in fields(content) if n == NAME).decode()
        used[name] = list(types_used(content)) if number == MESSAGE_TYPE else []
        number_of[name] = len(pieces)
        pieces.append(wrapped(number, shortened(content, "message" if number == MESSAGE_TYPE else "enum")))
        messages += [name] if number == MESSAGE_TYPE else []
    number_of[""] = len(pieces)
    pieces.append(last)

    def needed(name, found):
        if name not in found:
            found.add(name)
            for other in used[name]:
                needed(other, found)
        return found

    pieces, pairs = packed(pieces)
    print_array("uint8_t", "xr_schema_bytes", b"".join(pieces))
    print(f"/* What bytes from 0x{FIRST_PAIR:x} on stand for, two each; at most {DEEPEST} deep. */")
    print_array("uint8_t", "xr_schema_pairs", [one for pair in pairs for one in pair])
    print(f"enum {{ XR_SCHEMA_ESCAPE = 0x{ESCAPE:x}, XR_SCHEMA_DEEPEST = {DEEPEST} }};\n")
    print("/* Where each piece begins; the last ends with the bytes. */")
    print_array("uint16_t", "xr_schema_pieces", [sum(map(len, pieces[:i])) for i in range(len(pieces) + 1)])
    print("/* The pieces of each message's set, bit by bit. */")
    for name in messages:
        bits = 1 | 1 << number_of[""] | sum(1 << number_of[n] for n in needed(name, set()))
        print(f"#define XR_SCHEMA_SET_{name} 0x{bits:x}u")


main()
