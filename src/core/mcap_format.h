/* What MCAP's specification fixes, and our own record: opcodes, the magic, sizes.  The one place for the
 * recorder, the reader and whoever writes MCAP files. */
#ifndef XR_MCAP_FORMAT_H
#define XR_MCAP_FORMAT_H

#define XR_MCAP_MAGIC      "\x89MCAP0\r\n"
#define XR_MCAP_MAGIC_SIZE 8

enum {
    XR_MCAP_HEADER = 0x01,
    XR_MCAP_FOOTER = 0x02,
    XR_MCAP_SCHEMA = 0x03,
    XR_MCAP_CHANNEL = 0x04,
    XR_MCAP_MESSAGE = 0x05,
    XR_MCAP_CHUNK = 0x06,
    XR_MCAP_MESSAGE_INDEX = 0x07,
    XR_MCAP_CHUNK_INDEX = 0x08,
    XR_MCAP_ATTACHMENT = 0x09,
    XR_MCAP_ATTACHMENT_INDEX = 0x0A,
    XR_MCAP_STATISTICS = 0x0B,
    XR_MCAP_METADATA = 0x0C,
    XR_MCAP_METADATA_INDEX = 0x0D,
    XR_MCAP_SUMMARY_OFFSET = 0x0E,
    XR_MCAP_DATA_END = 0x0F,
    XR_MCAP_CHECK = 0xF5, /* ours (spec/log-format.md); four bits from any other opcode */
};

/* Bytes. */
enum {
    XR_MCAP_RECORD_HEADER = 9,   /* opcode and length */
    XR_MCAP_MESSAGE_HEADER = 22, /* of a message's content, before its data */
    XR_MCAP_FOOTER_SIZE = 20,    /* content */
    XR_MCAP_CHECK_SIZE = 12,     /* content */
};

/* The CRC-32 of any bytes that end with their own CRC-32: from here the next Check record's is continued. */
#define XR_MCAP_CHECK_SEED 0x2144DF1Cu

#endif
