"""Logs whose header and footer contradict each other, with a right checksum: made byte by byte, or
from a healthy log."""

import struct
import zlib

MAGIC = b"\x89MCAP0\r\n"


def text(value):
    return struct.pack("<I", len(value)) + value


def record(opcode, content, length=None):
    return struct.pack("<BQ", opcode, len(content) if length is None else length) + content


def footer(data, summary_start):
    """`data` with a footer whose checksum is right."""
    data += record(2, struct.pack("<QQ", summary_start, 0), 20)
    return data + struct.pack("<I", zlib.crc32(data[summary_start:])) + MAGIC


def tiny():
    """76 bytes; the summary begins in the header record."""
    header = record(1, text(b"exray") + text(b""))
    return footer(MAGIC + header + record(0x80, b"", 1 << 40), 9)


def leaking():
    """A metadata record whose length wraps around; its value would be what lies behind the file."""
    header = record(1, text(b"exray") + text(b"lib") + 64 * b"P")
    good = record(0x0C, text(b"exray") + text(text(b"role") + text(b"edge")))
    value = struct.pack("<I", 8021) + 3900 * b"A"
    bad = record(0x0C, text(b"exray.x") + struct.pack("<I", 8033) + text(b"leak") + value, 2**64 - 124)
    return footer(MAGIC + header + good + bad, 20)


def header_flips(healthy):
    """Copies of a log with one bit of the header's length flipped, which reaches over the records or
    beyond the file."""
    start = struct.unpack_from("<Q", healthy, len(healthy) - 28)[0]
    for bit in range(64):
        data = bytearray(healthy)
        data[9 + bit // 8] ^= 1 << bit % 8
        if struct.unpack_from("<Q", data, 9)[0] + 17 > (start or len(healthy)):
            yield bytes(data)
