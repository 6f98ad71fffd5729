/* SPDX-License-Identifier: GPL-2.0-only */
#include "netlink.h"
#include "verdict.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 16
#define GROUPS 32

/* An empty socket that is read so often in a row is waited on without end */
#define SPIN 20000

struct datagram
{
    struct datagram *next;
    unsigned int truesize;
    size_t size;
    unsigned char data[];
};

struct netlink_sock
{
    int fd;                     /* 0: none, as all below */
    unsigned int port;
    unsigned int rcvbuf;        /* sk_rcvbuf: twice what was asked for */
    unsigned int rmem;          /* sk_rmem_alloc */
    int error;                  /* sk_err */
    bool congested;             /* NETLINK_S_CONGESTED */
    bool readable;              /* the eventfd's state */
    bool groups[GROUPS];
    unsigned int empty_reads;
    int filter[2];              /* what is sent to [0] and passes comes out of [1]; 0: no filter */
    struct nlmsghdr *dump;      /* the request of a dump that is not complete */
    unsigned int dump_skip;
    struct datagram *head, **tail;
};

/* sysctl net.core.rmem_max, and whether the server has CAP_NET_ADMIN for
 * SO_RCVBUFFORCE: net/core/sock.c, sk_setsockopt(), which then takes any size, and
 * EPERM without it */
static unsigned int rmem_max = 212992;
static bool admin = true;

static struct netlink_sock sockets[SOCKETS];

void
netlink_small_buffer(void)
{
    /* two fit: it is full when more than this is queued already */
    rmem_max = NETLINK_TRUESIZE / 2;
    admin = false;
}

#define REAL(name) ((__typeof__(&name))real(#name))

static void *
real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (!function)
        verdict_stop("setup", "no %s() in the C library", name);
    return function;
}

static struct netlink_sock *
find(int fd)
{
    for (struct netlink_sock *sock = sockets; sock < sockets + SOCKETS; ++sock)
    {
        if (sock->fd && sock->fd == fd)
            return sock;
    }
    return NULL;
}

bool
netlink_is(int fd)
{
    return find(fd);
}

static void
update_readable(struct netlink_sock *sock)
{
    const bool readable = sock->head || sock->error;
    uint64_t one = 1;
    if (readable == sock->readable)
        return;
    sock->readable = readable;
    const ssize_t done = readable ? REAL(write)(sock->fd, &one, sizeof(one))
                         : REAL(read)(sock->fd, &one, sizeof(one));
    if (done < 0)
        verdict_stop("setup", "an event is neither set nor cleared");
}

/* netlink_overrun() */
static void
overrun(struct netlink_sock *sock)
{
    if (!sock->congested)
    {
        sock->congested = true;
        sock->error = ENOBUFS;
        update_readable(sock);
    }
}

/* sk_filter(), by the kernel itself: the program is attached to a socket pair, to
 * which the datagram goes as it is. Not even an overrun comes of one that is
 * dropped: netlink_unicast() and do_one_broadcast() filter first. */
static bool
passes_filter(const struct netlink_sock *sock, const void *data, size_t size)
{
    char byte;
    if (!sock->filter[0])
        return true;
    if (send(sock->filter[0], data, size, MSG_DONTWAIT) != (ssize_t)size)
        verdict_stop("setup", "the filter takes no datagram");
    return recv(sock->filter[1], &byte, 1, MSG_DONTWAIT) == 1;
}

static int
attach_filter(struct netlink_sock *sock, const void *program, socklen_t size)
{
    if (!sock->filter[0] && socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sock->filter))
        verdict_stop("setup", "no sockets for a filter");
    return REAL(setsockopt)(sock->filter[1], SOL_SOCKET, SO_ATTACH_FILTER, program, size);
}

static void
enqueue(struct netlink_sock *sock, const void *data, size_t size, unsigned int truesize)
{
    struct datagram *datagram = malloc(sizeof(*datagram) + size);
    if (!datagram)
        verdict_stop("setup", "no memory");
    datagram->next = NULL;
    datagram->truesize = truesize;
    datagram->size = size;
    memcpy(datagram->data, data, size);
    *sock->tail = datagram;
    sock->tail = &datagram->next;
    sock->rmem += truesize;
    sock->empty_reads = 0;
    update_readable(sock);
}

/* netlink_attachskb(), netlink_broadcast_deliver() */
void
netlink_unicast(struct netlink_sock *sock, const void *data, size_t size)
{
    if (!passes_filter(sock, data, size))
        return;
    if (sock->rmem > sock->rcvbuf || sock->congested)
    {
        overrun(sock);
        return;
    }
    enqueue(sock, data, size, NETLINK_TRUESIZE);
}

/* netlink_dump(): it has looked for room before, and congestion is no matter */
void
netlink_dump_part(struct netlink_sock *sock, const void *data, size_t size)
{
    if (passes_filter(sock, data, size))
        enqueue(sock, data, size, NETLINK_DUMP_TRUESIZE);
}

static void
dequeue(struct netlink_sock *sock)
{
    struct datagram *datagram = sock->head;
    sock->head = datagram->next;
    if (!sock->head)
    {
        sock->tail = &sock->head;
        sock->congested = false;        /* netlink_rcv_wake() */
    }
    sock->rmem -= datagram->truesize;
    free(datagram);
}

void
netlink_multicast(unsigned int group, const void *data, size_t size)
{
    for (struct netlink_sock *sock = sockets; sock < sockets + SOCKETS; ++sock)
    {
        if (sock->groups[group % GROUPS])
            netlink_unicast(sock, data, size);
    }
}

