/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Client instances that the real multi.c can close: what it calls for that is
 * recorded here.
 */

#ifndef MOCK_INSTANCE_H
#define MOCK_INSTANCE_H

#include "mock_openvpn.h"

/* a server has these clients at first */
#define N_CLIENTS   200

/* what was last polled of each, and what its own counters are */
#define POLLED_READ     111
#define POLLED_WRITTEN  222
#define LINK_READ       10000
#define LINK_WRITTEN    20000

extern struct signal_info instance_signal[N_CLIENTS];

/* the instances that were closed, in this order, and what the client-disconnect
 * plugin was told about each */
struct closed_instance
{
    const struct multi_instance *mi;
    long long received;
    long long sent;
};
extern struct closed_instance closed[2 * N_CLIENTS];
extern int n_closed;

/* how often the plugin was told */
extern int n_told;

/* what a client-connect plugin answers, -1: there is none */
extern int client_connect;

/** Let a server have N_CLIENTS clients that are connected, and what multi.c needs. */
int setup_instances(void **state);

int teardown_instances(void **state);

/*
 * A client that is set up
 */

#define NEWCOMER    7

/* what it is refused for */
struct refused
{
    bool options;               /* by the options that its client-connect set */
    bool peer;                  /* by the kernel, when it is added */
    bool keys;                  /* its keys can't be made, or are refused */
};
extern struct refused refused;

/** Let a server have N_CLIENTS clients: all but NEWCOMER are connected. */
int setup_newcomer(void **state);

int teardown_newcomer(void **state);

/** Let the server go on with the set-up of NEWCOMER. */
void set_up(void);

/*
 * A client that comes
 */

/** Let a client come, from another address than all before it. Returns its instance,
 * which has no peer yet, and is in closed[] only if it is of CM_CHILD_UDP by then; or
 * NULL if it is refused. */
struct multi_instance *come(void);

/* the --ping-restart that it inherits, 0: none */
extern int ping_restart;

/*
 * Time
 */

/* seconds within which a timer is served, however it is rounded */
#define ROUNDED     3

/** Let the event loop run for so many seconds, without an event but timeouts. */
void run_timers(int seconds);

/*
 * All of them
 */

/** Let the server \a m have N_CLIENTS clients that are connected, whose peers the
 * kernel has; forget those that were closed. */
void connect_instances(struct multi_context *m);

/** Free what they have. */
void free_instances(void);

/** Check that instances \a first to \a first + \a n - 1, and no others, were
 * closed. */
void assert_only_closed(int first, int n);

#endif /* ifndef MOCK_INSTANCE_H */
