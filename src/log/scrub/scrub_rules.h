/* What a scrubbed log may keep: patterns of topics, and what each pattern met. */
#ifndef XR_SCRUB_RULES_H
#define XR_SCRUB_RULES_H

#include <exray/types.h>

/* One pattern: a topic, in which * stands for any characters (also /), ? for one, [abc] for one of these.
 * Beside the log's topics there are the names of what is no message of its own:
 *   /frame/source, /frame/label, /frame/values, /frame/spans    fields of the frames
 *   /metadata/KEY                                               a pair of a metadata record
 *   /attachment/NAME                                            an attachment */
typedef struct xr_scrub_rule {
    const char *pattern;
    uint64_t met; /* messages, pairs or attachments that it stood for */
} xr_scrub_rule;

enum { XR_SCRUB_MOST_RULES = 64 };

typedef struct xr_scrub_rules {
    xr_scrub_rule drop[XR_SCRUB_MOST_RULES], stats[XR_SCRUB_MOST_RULES];
    size_t drop_count, stats_count;
} xr_scrub_rules;

/* What becomes of a topic. */
typedef enum xr_scrub_fate { XR_SCRUB_KEEP, XR_SCRUB_STATS, XR_SCRUB_DROP } xr_scrub_fate;

/* Drop goes before stats.  *rule: the first pattern that says so, or NULL; nothing is counted. */
xr_scrub_fate xr_scrub_fate_of(xr_scrub_rules *rules, const char *topic, xr_scrub_rule **rule);

/* Whether the topic is dropped; counts it as met. */
bool xr_scrub_drops(xr_scrub_rules *rules, const char *topic);

/* The first pattern that met nothing, or NULL. */
const char *xr_scrub_idle_rule(const xr_scrub_rules *rules);

#endif
