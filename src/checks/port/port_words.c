#include "checks/port/port_words.h"

#include "checks/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void xr_port_name(const exray_io_pair *io, char *text, size_t size)
{
    if (strcmp(io->name[EXRAY_SIDE_EDGE], io->name[EXRAY_SIDE_REFERENCE]) == 0)
        snprintf(text, size, "%.80s", io->name[EXRAY_SIDE_EDGE]);
    else
        snprintf(text, size, "%.80s (%.80s in the reference)", io->name[EXRAY_SIDE_EDGE],
                 io->name[EXRAY_SIDE_REFERENCE]);
}

/* The port that a finding is about, where it is one of several; else NULL. */
static const exray_io_pair *one_of_several(const exray_comparison *comparison, const exray_finding *f)
{
    bool input = f->stage && strcmp(f->stage, "input") == 0;
    if (!f->tensor || !f->stage || (!input && strcmp(f->stage, "output") != 0))
        return NULL;
    /* What an application made of its outputs is of no single one. */
    if (strcmp(f->cause, "output.postprocess") == 0)
        return NULL;
    size_t count =
        input ? exray_comparison_input_count(comparison) : exray_comparison_output_count(comparison);
    for (size_t i = 0; count > 1 && i < count; i++) {
        const exray_io_pair *io =
            input ? exray_comparison_input(comparison, i) : exray_comparison_output(comparison, i);
        if (strcmp(io->name[EXRAY_SIDE_EDGE], f->tensor) == 0)
            return io;
    }
    return NULL;
}

/* Whether a name stands in a text as a word of its own. */
static bool mentions(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = strstr(text, name); length && at; at = strstr(at + 1, name)) {
        bool begins = at == text || strchr(" \"'([", at[-1]), ends = strchr(" \"')],.:;", at[length]) != NULL;
        if (begins && ends)
            return true;
    }
    return false;
}

/* False: out of memory, and the text is as it was. */
static bool put_in_front(char **text, const char *kind, const exray_io_pair *io)
{
    char name[200];
    if (!*text || mentions(*text, io->name[EXRAY_SIDE_EDGE]))
        return true;
    xr_port_name(io, name, sizeof name);
    size_t size = strlen(*text) + strlen(name) + strlen(kind) + 4;
    char *longer = malloc(size);
    if (!longer)
        return false;
    snprintf(longer, size, "%s %s: %s", kind, name, *text);
    free(*text);
    *text = longer;
    return true;
}

void xr_name_ports(const exray_comparison *comparison, exray_findings *findings)
{
    for (exray_finding *f = findings->first; comparison && f; f = f->next) {
        const exray_io_pair *io = one_of_several(comparison, f);
        const char *kind = io && strcmp(f->stage, "input") == 0 ? "Input" : "Output";
        if (io && (!put_in_front(&f->summary, kind, io) || !put_in_front(&f->fix, kind, io)))
            findings->out_of_memory = true;
    }
}
