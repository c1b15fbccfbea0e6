#include "log/scrub/scrub_rules.h"

#include <fnmatch.h>

static xr_scrub_rule *find(xr_scrub_rule *rules, size_t count, const char *topic)
{
    for (size_t i = 0; i < count; i++)
        if (fnmatch(rules[i].pattern, topic, 0) == 0)
            return &rules[i];
    return NULL;
}

xr_scrub_fate xr_scrub_fate_of(xr_scrub_rules *rules, const char *topic, xr_scrub_rule **rule)
{
    *rule = find(rules->drop, rules->drop_count, topic);
    if (*rule)
        return XR_SCRUB_DROP;
    *rule = find(rules->stats, rules->stats_count, topic);
    return *rule ? XR_SCRUB_STATS : XR_SCRUB_KEEP;
}

bool xr_scrub_drops(xr_scrub_rules *rules, const char *topic)
{
    xr_scrub_rule *rule = find(rules->drop, rules->drop_count, topic);
    if (rule)
        rule->met++;
    return rule != NULL;
}

static const char *idle(const xr_scrub_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!rules[i].met)
            return rules[i].pattern;
    return NULL;
}

const char *xr_scrub_idle_rule(const xr_scrub_rules *rules)
{
    const char *pattern = idle(rules->drop, rules->drop_count);
    return pattern ? pattern : idle(rules->stats, rules->stats_count);
}
