"""Leaves the json_name of each field out of a FileDescriptorSet: readers derive it from the
name, and it is a quarter of the bytes, in every log and on every device.

    shorten_schema.py FILE      changes the file
"""

import sys

FILE, MESSAGE_TYPE, FIELD, NESTED_TYPE, JSON_NAME = 1, 4, 2, 3, 10
INSIDE = {"set": {FILE: "file"}, "file": {MESSAGE_TYPE: "message"}, "message": {FIELD: "field", NESTED_TYPE: "message"}}


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


def shortened(data, kind):
    out, at = b"", 0
    while at < len(data):
        begin = at
        tag, at = read_varint(data, at)
        value, at = read_varint(data, at)  # descriptors have varints and pieces of bytes alone
        if tag & 7 == 2:
            at += value
        field, inside = tag >> 3, INSIDE.get(kind, {}).get(tag >> 3)
        if inside:
            content = shortened(data[at - value : at], inside)
            out += varint(tag) + varint(len(content)) + content
        elif not (kind == "field" and field == JSON_NAME):
            out += data[begin:at]
    return out


with open(sys.argv[1], "rb") as file:
    data = shortened(file.read(), "set")
with open(sys.argv[1], "wb") as file:
    file.write(data)
