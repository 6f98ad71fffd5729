/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scenario: what the server is doing, and what the kernel does just when it asks for
 * something. doc/interleavings.rst says what its name means, which is written as
 *
 *     PROTO/VARIANT/SITUATION[/REQUEST.N/TARGET/POSITION]
 *
 * In the situation reject.N so many clients are gone at once.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "module.h"

#include <stdbool.h>
#include <stddef.h>

enum proto
{
    PROTO_UDP,
    PROTO_TCP,
    PROTO_P2P,                  /* point-to-point mode, over UDP */
    PROTO_COUNT
};

enum variant
{
    VARIANT_PLAIN,
    VARIANT_SCRIPT,             /* a client-disconnect script that blocks */
    VARIANT_NO_ADDRESS,         /* clients have no virtual address */
    VARIANT_SMALL_BUFFER,       /* the receive buffer holds two notifications */
    VARIANT_SLOW_SCRIPT,        /* as script, and each takes a second; more clients */
    VARIANT_COUNT
};

enum situation
{
    SITUATION_CONNECT,          /* a client connects */
    SITUATION_EXPIRE,           /* an established client's peer expires */
    SITUATION_STORM,            /* all peers expire at once */
    SITUATION_REKEY,            /* the clients' keys are renegotiated */
    SITUATION_RETURN,           /* but for one that is gone, and comes back soon after */
    SITUATION_MOVE,             /* the same, and it comes back from another address */
    SITUATION_TWIN,             /* two clients are one, with --duplicate-cn; the first one goes */
    SITUATION_DUPLICATE,        /* a client connects with a common name in use */
    SITUATION_KILL_CN,          /* management: kill, by common name */
    SITUATION_KILL_ADDRESS,     /* and by address */
    SITUATION_INACTIVE,         /* --inactive */
    SITUATION_STATUS_FILE,
    SITUATION_STATUS,           /* management: status */
    SITUATION_BYTECOUNT,        /* and bytecount, which asks for one peer at a time */
    SITUATION_USR1,             /* SIGUSR1 */
    SITUATION_USR1_PERSIST,     /* and with --persist-tun */
    SITUATION_HUP,              /* SIGHUP */
    SITUATION_TERM,             /* SIGTERM */
    SITUATION_REJECT,           /* clients are refused: one asks why, one is gone at once */
    SITUATION_DEFER,            /* a client is gone while its client-connect is deferred */
    SITUATION_VANISH,           /* the peers of a full server go without a word; a client comes */
    SITUATION_VANISH_POOL,      /* the same where all addresses are taken */
    SITUATION_GARBLED,          /* one goes, and what is told is garbled; a client comes */
    SITUATION_COUNT,
    SITUATION_RANDOM = SITUATION_COUNT
};

enum target
{
    TARGET_NONE,                /* nothing happens */
    TARGET_REQUESTER,           /* whom the request is for */
    TARGET_OTHER,
    TARGET_ALL,
    TARGET_REUSED,              /* the requester's id, of a peer before it */
    TARGET_FOREIGN,             /* another server's peers, then all */
    TARGET_REFUSED,             /* none; the request is refused: ENOMEM */
    TARGET_SILENT,              /* none; the replies are lost */
    TARGET_LAGGING,             /* the requester; notifications are late */
    TARGET_COUNT
};

struct scenario
{
    enum proto proto;
    enum variant variant;
    enum situation situation;
    enum target target;
    enum request request;       /* these three unless TARGET_NONE */
    unsigned int occurrence;    /* of that request, from 1 */
    enum position position;
    unsigned int lag_requests, lag_passes;      /* of TARGET_LAGGING: one of them */
    unsigned int seed;          /* of SITUATION_RANDOM */
    unsigned int repeats;       /* of SITUATION_REJECT: how often it is gone */
    bool any;                   /* which draws from all that there is */
};

extern const char *const proto_names[PROTO_COUNT];
extern const char *const variant_names[VARIANT_COUNT];
extern const char *const situation_names[SITUATION_COUNT];
extern const char *const request_names[REQUEST_COUNT];
extern const char *const target_names[TARGET_COUNT];
extern const char *const position_names[POSITION_COUNT];

/* Index of a name in a table of COUNT names, or -1 */
int scenario_index(const char *const *names, int count, const char *name);

/* Read a scenario's name. False if there is no such scenario. */
bool scenario_parse(const char *name, struct scenario *scenario);

/* Write a scenario's name to TEXT, of SIZE bytes */
void scenario_format(const struct scenario *scenario, char *text, size_t size);

/* Set the Nth lag, from 0, that a scenario with this target is played with; the
 * others have none. False if there are not as many. */
bool scenario_lag(struct scenario *scenario, unsigned int n);

/* Whether nothing comes between: it is about which keys or routes there are */
bool scenario_is_alone(enum situation situation);

/* Whether the kernel can do that then: not everything is reachable */
bool scenario_reachable(const struct scenario *scenario);

#endif
