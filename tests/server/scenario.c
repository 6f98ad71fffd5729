/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const proto_names[] = { "udp", "tcp", "p2p" };
const char *const variant_names[] = { "plain", "script", "no-address", "small-buffer", "slow-script" };
const char *const situation_names[] = {
    "connect", "expire", "storm", "rekey", "return", "move", "duplicate", "kill-cn",
    "kill-address", "inactive", "status-file", "status", "usr1", "usr1-persist", "hup", "term",
    "reject", "vanish", "vanish-pool", "garbled",
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

/* The target with that name, or -1; its lag, if it has one, goes to S */
static int
target_of(const char *name, struct scenario *s)
{
    char unit;
    unsigned int lag;
    int end = 0;
    if (sscanf(name, "lagging-%c%u%n", &unit, &lag, &end) == 2)
    {
        s->lag_requests = unit == 'r' ? lag : 0;
        s->lag_passes = unit == 'p' ? lag : 0;
        return !name[end] && s->lag_requests + s->lag_passes > 0 ? TARGET_LAGGING : -1;
    }
    const int target = scenario_index(target_names, TARGET_COUNT, name);
    return target == TARGET_LAGGING ? -1 : target;
}

bool
scenario_lag(struct scenario *s, unsigned int n)
{
    static const unsigned int requests[] = { 1, 2, 3, 4, 5, 6 }, passes[] = { 1, 10, 24 };
    const unsigned int count = sizeof(requests) / sizeof(*requests);
    s->lag_requests = s->lag_passes = 0;
    if (s->target != TARGET_LAGGING)
        return n == 0;
    if (n < count)
        s->lag_requests = requests[n];
    else if (n - count < sizeof(passes) / sizeof(*passes))
        s->lag_passes = passes[n - count];
    return s->lag_requests + s->lag_passes > 0;
}

bool
scenario_parse(const char *name, struct scenario *s)
{
    char word[6][32] = { "", "", "", "", "", "" };
    const int words = sscanf(name, "%31[^/]/%31[^/]/%31[^/]/%31[^/]/%31[^/]/%31s", word[0], word[1],
                             word[2], word[3], word[4], word[5]);
    *s = (struct scenario) { .occurrence = 1, .repeats = 1 };
    if (words != 3 && words != 6)
        return false;
    const int proto = scenario_index(proto_names, PROTO_COUNT, word[0]);
    const int variant = scenario_index(variant_names, VARIANT_COUNT, word[1]);
    int situation = scenario_index(situation_names, SITUATION_COUNT, word[2]);
    int end = 0;
    if (words == 3)
        s->any = sscanf(word[2], "any.%u%n", &s->seed, &end) == 1;
    if (words == 3 && (s->any || sscanf(word[2], "random.%u%n", &s->seed, &end) == 1))
    {
        if (s->seed == 0 || word[2][end])
            return false;
        situation = SITUATION_RANDOM;
    }
    else if (words == 3 && sscanf(word[2], "reject.%u%n", &s->repeats, &end) == 1)
    {
        situation = s->repeats > 1 && !word[2][end] ? SITUATION_REJECT : -1;
    }
    if (proto < 0 || variant < 0 || situation < 0)
        return false;
    s->proto = proto;
    s->variant = variant;
    s->situation = situation;
    if (words == 3)
        return true;
    char *dot = strchr(word[3], '.');
    if (!dot || (s->occurrence = (unsigned int)strtoul(dot + 1, NULL, 10)) == 0)
        return false;
    *dot = '\0';
    const int request = scenario_index(request_names, REQUEST_COUNT, word[3]);
    const int target = target_of(word[4], s);
    const int position = scenario_index(position_names, POSITION_COUNT, word[5]);
    if (request < 0 || target <= TARGET_NONE || position < 0)
        return false;
    s->request = request;
    s->target = target;
    s->position = position;
    return true;
}

void
scenario_format(const struct scenario *s, char *text, size_t size)
{
    if (s->situation == SITUATION_RANDOM)
    {
        snprintf(text, size, "%s/%s/%s.%u", proto_names[s->proto], variant_names[s->variant],
                 s->any ? "any" : "random", s->seed);
        return;
    }
    const int length = snprintf(text, size, "%s/%s/%s", proto_names[s->proto],
                                variant_names[s->variant], situation_names[s->situation]);
    if (s->repeats > 1 && length > 0 && (size_t)length < size)
        snprintf(text + length, size - length, ".%u", s->repeats);
    if (s->target != TARGET_NONE && length > 0 && (size_t)length < size)
    {
        char lag[16] = "";
        if (s->target == TARGET_LAGGING)
        {
            snprintf(lag, sizeof(lag), "-%c%u", s->lag_requests ? 'r' : 'p',
                     s->lag_requests ? s->lag_requests : s->lag_passes);
        }
        snprintf(text + length, size - length, "/%s.%u/%s%s/%s", request_names[s->request],
                 s->occurrence, target_names[s->target], lag, position_names[s->position]);
    }
}

bool
scenario_situation_reachable(enum proto proto, enum variant variant, enum situation situation)
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
    if (proto != PROTO_P2P)
        /* it has no pool; what is garbled are three notifications, and two fit */
        return (variant != VARIANT_NO_ADDRESS || situation != SITUATION_VANISH_POOL)
               && (variant != VARIANT_SMALL_BUFFER || situation != SITUATION_GARBLED);
    /* one peer, without management by client, and without client-disconnect */
    return variant == VARIANT_PLAIN && situation != SITUATION_DUPLICATE
           && situation != SITUATION_STORM && situation < SITUATION_REJECT
           && situation != SITUATION_KILL_CN && situation != SITUATION_KILL_ADDRESS;
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
    if (!scenario_situation_reachable(s->proto, s->variant, s->situation))
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
    /* who is served meanwhile is what it is about, or which keys there are */
    if (s->variant == VARIANT_SLOW_SCRIPT || s->situation == SITUATION_RETURN
        || s->situation == SITUATION_MOVE)
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
