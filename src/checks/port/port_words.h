/* Names of inputs and outputs in what is said about them. */
#ifndef XR_PORT_WORDS_H
#define XR_PORT_WORDS_H

#include <exray/assertion.h>

/* Where a model has several inputs (outputs), every summary and fix about one names it: puts the name in
 * front of those that do not. */
void xr_name_ports(const exray_comparison *comparison, exray_findings *findings);

/* "x1", or "x1 (before in the reference)" where the sides have other names for it. */
void xr_port_name(const exray_io_pair *io, char *text, size_t size);

#endif
