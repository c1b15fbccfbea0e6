/* The way out of the MCAP writer: bytes on their way to the sink, which may take them, a part of
 * them, or none for now.
 *
 * Without the part of retries (retry.c) a sink that does not take all ends the log.  With it:
 *
 * A record is written whole or not at all.  What a sink does not take waits: in the buffer, or in
 * spare memory of the chunks.  While something waits, a record begins only where all of it finds
 * room in the buffer; others are dropped and counted.  A record that is under way when the sink
 * refuses, and whose rest finds no room, is taken back where the sink can (a file, memory); else
 * its rest is owed: bytes 0xFF that end it, so that what follows can be read (no protobuf message
 * ends in them, and no checksum agrees). */
#ifndef XR_OUT_H
#define XR_OUT_H

#include "core/output/mcap_state.h"

/* The writer's bytes go here: the `write` of an xr_mcap_sink. */
void xr_out_write(xr_sink *sink, const void *data, size_t size);

/* Whether a record of that size may begin; SIZE_MAX: of unknown size. */
bool xr_out_begin(xr_mcap *mcap, uint64_t size);
/* Ends it.  false: it is not in the log. */
bool xr_out_end(xr_mcap *mcap);
/* Counts records that are not in the log. */
void xr_out_lost(xr_mcap *mcap, uint32_t count);

/* Offers the sink what waits.  false: some of it still waits in the spare memory, or is owed. */
bool xr_out_flush(xr_mcap *mcap);
/* The error number of a sink that did not take all of it, or 0. */
int xr_out_refused(const xr_mcap *mcap);

/* How many of `size` bytes a sink took that returned `result`. */
size_t xr_out_taken(int result, size_t size);

#endif
