/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const proto_names[] = { "udp", "tcp", "p2p" };
const char *const variant_names[] = { "plain", "script", "no-address", "small-buffer", "slow-script" };
const char *const situation_names[] = {
    "connect", "expire", "storm", "rekey", "return", "move", "twin", "duplicate", "kill-cn",
    "kill-address", "inactive", "status-file", "status", "bytecount", "usr1", "usr1-persist",
    "hup", "term", "reject", "defer", "vanish", "vanish-pool", "garbled",
};
const char *const request_names[] = {
    "new-peer", "set-peer", "del-peer", "get-peer", "dump", "new-key", "swap-keys", "del-key",
    "script",
};
const char *const target_names[] = {
    "none", "requester", "other", "all", "reused", "foreign", "refused", "silent",
    "lagging",
};
const char *const position_names[] = { "ahead", "between", "behind" };

int
scenario_index(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; ++i)
    {
        if (!strcmp(names[i], name))
            return i;
    }
    return -1;
}

bool
scenario_lag(struct scenario *s, unsigned int n)
{
    static const unsigned int lags[][2] = {
        { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 }, { 5, 0 }, { 6, 0 }, { 0, 1 }, { 0, 10 }, { 0, 24 },
    };
    const bool lagging = s->target == TARGET_LAGGING;
    const unsigned int count = lagging ? sizeof(lags) / sizeof(*lags) : 1;
    s->lag_requests = lagging && n < count ? lags[n][0] : 0;
    s->lag_passes = lagging && n < count ? lags[n][1] : 0;
    return n < count;
}

/* Cut a word at its dot; returns the number behind it, or 0 */
static unsigned int
cut(char *word)
{
    char *dot = strchr(word, '.');
    if (dot)
        *dot++ = '\0';
    return dot ? (unsigned int)strtoul(dot, NULL, 10) : 0;
}

/* The rest of a name of six words; false if there are no such request, target, position */
static bool
parse_target(char *request, const char *target, const char *position, struct scenario *s)
{
    char unit = 'r';
    unsigned int lag = 0;
    s->occurrence = cut(request);
    const int r = scenario_index(request_names, REQUEST_COUNT, request);
    const int t = sscanf(target, "lagging-%c%u", &unit, &lag) == 2 ? (int)TARGET_LAGGING
                  : scenario_index(target_names, TARGET_COUNT, target);
    const int p = scenario_index(position_names, POSITION_COUNT, position);
    if (r < 0 || t <= TARGET_NONE || p < 0 || !s->occurrence || (t == TARGET_LAGGING && !lag))
        return false;
    s->request = r;
    s->target = t;
    s->position = p;
    *(unit == 'r' ? &s->lag_requests : &s->lag_passes) = lag;
    return true;
}

bool
scenario_parse(const char *name, struct scenario *s)
{
    char word[6][32] = { "", "", "", "", "", "" }, again[256];
    const int words = sscanf(name, "%31[^/]/%31[^/]/%31[^/]/%31[^/]/%31[^/]/%31s", word[0], word[1],
                             word[2], word[3], word[4], word[5]);
    const unsigned int number = cut(word[2]);
    *s = (struct scenario) { .occurrence = 1, .repeats = 1, .any = !strcmp(word[2], "any") };
    const bool drawn = s->any || !strcmp(word[2], "random");
    const int proto = scenario_index(proto_names, PROTO_COUNT, word[0]);
    const int variant = scenario_index(variant_names, VARIANT_COUNT, word[1]);
    const int situation = drawn ? (int)SITUATION_RANDOM
                          : scenario_index(situation_names, SITUATION_COUNT, word[2]);
    if (proto < 0 || variant < 0 || situation < 0 || (drawn && !number)
        || (words > 3 && !parse_target(word[3], word[4], word[5], s)))
    {
        return false;
    }
    s->proto = proto;
    s->variant = variant;
    s->situation = situation;
    s->seed = drawn ? number : 0;
    s->repeats = situation == SITUATION_REJECT && number ? number : 1;
    /* whatever else there is in a name */
    scenario_format(s, again, sizeof(again));
    return !strcmp(name, again);
}

void
scenario_format(const struct scenario *s, char *text, size_t size)
{
    const bool drawn = s->situation == SITUATION_RANDOM;
    const unsigned int n = drawn ? s->seed : s->repeats, lag = s->lag_requests + s->lag_passes;
    const char *situation = !drawn ? situation_names[s->situation] : s->any ? "any" : "random";
    char number[16] = "", target[64] = "", late[16] = "";
    if (drawn || n > 1)
        snprintf(number, sizeof(number), ".%u", n);
    if (s->target == TARGET_LAGGING)
        snprintf(late, sizeof(late), "-%c%u", s->lag_requests ? 'r' : 'p', lag);
    if (s->target != TARGET_NONE && !drawn)
    {
        snprintf(target, sizeof(target), "/%s.%u/%s%s/%s", request_names[s->request],
                 s->occurrence, target_names[s->target], late, position_names[s->position]);
    }
    snprintf(text, size, "%s/%s/%s%s%s", proto_names[s->proto], variant_names[s->variant],
             situation, number, target);
}

