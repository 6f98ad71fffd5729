/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * What a notification socket of OpenVPN's holds, on a real socket of this
 * machine's kernel that has the same options.
 */
#include "config.h"
#include "syshead.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "bench.h"

#include <linux/filter.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <sched.h>
#include <sys/syscall.h>

/* net.core.rmem_max of Linux up to 6.12, and its default on Debian 12 and 13 */
#define RMEM_MAX 212992

/* any group: nobody else is in this network namespace */
#define GROUP 1

/* this many would take all memory */
#define TOO_MANY 1000000

/* of the socket that joined the group: 0 if it was not set */
static struct
{
    int rcvbuf;
    int rcvbuf_force;
    struct sock_fprog filter;
} options;

static int
record(int level, int name, const void *value, socklen_t len)
{
    if (level == SOL_SOCKET && name == SO_RCVBUF)
    {
        options.rcvbuf = *(const int *)value;
    }
    else if (level == SOL_SOCKET && name == SO_RCVBUFFORCE)
    {
        options.rcvbuf_force = *(const int *)value;
    }
    else if (level == SOL_SOCKET && name == SO_ATTACH_FILTER)
    {
        const struct sock_fprog *filter = value;
        const size_t size = filter->len * sizeof(*filter->filter);

        options.filter.len = filter->len;
        options.filter.filter = memcpy(malloc(size), filter->filter, size);
    }
    return 0;
}

void
queue_record(void)
{
    CLEAR(options);
    kernel.on_setsockopt = record;
}

/* socket() and the like are the scripted kernel's here */

static int
real_socket(int protocol)
{
    const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
    const int fd = syscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

    if (fd >= 0 && syscall(SYS_bind, fd, &any, sizeof(any)))
    {
        close(fd);
        return -1;
    }
    return fd;
}

static int
real_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return syscall(SYS_setsockopt, fd, level, name, value, len);
}

static int
real_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);

    syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error;
}

/** @return whether the socket has what was recorded */
static bool
set_options(int fd, bool privileged)
{
    const int rcvbuf = options.rcvbuf < RMEM_MAX ? options.rcvbuf : RMEM_MAX;
    const int group = GROUP;

    if (real_setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf)))
    {
        return false;
    }
    if (privileged && options.rcvbuf_force
        && real_setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &options.rcvbuf_force, sizeof(int)))
    {
        return false;
    }
    if (options.filter.len
        && real_setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &options.filter,
                           sizeof(options.filter)))
    {
        return false;
    }
    return !real_setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
}

/** @return whether a DEL_PEER of this interface was sent to the group */
static bool
send_notification(int fd, uint32_t ifindex)
{
    const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = 1 << (GROUP - 1) };
    static struct batch batch;
    bool sent;

    batch.len = 0;
    del_peer(&batch, 0, OVPN_DEL_PEER_REASON_EXPIRED);
    memcpy(nla_data(nlmsg_find_attr((struct nlmsghdr *)batch.data, GENL_HDRLEN,
                                    OVPN_ATTR_IFINDEX)), &ifindex, sizeof(ifindex));
    sent = syscall(SYS_sendto, fd, batch.data, batch.len, 0, &group, sizeof(group)) >= 0;
    /* nobody takes it, for being full or for the filter */
    return sent || errno == ENOBUFS || errno == ESRCH || errno == ECONNREFUSED;
}

int
queue_capacity(int servers, bool privileged)
{
    if (unshare(CLONE_NEWNET))
    {
        return -1;
    }
    const int from = real_socket(NETLINK_USERSOCK);
    const int to = from < 0 ? -1 : real_socket(NETLINK_USERSOCK);
    int n = -1;

    if (to >= 0 && set_options(to, privileged))
    {
        for (n = 0; n < TOO_MANY; ++n)
        {
            bool sent = true;
            for (int i = 0; i < servers && sent; ++i)
            {
                sent = send_notification(from, IFINDEX + i);
            }
            const int error = real_error(to);
            if (!sent || (error && error != ENOBUFS))
            {
                n = -1;
                break;
            }
            if (error)
            {
                break;
            }
        }
    }
    close(from);
    close(to);
    return n;
}
