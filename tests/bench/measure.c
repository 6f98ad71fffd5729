/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Counting: system calls here, instructions by callgrind.
 *
 * mock_netlink.c is compiled with its sendmsg() and recvmsg() renamed
 * (-Dsendmsg=mock_sendmsg), so that these come in between. What the scripted
 * kernel does is not counted.
 */
#include "config.h"
#include "syshead.h"

#include "bench.h"

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <valgrind/callgrind.h>

/* peers in one datagram of a dump: what was seen with the real module */
#define DUMP_PEERS 90

struct count count;
struct count longest;
long passes;

static struct count before;     /* when this pass began */
static bool measuring;
static bool dump_passes;

ssize_t mock_recvmsg(int fd, struct msghdr *msg, int flags);

ssize_t mock_sendmsg(int fd, const struct msghdr *msg, int flags);

bool
measure_pause(void)
{
    const bool paused = measuring;

    if (paused)
        CALLGRIND_TOGGLE_COLLECT;
    measuring = false;
    return paused;
}

void
measure_resume(bool paused)
{
    measuring = paused;
    if (paused)
        CALLGRIND_TOGGLE_COLLECT;
}

void
measure_begin(bool by_pass)
{
    dump_passes = by_pass;
    CALLGRIND_START_INSTRUMENTATION;
    measure_resume(true);
}

static void
keep_most(long *most, long then, long now)
{
    *most = now - then > *most ? now - then : *most;
}

void
measure_pass(void)
{
    const bool paused = measure_pause();

    if (count.calls != before.calls)
    {
        ++passes;
        keep_most(&longest.calls, before.calls, count.calls);
        keep_most(&longest.requests, before.requests, count.requests);
        keep_most(&longest.datagrams, before.datagrams, count.datagrams);
        keep_most(&longest.dumped, before.dumped, count.dumped);
        if (dump_passes)
            CALLGRIND_DUMP_STATS;
    }
    before = count;
    measure_resume(paused);
}

void
measure_end(void)
{
    measure_pass();
    measure_pause();
    CALLGRIND_STOP_INSTRUMENTATION;
}

/*
 * System calls
 */

static int dumping;             /* the socket of a dump whose replies are due, or -1 */

/** A reply of the scripted kernel, whose dumps tell of peers 1 and 2 only. */
static bool
dump_all(const struct nlmsghdr *reply)
{
    uint8_t datagram[DUMP_PEERS * 256];
    size_t len = 0;
    int n = 0;

    if (!(reply->nlmsg_flags & NLM_F_MULTI) || reply->nlmsg_type != FAMILY_ID)
        return false;
    for (int i = 0; i < N_CLIENTS && dumping >= 0; ++i)
    {
        if (!kernel.gone[i])
        {
            struct nlmsghdr *copy = memcpy(datagram + len, reply, reply->nlmsg_len);
            struct nlattr *nest = nlmsg_find_attr(copy, GENL_HDRLEN, OVPN_ATTR_GET_PEER);
            const uint32_t peer_id = i;

            memcpy(nla_data(nla_find(nla_data(nest), nla_len(nest),
                                     OVPN_GET_PEER_RESP_ATTR_PEER_ID)), &peer_id, 4);
            len += NLMSG_ALIGN(reply->nlmsg_len);
            ++count.dumped;
            ++n;
        }
        if (n == DUMP_PEERS || (i == N_CLIENTS - 1 && n > 0))
        {
            enqueue(&socket_of(dumping)->queue, 0, datagram, len);
            n = 0;
            len = 0;
        }
    }
    dumping = -1;
    return true;
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
    const bool paused = measure_pause();

    dumping = fd;
    kernel.on_reply = dump_all;
    const ssize_t ret = mock_sendmsg(fd, msg, flags);
    count.calls += paused;
    count.requests += paused;
    measure_resume(paused);
    return ret;
}

ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
    const bool paused = measure_pause();
    const ssize_t ret = mock_recvmsg(fd, msg, flags);

    count.calls += paused;
    /* a notification answers no request */
    if (paused && ret > 0 && !(flags & MSG_PEEK)
        && ((const struct nlmsghdr *)msg->msg_iov->iov_base)->nlmsg_seq == 0)
    {
        ++count.datagrams;
    }
    measure_resume(paused);
    return ret;
}

/*
 * What else is the mocks' work
 */

int __real_plugin_call_ssl(const struct plugin_list *pl, const int type, const struct argv *av,
                           struct plugin_return *pr, struct env_set *es, int depth, void *cert);

int
__wrap_plugin_call_ssl(const struct plugin_list *pl, const int type, const struct argv *av,
                       struct plugin_return *pr, struct env_set *es, int depth, void *cert)
{
    const bool paused = measure_pause();
    const int ret = __real_plugin_call_ssl(pl, type, av, pr, es, depth, cert);

    measure_resume(paused);
    return ret;
}
