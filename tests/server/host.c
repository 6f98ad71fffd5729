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
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
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
    tv->tv_sec += ahead / 1000;
    tv->tv_usec += ahead % 1000 * 1000;
    if (tv->tv_usec >= 1000000)
    {
        tv->tv_usec -= 1000000;
        ++tv->tv_sec;
    }
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

/* Waiting */

/* As poll() of what WAIT waits for, at most MILLISECONDS */
typedef int (*wait_fn)(void *what, int milliseconds);

static int
wait_for(wait_fn wait, void *what, int timeout)
{
    int pause = 0;
    module_pass();
    for (int waited = 0;; waited += pause)
    {
        const int ready = wait(what, pause);
        if (ready)
            return ready;
        pause = host_idle(timeout);
        if (pause == HOST_TIMED_OUT || (pause && timeout >= 0 && waited >= timeout))
            return 0;
    }
}

struct epoll_what
{
    int fd, max;
    struct epoll_event *events;
};

int __real_epoll_wait(int fd, struct epoll_event *events, int max, int timeout);

static int
epoll_once(void *what, int milliseconds)
{
    struct epoll_what *e = what;
    return __real_epoll_wait(e->fd, e->events, e->max, milliseconds);
}

int
__wrap_epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
    struct epoll_what what = { fd, max, events };
    return wait_for(epoll_once, &what, timeout);
}

struct poll_what
{
    struct pollfd *fds;
    nfds_t count;
};

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);

static int
poll_once(void *what, int milliseconds)
{
    struct poll_what *p = what;
    return __real_poll(p->fds, p->count, milliseconds);
}

int
__wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    struct poll_what what = { fds, count };
    if (count == 1 && netlink_is(fds[0].fd))
    {
        /* for the reply to a request: that is there, or will not come */
        const int ready = __real_poll(fds, count, 0);
        host_advance(ready || timeout < 0 ? 0 : timeout);
        return ready;
    }
    return timeout ? wait_for(poll_once, &what, timeout) : __real_poll(fds, count, 0);
}

struct select_what
{
    int nfds;
    fd_set *set[3], saved[3];
};

int __real_select(int nfds, fd_set *read, fd_set *write, fd_set *except, struct timeval *timeout);

static int
select_once(void *what, int milliseconds)
{
    struct select_what *s = what;
    for (int i = 0; i < 3; ++i)
    {
        if (s->set[i])
            *s->set[i] = s->saved[i];
    }
    struct timeval tv = { milliseconds / 1000, milliseconds % 1000 * 1000 };
    return __real_select(s->nfds, s->set[0], s->set[1], s->set[2], &tv);
}

int
__wrap_select(int nfds, fd_set *read, fd_set *write, fd_set *except, struct timeval *timeout)
{
    struct select_what what = { .nfds = nfds, .set = { read, write, except } };
    for (int i = 0; i < 3; ++i)
    {
        if (what.set[i])
            what.saved[i] = *what.set[i];
    }
    return wait_for(select_once, &what,
                    timeout ? (int)(timeout->tv_sec * 1000 + timeout->tv_usec / 1000) : -1);
}

pid_t __real_waitpid(pid_t pid, int *status, int options);

pid_t
__wrap_waitpid(pid_t pid, int *status, int options)
{
    host_script();
    return __real_waitpid(pid, status, options);
}

/* Interfaces, addresses, routes: as networking.h declares them. An interface that
 * is made anew has another index (net/core/dev.c: dev_new_index()). */

static unsigned int ifindex = FIRST_IFINDEX - 1;
static struct host_route routes[64];
static int route_count;

int
__wrap_net_iface_new(void *ctx, const char *name, const char *type, void *arg)
{
    (void)ctx;
    (void)name;
    (void)type;
    module_interface_new(instance_is_multipeer(arg), ++ifindex);
    return 0;
}

int
__wrap_net_iface_del(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    module_interface_del();
    route_count = 0;
    return 0;
}

unsigned int
__wrap_if_nametoindex(const char *name)
{
    (void)name;
    return ifindex;
}

int
__wrap_net_iface_type(void *ctx, const char *name, char *type)
{
    (void)ctx;
    (void)name;
    (void)type;
    return -ENODEV;     /* there is no interface yet */
}

/* Routes through a peer's address. A route with another gateway is another one: net/ipv4/
 * fib_trie.c, fib_table_insert() without NLM_F_EXCL and NLM_F_REPLACE, and fib_nh_match() in
 * fib_table_delete(). They go with the interface. */

static int
find_route(uint32_t network, int bits, uint32_t gateway)
{
    int i = route_count - 1;
    while (i >= 0 && !(routes[i].network == network && routes[i].bits == bits
                       && routes[i].gateway == gateway))
    {
        --i;
    }
    return i;
}

int
host_routes(const struct host_route **list)
{
    *list = routes;
    return route_count;
}

bool
host_has_route(uint32_t network, int bits, uint32_t gateway)
{
    return find_route(network, bits, gateway) >= 0;
}

int
__wrap_net_route_v4_add(void *ctx, const uint32_t *network, int bits, const uint32_t *gateway,
                        const char *interface, uint32_t table, int metric)
{
    (void)ctx;
    (void)interface;
    (void)table;
    (void)metric;
    if (find_route(*network, bits, *gateway) >= 0)
    {
        return -EEXIST;
    }
    if (route_count == sizeof(routes) / sizeof(*routes))
    {
        return -ENOMEM;
    }
    routes[route_count++] = (struct host_route) { *network, bits, *gateway };
    return 0;
}

int
__wrap_net_route_v4_del(void *ctx, const uint32_t *network, int bits, const uint32_t *gateway,
                        const char *interface, uint32_t table, int metric)
{
    (void)ctx;
    (void)interface;
    (void)table;
    (void)metric;
    const int i = find_route(*network, bits, *gateway);
    if (i < 0)
    {
        return -ESRCH;
    }
    routes[i] = routes[--route_count];
    return 0;
}

/* All others do nothing, and succeed; there is no route to anywhere */
#define NOTHING(name, result)   \
    int __wrap_ ## name(void);  \
    int __wrap_ ## name(void)   \
    {                           \
        return result;          \
    }

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
