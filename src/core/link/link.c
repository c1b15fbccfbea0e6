#include <exray/link.h>

#include "core/checksums/crc32.h"
#include "core/encode/sink.h"
#include "core/link/link_format.h"
#include "core/mcap_format.h"
#include "core/sized.h"

enum {
    KEPT_HEADER = 8, /* bytes: number, size */
    MOST_REPEATS = 16 << 20,
    REPEAT_EVERY = 16,
    CHANNEL_ID = 2,                                   /* bytes that a message begins with */
    MOST_PREFIX = XR_MCAP_RECORD_HEADER + CHANNEL_ID, /* what tells whether a record is kept */
};

/* A record on its way, piece by piece. */
typedef struct outgoing {
    uint32_t number, offset; /* of the next piece in the record */
    uint8_t flags;
    bool open; /* a packet is being made */
} outgoing;

/* What exray_link.exray_private holds. */
typedef struct link_state {
    exray_recorder_write_fn write;
    void *user;
    uint8_t *packet, *repeats;
    uint32_t packet_size, repeats_size, repeat_every;
    uint16_t stream;

    /* The record at hand. */
    uint64_t left;               /* bytes of it, behind the prefix */
    uint8_t prefix[MOST_PREFIX]; /* how it begins */
    uint8_t used, wanted;        /* bytes of the prefix; 0 wanted: no record is at hand */
    bool ended;                  /* the footer has passed: only the magic follows */
    outgoing now;

    /* The packet that is being made. */
    uint32_t size, code, payload; /* bytes; where the COBS code byte stands; bytes of payload */
    uint32_t crc;

    /* Records to repeat, one after another: number, size, bytes. */
    uint32_t kept, keeping; /* bytes: of whole ones; and with the one that is being kept, or 0 */
    uint32_t next_repeat, since_repeat;
    uint16_t model_channel; /* whose messages are kept; 0: not known */
    uint32_t unrepeated;
    uint64_t lost_packets;
} link_state;

_Static_assert(sizeof(link_state) <= sizeof(exray_link), "exray_link has no room for its state");

/* ---- Packets ---------------------------------------------------------------------- */

/* COBS: a zero ends a run, whose code byte says how long it was; no zero goes out but as a delimiter. */
static void put(link_state *l, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i])
            l->packet[l->size++] = data[i];
        const uint32_t run = l->size - l->code - 1;
        if (!data[i] || run == XR_LINK_COBS_RUN) {
            l->packet[l->code] = (uint8_t)(run + 1);
            l->code = l->size++;
        }
    }
}

static void put_checked(link_state *l, const void *data, size_t size)
{
    l->crc = xr_crc32_small(l->crc, data, size);
    put(l, data, size);
}

static void begin_packet(link_state *l, const outgoing *record)
{
    uint8_t header[XR_LINK_HEADER] = {(uint8_t)(XR_LINK_VERSION | record->flags)};
    xr_store_u16(header + 1, l->stream);
    xr_store_u32(header + 3, record->number);
    xr_store_u32(header + 7, record->offset);
    l->packet[0] = 0; /* whatever the line carried before ends here */
    l->code = 1;
    l->size = 2;
    l->payload = 0;
    l->crc = 0;
    put_checked(l, header, sizeof header);
}

static void send_packet(link_state *l)
{
    uint8_t crc[XR_LINK_CRC];
    xr_store_u32(crc, l->crc);
    put(l, crc, sizeof crc);
    l->packet[l->code] = (uint8_t)(l->size - l->code);
    l->packet[l->size++] = 0;
    if (l->write(l->user, l->packet, l->size) != 0)
        l->lost_packets++;
}

/* The next piece of a record; packets that are full go out. */
static void send_piece(link_state *l, outgoing *record, const uint8_t *data, size_t size)
{
    const size_t most = xr_link_payload(l->packet_size);
    while (size) {
        if (!record->open)
            begin_packet(l, record);
        const size_t room = most - l->payload, take = size < room ? size : room;
        put_checked(l, data, take);
        l->payload += (uint32_t)take;
        record->offset += (uint32_t)take;
        record->open = l->payload < most;
        if (!record->open)
            send_packet(l);
        data += take;
        size -= take;
    }
}

static void send_rest(link_state *l, outgoing *record)
{
    if (record->open)
        send_packet(l);
    record->open = false;
}

/* ---- Repeats ---------------------------------------------------------------------- */

/* Whether a receiver can do nothing without the record that begins with the prefix. */
static bool is_needed(const link_state *l)
{
    switch (l->prefix[0]) {
    case XR_MCAP_HEADER:
    case XR_MCAP_SCHEMA:
    case XR_MCAP_CHANNEL:
    case XR_MCAP_METADATA:
    case XR_MCAP_ATTACHMENT:
        return true;
    case XR_MCAP_MESSAGE:
        return l->model_channel && l->used == MOST_PREFIX &&
               (l->prefix[MOST_PREFIX - 2] | l->prefix[MOST_PREFIX - 1] << 8) == l->model_channel;
    default:
        return false;
    }
}

static void keep_piece(link_state *l, const uint8_t *data, size_t size)
{
    if (!l->keeping)
        return;
    memcpy(l->repeats + l->keeping, data, size);
    l->keeping += (uint32_t)size;
}

/* Begins to keep the record whose prefix was read, where it is needed and there is room. */
static void begin_to_keep(link_state *l)
{
    if (!l->repeats_size || !is_needed(l))
        return;
    const uint64_t size = l->used + l->left;
    if (size > l->repeats_size - l->kept || l->repeats_size - l->kept - size < KEPT_HEADER) {
        l->unrepeated++;
        return;
    }
    xr_store_u32(l->repeats + l->kept, l->now.number);
    xr_store_u32(l->repeats + l->kept + 4, (uint32_t)size);
    l->keeping = l->kept + KEPT_HEADER;
}

