/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server's objects are linked with -Wl,--wrap=NAME for each __wrap_NAME
 * here; tests/server/build takes the list from this file and instance.c.
 */
#include "host.h"
#include "instance.h"
#include "module.h"
#include "netlink.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define FIRST_IFINDEX 5

/* The clock */

static long ahead;      /* milliseconds */

void
host_advance(long milliseconds)
{
    ahead += milliseconds;
}

int __real_gettimeofday(struct timeval *tv, void *tz);

int
__wrap_gettimeofday(struct timeval *tv, void *tz)
{
    const int result = __real_gettimeofday(tv, tz);
    const long microseconds = tv->tv_usec + ahead % 1000 * 1000;
    tv->tv_sec += ahead / 1000 + microseconds / 1000000;
    tv->tv_usec = microseconds % 1000000;
    return result;
}

time_t
__wrap_time(time_t *result)
{
    struct timeval tv;
    __wrap_gettimeofday(&tv, NULL);
    if (result)
        *result = tv.tv_sec;
    return tv.tv_sec;
}

unsigned int
__wrap_sleep(unsigned int seconds)
{
    host_advance(seconds * 1000L);
    return 0;
}

/* Waiting: event_set_init() takes epoll for a TCP server, and else poll */

int __real_epoll_wait(int fd, struct epoll_event *events, int max, int timeout);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);

struct events
{
    struct pollfd *fds;         /* or NULL: FD is an epoll's */
    nfds_t count;
    int fd, max;
    struct epoll_event *events;
};

static int
wait_for(const struct events *e, int timeout)
{
    int pause = 0;
    module_pass();
    for (int waited = 0;; waited += pause)
    {
        const int ready = e->fds ? __real_poll(e->fds, e->count, pause)
                          : __real_epoll_wait(e->fd, e->events, e->max, pause);
        if (ready)
            return ready;
        pause = host_idle(timeout);
        if (pause == HOST_TIMED_OUT || (pause && timeout >= 0 && waited >= timeout))
            return 0;
    }
}

int
__wrap_epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
    return wait_for(&(struct events) { .fd = fd, .events = events, .max = max }, timeout);
}

int
__wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    const bool reply = count == 1 && netlink_is(fds[0].fd);
    if (timeout && !reply)
        return wait_for(&(struct events) { .fds = fds, .count = count }, timeout);
    /* the reply to a request is there, or will not come */
    const int ready = __real_poll(fds, count, 0);
    host_advance(ready || timeout < 0 ? 0 : timeout);
    return ready;
}

pid_t __real_waitpid(pid_t pid, int *status, int options);

pid_t
__wrap_waitpid(pid_t pid, int *status, int options)
{
    host_script();
    return __real_waitpid(pid, status, options);
}

/* Interfaces, addresses, routes: as networking.h declares them, each with a context
 * that is not looked at. An interface that is made anew has another index
 * (net/core/dev.c: dev_new_index()). */

static unsigned int ifindex = FIRST_IFINDEX - 1;
static struct host_route routes[64];
static int route_count;

int
__wrap_net_iface_new(void *ctx, const char *name, const char *type, void *arg)
{
    module_interface_new(instance_is_multipeer(arg), ++ifindex);
    return 0;
}

int
__wrap_net_iface_del(void *ctx, const char *name)
{
    module_interface_del();
    route_count = 0;
    return 0;
}

unsigned int
__wrap_if_nametoindex(const char *name)
{
    return ifindex;
}

/* Routes through a peer's address. A route with another gateway is another one: net/ipv4/
 * fib_trie.c, fib_table_insert() without NLM_F_EXCL and NLM_F_REPLACE, and fib_nh_match() in
 * fib_table_delete(). They go with the interface. */

bool
host_same_route(const struct host_route *a, const struct host_route *b)
{
    return a->network == b->network && a->bits == b->bits && a->gateway == b->gateway;
}

static struct host_route *
find_route(const struct host_route *wanted)
{
    for (struct host_route *route = routes; route < routes + route_count; ++route)
    {
        if (host_same_route(route, wanted))
            return route;
    }
    return NULL;
}

int
host_routes(const struct host_route **list)
{
    *list = routes;
    return route_count;
}

bool
host_has_route(const struct host_route *route)
{
    return find_route(route);
}

int
__wrap_net_route_v4_add(void *ctx, const uint32_t *network, int bits, const uint32_t *gateway,
                        const char *interface, uint32_t table, int metric)
{
    const struct host_route route = { *network, bits, *gateway };
    if (find_route(&route))
        return -EEXIST;
    if (route_count == sizeof(routes) / sizeof(*routes))
        return -ENOMEM;
    routes[route_count++] = route;
    return 0;
}

int
__wrap_net_route_v4_del(void *ctx, const uint32_t *network, int bits, const uint32_t *gateway,
                        const char *interface, uint32_t table, int metric)
{
    struct host_route *route = find_route(&(struct host_route) { *network, bits, *gateway });
    if (!route)
        return -ESRCH;
    *route = routes[--route_count];
    return 0;
}

/* All others do nothing, and succeed; there is no interface yet, and no route to anywhere */
#define NOTHING(name, result)   \
    int __wrap_ ## name(void);  \
    int __wrap_ ## name(void)   \
    {                           \
        return result;          \
    }

NOTHING(net_iface_type, -ENODEV)
NOTHING(net_iface_up, 0)
NOTHING(net_iface_mtu_set, 0)
NOTHING(net_addr_v4_add, 0)
NOTHING(net_addr_v4_del, 0)
NOTHING(net_addr_v6_add, 0)
NOTHING(net_addr_v6_del, 0)
NOTHING(net_addr_ptp_v4_add, 0)
NOTHING(net_addr_ptp_v4_del, 0)
NOTHING(net_route_v6_add, 0)
NOTHING(net_route_v6_del, 0)
NOTHING(net_route_v4_best_gw, -ENETUNREACH)
NOTHING(net_route_v6_best_gw, -ENETUNREACH)
