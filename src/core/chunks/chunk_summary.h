/* The summary of a log in chunks. */
#ifndef XR_CHUNK_SUMMARY_H
#define XR_CHUNK_SUMMARY_H

#include "core/chunks/chunks.h"

/* Writes the summary and the footer up to its CRC, which is returned. */
uint32_t xr_chunks_summary(xr_mcap *mcap);

#endif