static uint32_t load32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* A channel that was kept: whether it is the model's. */
static void look_at_channel(link_state *l, const uint8_t *record, size_t size)
{
    static const char topic[] = "/model";
    enum { LENGTH = 4, TOPIC = XR_MCAP_RECORD_HEADER + 4 }; /* behind id and schema */
    const size_t length = sizeof topic - 1;
    if (record[0] == XR_MCAP_CHANNEL && size >= TOPIC + LENGTH + length && load32(record + TOPIC) == length &&
        memcmp(record + TOPIC + LENGTH, topic, length) == 0)
        l->model_channel = (uint16_t)(record[XR_MCAP_RECORD_HEADER] | record[XR_MCAP_RECORD_HEADER + 1] << 8);
}

static void end_keeping(link_state *l)
{
    if (!l->keeping)
        return;
    const uint32_t begin = l->kept + KEPT_HEADER;
    look_at_channel(l, l->repeats + begin, l->keeping - begin);
    l->kept = l->keeping;
    l->keeping = 0;
}

static void send_repeat(link_state *l)
{
    if (!l->kept || ++l->since_repeat < l->repeat_every)
        return;
    l->since_repeat = 0;
    if (l->next_repeat >= l->kept)
        l->next_repeat = 0;
    const uint8_t *at = l->repeats + l->next_repeat;
    const uint32_t size = load32(at + 4);
    outgoing record = {.number = load32(at), .flags = XR_LINK_REPEAT};
    send_piece(l, &record, at + KEPT_HEADER, size);
    send_rest(l, &record);
    l->next_repeat += KEPT_HEADER + size;
}

/* ---- Records ---------------------------------------------------------------------- */

static void end_record(link_state *l)
{
    send_rest(l, &l->now);
    end_keeping(l);
    l->ended = l->ended || l->prefix[0] == XR_MCAP_FOOTER;
    l->used = l->wanted = 0;
    l->now = (outgoing){.number = l->now.number + 1};
    send_repeat(l);
}

/* Bytes of the next record's prefix that are known to be wanted; the magic is no record, but goes as one. */
static uint8_t prefix_wanted(const link_state *l)
{
    if (l->now.number == 0 || l->ended)
        return XR_MCAP_MAGIC_SIZE;
    return XR_MCAP_RECORD_HEADER;
}

/* After the wanted bytes of the prefix were read: false, it wants more. */
static bool prefix_is_whole(link_state *l)
{
    if (l->wanted == XR_MCAP_MAGIC_SIZE) {
        l->left = 0;
        return true;
    }
    if (l->wanted == XR_MCAP_RECORD_HEADER) {
        l->left = (uint64_t)load32(l->prefix + 5) << 32 | load32(l->prefix + 1);
        if (l->prefix[0] == XR_MCAP_MESSAGE && l->left >= CHANNEL_ID) {
            l->wanted = MOST_PREFIX;
            return false;
        }
        return true;
    }
    l->left -= CHANNEL_ID;
    return true;
}

static size_t take_prefix(link_state *l, const uint8_t *data, size_t size)
{
    if (!l->wanted)
        l->wanted = prefix_wanted(l);
    const size_t missing = (size_t)(l->wanted - l->used), take = size < missing ? size : missing;
    memcpy(l->prefix + l->used, data, take);
    l->used = (uint8_t)(l->used + take);
    if (l->used == l->wanted && prefix_is_whole(l)) {
        begin_to_keep(l);
        keep_piece(l, l->prefix, l->used);
        send_piece(l, &l->now, l->prefix, l->used);
        l->wanted = l->used; /* the rest is content */
        if (!l->left)
            end_record(l);
    }
    return take;
}

static size_t take_content(link_state *l, const uint8_t *data, size_t size)
{
    const size_t take = size < l->left ? size : (size_t)l->left;
    keep_piece(l, data, take);
    send_piece(l, &l->now, data, take);
    l->left -= take;
    if (!l->left)
        end_record(l);
    return take;
}

int exray_link_write(void *link, const void *data, size_t size)
{
    link_state *l = link;
    const uint8_t *at = data;
    while (l->write && size) {
        const bool in_content = l->wanted && l->used == l->wanted && l->left;
        const size_t take = in_content ? take_content(l, at, size) : take_prefix(l, at, size);
        at += take;
        size -= take;
    }
    return 0;
}

/* ---- Open ------------------------------------------------------------------------- */

exray_status exray_link_open(exray_link *link, const exray_link_config *config)
{
    link_state *l = (link_state *)link;
    exray_link_config c;
    memset(link, 0, sizeof *link);
    if (xr_sized_read(&c, sizeof c, config) || !c.write || !c.packet ||
        c.packet_size < EXRAY_LINK_PACKET_LEAST || (c.repeats_size && !c.repeats))
        return EXRAY_E_ARGUMENT;
    *l = (link_state){.write = c.write,
                      .user = c.user,
                      .packet = c.packet,
                      .packet_size = c.packet_size,
                      .repeats = c.repeats,
                      .repeats_size = c.repeats_size < MOST_REPEATS ? c.repeats_size : MOST_REPEATS,
                      .repeat_every = c.repeat_every ? c.repeat_every : REPEAT_EVERY,
                      .stream = c.stream};
    return EXRAY_OK;
}

uint64_t exray_link_lost_packets(const exray_link *link)
{
    return ((const link_state *)link)->lost_packets;
}

uint64_t exray_link_unrepeated(const exray_link *link)
{
    return ((const link_state *)link)->unrepeated;
}