/* Whether a server with that variant can get into that situation */
static bool
situation_reachable(enum proto proto, enum variant variant, enum situation situation)
{
    if (variant == VARIANT_SLOW_SCRIPT)
    {
        /* the others close one, or all at once in any version */
        return proto != PROTO_P2P && situation == SITUATION_STORM;
    }
    if (situation == SITUATION_RETURN || situation == SITUATION_MOVE)
    {
        /* over TCP the instance goes with the connection */
        return proto == PROTO_UDP && variant == VARIANT_PLAIN;
    }
    if (situation == SITUATION_TWIN || situation == SITUATION_DEFER)
        return proto != PROTO_P2P && variant == VARIANT_PLAIN;
    if (proto != PROTO_P2P)
        /* it has no pool; what is garbled are three notifications, and two fit */
        return (variant != VARIANT_NO_ADDRESS || situation != SITUATION_VANISH_POOL)
               && (variant != VARIANT_SMALL_BUFFER || situation != SITUATION_GARBLED);
    /* one peer, without management by client, and without client-disconnect */
    return variant == VARIANT_PLAIN && situation != SITUATION_DUPLICATE
           && situation != SITUATION_STORM && situation < SITUATION_REJECT
           && situation != SITUATION_KILL_CN && situation != SITUATION_KILL_ADDRESS;
}

bool
scenario_is_alone(enum situation situation)
{
    return situation == SITUATION_RETURN || situation == SITUATION_MOVE
           || situation == SITUATION_TWIN || situation == SITUATION_DEFER;
}

/* Whether an id gets free there, or is given away, while its peer is gone already */
static bool
takes_id_again(const struct scenario *s)
{
    switch (s->situation)
    {
        case SITUATION_CONNECT:         /* the client that is refused, the next one */
        case SITUATION_REKEY:           /* as a key that is refused may end a connection */
        case SITUATION_DUPLICATE:
        case SITUATION_KILL_CN:
        case SITUATION_KILL_ADDRESS:
        case SITUATION_INACTIVE:
        case SITUATION_USR1:            /* it is another interface's */
        case SITUATION_USR1_PERSIST:
        case SITUATION_HUP:
            return s->proto != PROTO_P2P && s->variant == VARIANT_PLAIN
                   && s->request != REQUEST_NEW_PEER && s->request != REQUEST_SCRIPT
                   && s->position == POSITION_AHEAD;

        default:
            return false;
    }
}

bool
scenario_reachable(const struct scenario *s)
{
    if (!situation_reachable(s->proto, s->variant, s->situation))
        return false;
    if (s->target == TARGET_NONE)
        return true;
    /* it is about what the server asks for before it refuses a client; of whom it gets
     * no answer it asks the next time that it is full */
    if (s->situation == SITUATION_REJECT || s->situation == SITUATION_VANISH_POOL
        || ((s->situation == SITUATION_VANISH || s->situation == SITUATION_GARBLED)
            && (s->variant != VARIANT_PLAIN || s->request != REQUEST_GET_PEER || s->position == POSITION_BETWEEN
                || s->target == TARGET_REFUSED || s->target == TARGET_SILENT)))
        return false;
    /* who is served meanwhile is what it is about */
    if (s->variant == VARIANT_SLOW_SCRIPT || scenario_is_alone(s->situation))
        return false;
    if (s->target == TARGET_LAGGING)
        return takes_id_again(s);
    /* there is no other than the one */
    if (s->proto == PROTO_P2P && (s->target == TARGET_OTHER || s->target == TARGET_ALL))
        return false;
    /* a small buffer is about those that don't fit, and foreign ones only
     * matter there */
    const bool many = s->target == TARGET_ALL || s->target == TARGET_FOREIGN;
    if ((s->variant == VARIANT_SMALL_BUFFER && !many)
        || (s->variant != VARIANT_SMALL_BUFFER && s->target == TARGET_FOREIGN))
    {
        return false;
    }
    if (s->target == TARGET_REFUSED || s->target == TARGET_SILENT)
    {
        return s->variant == VARIANT_PLAIN && s->position == POSITION_AHEAD
               && s->request != REQUEST_SCRIPT;
    }
    /* only these have more than one reply */
    if (s->position == POSITION_BETWEEN && s->request != REQUEST_GET_PEER
        && s->request != REQUEST_DUMP)
    {
        return false;
    }
    if (s->request == REQUEST_SCRIPT)
    {
        /* what it runs for is over, and it has no replies */
        return s->variant == VARIANT_SCRIPT && s->position == POSITION_AHEAD
               && s->target != TARGET_REQUESTER && s->target != TARGET_REUSED;
    }
    /* its peer is there only once the kernel has made it, and no longer when
     * the kernel has removed it */
    if (s->request == REQUEST_NEW_PEER && s->position == POSITION_AHEAD)
        return s->target != TARGET_REQUESTER;
    if (s->request == REQUEST_DEL_PEER && s->position != POSITION_AHEAD)
        return s->target == TARGET_OTHER || s->target == TARGET_ALL;
    return true;
}
