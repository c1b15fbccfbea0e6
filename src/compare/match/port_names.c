#include "compare/match/port_names.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { LONGEST = 256 };

/* Words that converters number when they have no name. */
static const char *const counted[] = {"statefulpartitionedcall",
                                      "partitionedcall",
                                      "identity",
                                      "output",
                                      "outputs",
                                      "input",
                                      "inputs",
                                      "args",
                                      "arg",
                                      "tensor",
                                      "result",
                                      "args_0",
                                      "call",
                                      "model",
                                      "node",
                                      "value",
                                      "layer",
                                      "onnx"};

static bool is_counted(const char *word, size_t length)
{
    if (length == 0)
        return true;
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        if (strlen(counted[i]) == length && memcmp(counted[i], word, length) == 0)
            return true;
    return false;
}

/* In lower case, without the prefix of a signature and the ":0" of a first output. */
static size_t stem_of(const char *name, char out[LONGEST])
{
    static const char prefix[] = "serving_default_";
    if (strncmp(name, prefix, sizeof prefix - 1) == 0)
        name += sizeof prefix - 1;
    size_t n = 0;
    for (; *name && n + 1 < LONGEST; name++)
        out[n++] = (char)tolower((unsigned char)*name);
    if (n > 2 && out[n - 1] == '0' && out[n - 2] == ':')
        n -= 2;
    out[n] = '\0';
    return n;
}

bool xr_is_numbering(const char *name)
{
    char stem[LONGEST] = "";
    size_t n = stem_of(name, stem);
    for (size_t i = 0; i < n; i++) /* "onnx::MatMul_12": the tracer's count, whatever op it names */
        if (stem[i] == ':' && i + 1 < n && stem[i + 1] == ':')
            return true;
    while (n > 0 && (isdigit((unsigned char)stem[n - 1]) || strchr(":_.", stem[n - 1])))
        n--;
    return is_counted(stem, n);
}

/* Letters and digits: "input-ids", "input_ids" and "input.ids" are one name. */
static void plain(char *text)
{
    char *to = text;
    for (; *text; text++)
        if (isalnum((unsigned char)*text))
            *to++ = *text;
    *to = '\0';
}

xr_name_match xr_match_names(const char *a, const char *b)
{
    if (!a || !b || !*a || !*b)
        return XR_NAMES_DIFFER;
    if (strcmp(a, b) == 0)
        return xr_is_numbering(a) ? XR_NAMES_NUMBERED : XR_NAMES_SAME;
    char x[LONGEST] = "", y[LONGEST] = "";
    stem_of(a, x);
    stem_of(b, y);
    if (xr_is_numbering(x) || xr_is_numbering(y))
        return XR_NAMES_DIFFER;
    plain(x);
    plain(y);
    return *x && strcmp(x, y) == 0 ? XR_NAMES_ALIKE : XR_NAMES_DIFFER;
}