unsigned int
netlink_port(const struct netlink_sock *sock)
{
    return sock->port;
}

static void
go_on_dumping(struct netlink_sock *sock)
{
    if (sock->dump && sock->rmem < sock->rcvbuf && !netlink_dump(sock, sock->dump, &sock->dump_skip))
    {
        free(sock->dump);
        sock->dump = NULL;
    }
}

void
netlink_dump_start(struct netlink_sock *sock, const struct nlmsghdr *request)
{
    sock->dump = malloc(request->nlmsg_len);
    if (!sock->dump)
        verdict_stop("setup", "no memory");
    memcpy(sock->dump, request, request->nlmsg_len);
    sock->dump_skip = 0;
    if (sock->rmem >= sock->rcvbuf)
        overrun(sock);          /* by the ACK of -ENOBUFS; it goes on all the same */
    go_on_dumping(sock);
}

int
socket(int family, int type, int protocol)
{
    if (family != AF_NETLINK || protocol != NETLINK_GENERIC)
        return REAL(socket)(family, type, protocol);
    struct netlink_sock *sock = sockets;
    while (sock->fd)
    {
        if (++sock == sockets + SOCKETS)
            verdict_stop("setup", "more than %d netlink sockets", SOCKETS);
    }
    sock->fd = eventfd(0, (type & SOCK_CLOEXEC ? EFD_CLOEXEC : 0)
                       | (type & SOCK_NONBLOCK ? EFD_NONBLOCK : 0));
    sock->port = 1000 + (unsigned int)(sock - sockets);
    sock->rcvbuf = 212992;      /* net.core.rmem_default */
    sock->tail = &sock->head;
    return sock->fd;
}

int
close(int fd)
{
    struct netlink_sock *sock = find(fd);
    if (sock)
    {
        while (sock->head)
            dequeue(sock);
        if (sock->filter[0])
        {
            REAL(close)(sock->filter[0]);
            REAL(close)(sock->filter[1]);
        }
        free(sock->dump);
        *sock = (struct netlink_sock) { 0 };
    }
    return REAL(close)(fd);
}

int
bind(int fd, const struct sockaddr *address, socklen_t size)
{
    struct netlink_sock *sock = find(fd);
    if (!sock)
        return REAL(bind)(fd, address, size);
    const struct sockaddr_nl *nl = (const void *)address;
    sock->port = nl->nl_pid ? nl->nl_pid : sock->port;
    return 0;
}

int
getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
    struct netlink_sock *sock = find(fd);
    if (!sock)
        return REAL(getsockname)(fd, address, size);
    const struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_pid = sock->port };
    memcpy(address, &nl, *size < sizeof(nl) ? *size : sizeof(nl));
    *size = sizeof(nl);
    return 0;
}

int
setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    struct netlink_sock *sock = find(fd);
    if (!sock)
        return REAL(setsockopt)(fd, level, name, value, size);
    unsigned int number = 0;
    memcpy(&number, value, size < sizeof(number) ? size : sizeof(number));
    if (level == SOL_SOCKET && name == SO_ATTACH_FILTER)
        return attach_filter(sock, value, size);
    if (level == SOL_SOCKET && name == SO_RCVBUFFORCE)
    {
        if (!admin)
        {
            errno = EPERM;
            return -1;
        }
        sock->rcvbuf = 2 * number;      /* __sock_set_rcvbuf() */
    }
    else if (level == SOL_SOCKET && name == SO_RCVBUF)
    {
        sock->rcvbuf = 2 * (number < rmem_max ? number : rmem_max);
    }
    else if (level == SOL_NETLINK && name == NETLINK_ADD_MEMBERSHIP)
    {
        sock->groups[number % GROUPS] = true;
    }
    return 0;
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct netlink_sock *sock = find(fd);
    if (!sock)
        return REAL(sendmsg)(fd, msg, flags);
    /* aligned, as an skb's data is */
    const size_t size = msg->msg_iov[0].iov_len;
    struct nlmsghdr *request = malloc(size);
    if (!request || msg->msg_iovlen != 1)
        verdict_stop("setup", "a request in several parts, or no memory");
    memcpy(request, msg->msg_iov[0].iov_base, size);
    sock->empty_reads = 0;
    netlink_request(sock, request);
    free(request);
    return (ssize_t)size;
}

ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct netlink_sock *sock = find(fd);
    if (!sock)
        return REAL(recvmsg)(fd, msg, flags);
    if (sock->error)
    {
        errno = sock->error;
        sock->error = 0;
        update_readable(sock);
        return -1;
    }
    if (!sock->head)
    {
        if (++sock->empty_reads > SPIN)
            verdict_stop("waits", "for a reply that never comes");
        errno = EAGAIN;
        return -1;
    }

    const struct datagram *datagram = sock->head;
    const size_t room = msg->msg_iov[0].iov_len;
    const size_t copied = datagram->size < room ? datagram->size : room;
    memcpy(msg->msg_iov[0].iov_base, datagram->data, copied);
    const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    memcpy(msg->msg_name, &kernel, sizeof(kernel));
    msg->msg_namelen = sizeof(kernel);
    msg->msg_controllen = 0;
    msg->msg_flags = copied < datagram->size ? MSG_TRUNC : 0;
    const size_t result = flags & MSG_TRUNC ? datagram->size : copied;

    if (!(flags & MSG_PEEK))
        dequeue(sock);
    if (sock->rmem <= sock->rcvbuf / 2)
        go_on_dumping(sock);
    update_readable(sock);
    return (ssize_t)result;
}
