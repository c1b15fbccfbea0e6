/* A log over a link that loses bytes: a serial line, a radio, a pipe that drops.
 *
 *     static exray_link link;
 *     static uint8_t packet[1024], repeats[8192];
 *     exray_link_config to = EXRAY_LINK_CONFIG_INIT;
 *     to.write = uart_write;
 *     to.packet = packet;
 *     to.packet_size = sizeof packet;
 *     to.repeats = repeats;
 *     to.repeats_size = sizeof repeats;
 *     to.stream = (uint16_t)boot_count;
 *     exray_link_open(&link, &to);
 *     config.stream = true;
 *     exray_recorder_open_device(&recorder, exray_link_write, &link, &config);
 *
 * The bytes of the log become packets of at most one record each, framed by COBS, with a number and a CRC
 * (spec/link-format.md).  `exray receive` makes a log of what arrives: lost or changed bytes cost the records
 * they are of, which are counted and told, never believed.
 *
 * The recorder must write a stream (config.stream).  No heap, no other code than this; about 1.3 KB on a
 * Cortex-M4.  Threads: a link belongs to its recorder, which calls it from one thread at a time. */
#ifndef EXRAY_LINK_H
#define EXRAY_LINK_H

#include <exray/recorder.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* Where packets go.  Begin with EXRAY_LINK_CONFIG_INIT.  Since 0.2.0. */
typedef struct exray_link_config {
    uint32_t size; /* sizeof(exray_link_config) */

    /* Sends one whole packet.  Whatever it returns but 0 loses that packet, which is counted; the recording
     * goes on. */
    exray_recorder_write_fn write;
    void *user;

    void *packet;         /* memory for one packet, borrowed while the link is in use */
    uint32_t packet_size; /* bytes, at least EXRAY_LINK_PACKET_LEAST.  A record that needs more is sent in
                             several packets, and lost with any of them */

    /* What a receiver cannot do without (schemas, channels, the model, metadata, attachments) is kept here,
     * as far as it fits, and sent again, one record of it after every `repeat_every` others: a receiver that
     * lost it, or came later, waits for it.  NULL: sent once. */
    void *repeats;
    uint32_t repeats_size; /* bytes, at most 16 MiB are used */
    uint32_t repeat_every; /* 0: 16 */

    uint16_t stream; /* another value for every log that is sent, such as a boot count: a receiver begins a
                        new file where it changes */
} exray_link_config;

/* exray_link_config config = EXRAY_LINK_CONFIG_INIT;  Since 0.2.0. */
#define EXRAY_LINK_CONFIG_INIT                                                                               \
    {                                                                                                        \
        sizeof(exray_link_config), NULL, NULL, NULL, 0, NULL, 0, 0, 0                                        \
    }

/* The least config.packet_size, bytes.  Since 0.2.0. */
#define EXRAY_LINK_PACKET_LEAST 64

/* A link.  Its fields are its own; zeros are a link that sends nothing.  Since 0.2.0. */
typedef struct exray_link {
    uint64_t exray_private[20];
} exray_link;

/* Makes a link ready.  EXRAY_E_ARGUMENT: no write function, or no room for a packet; the link then sends
 * nothing.  Since 0.2.0. */
exray_status exray_link_open(exray_link *link, const exray_link_config *config);

/* The recorder's write function, with the link as `user`.  Always returns 0.  What was handed over is sent
 * when it returns.  Since 0.2.0. */
int exray_link_write(void *link, const void *data, size_t size);

/* Packets that config.write did not take, and records that were not kept for repeating since
 * config.repeats is full.  Since 0.2.0. */
uint64_t exray_link_lost_packets(const exray_link *link);
uint64_t exray_link_unrepeated(const exray_link *link);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
