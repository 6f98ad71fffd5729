/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the server gets from its host besides netlink, under the scenario's
 * control: interfaces and routes, the clock, and waiting. The clock runs as the
 * real one, but for host_advance(): no scenario sleeps through a timeout.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stdint.h>

/* Set the server's clock forward, in milliseconds */
void host_advance(long milliseconds);

/* A route through the address of a client, host byte order; the server gives IPv4 ones */
struct host_route
{
    uint32_t network;
    int bits;
    uint32_t gateway;
};

/* All that there are; returns how many */
int host_routes(const struct host_route **list);

bool host_has_route(const struct host_route *route);
bool host_same_route(const struct host_route *a, const struct host_route *b);

/*
 * To be implemented by the scenario: the server waits for events, at most TIMEOUT
 * milliseconds, or -1, and there are none. Returns for how many milliseconds to wait
 * really, for the clients (0: look again, for something has been done), or HOST_TIMED_OUT:
 * the server is told that its time is over.
 */
int host_idle(int timeout);
#define HOST_TIMED_OUT (-1)

/* To be implemented by the scenario: the server waits for a script of its own */
void host_script(void);

#endif
