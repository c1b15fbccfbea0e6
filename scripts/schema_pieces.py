"""schema/exray.proto for the recorder: the bytes of its FileDescriptorProto in pieces, and which of
them the set of each message needs.  A log's schema of a topic is a FileDescriptorSet with that
message and those it uses, which the recorder puts together as it writes it (core/encode/schema.c):
all sets share one table.

    schema_pieces.py DESCRIPTOR_SET      prints the header's content

The json_name of each field is left out: readers derive it from the name.
"""

import sys

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

    print("static const uint8_t xr_schema_bytes[] = {")
    data = b"".join(pieces)
    for at in range(0, len(data), 20):
        print("    " + ", ".join(str(b) for b in data[at : at + 20]) + ",")
    print("};\n\n/* Where each piece begins; the last ends with the bytes. */\nstatic const uint16_t xr_schema_pieces[] = {")
    starts = [sum(map(len, pieces[:i])) for i in range(len(pieces) + 1)]
    for at in range(0, len(starts), 15):
        print("    " + ", ".join(map(str, starts[at : at + 15])) + ",")
    print("};\n\n/* The pieces of each message's set, bit by bit. */")
    for name in messages:
        bits = 1 | 1 << number_of[""] | sum(1 << number_of[n] for n in needed(name, set()))
        print(f"#define XR_SCHEMA_SET_{name} 0x{bits:x}u")


main()
