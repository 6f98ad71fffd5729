/* SPDX-License-Identifier: GPL-2.0-only */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "basic.h"
#include "mock_netlink.h"

#include <netlink/genl/genl.h>
#include <netlink/genl/ctrl.h>
#include <poll.h>

/* file descriptors of sockets are below this */
#define MAX_FDS 256

/* this many fruitless reads in a row are spinning; there may be one for each
 * peer-id that no client has */
#define TOO_MANY_READS (2 * N_PEERS)

/* netlink(7): a message's size is a multiple of this, as is an attribute's */
#define ALIGN 4

struct mock_kernel kernel;

static struct netlink_socket sockets[MAX_FDS];

/*
 * Sockets
 */

void
enqueue(struct datagram_queue *queue, int error, const void *data, size_t len)
{
    struct datagram *d = calloc(1, sizeof(*d) + len);

    assert_non_null(d);
    d->error = error;
    d->len = len;
    if (len)
    {
        memcpy(d->data, data, len);
    }
    if (queue->head)
    {
        queue->tail->next = d;
    }
    else
    {
        queue->head = d;
    }
    queue->tail = d;
}

void
dequeue(struct datagram_queue *queue)
{
    struct datagram *d = queue->head;

    queue->head = d->next;
    free(d);
}

int
queue_length(const struct datagram *d)
{
    int n = 0;

    for (; d; d = d->next)
    {
        ++n;
    }
    return n;
}

struct netlink_socket *
socket_of(int fd)
{
    if (fd < 0 || fd >= MAX_FDS || !sockets[fd].open)
    {
        fail_msg("file descriptor %d is no netlink socket", fd);
    }
    return &sockets[fd];
}

/* close() isn't replaced */
static bool
is_open(int fd)
{
    return sockets[fd].open && fcntl(fd, F_GETFD) != -1;
}

struct netlink_socket *
request_socket(void)
{
    for (int fd = 0; fd < MAX_FDS; ++fd)
    {
        /* one that looks for the module, once, may block */
        if (is_open(fd) && !sockets[fd].member && sockets[fd].nonblock)
        {
            return &sockets[fd];
        }
    }
    return NULL;
}

static void
forget_socket(struct netlink_socket *sock)
{
    while (sock->queue.head)
    {
        dequeue(&sock->queue);
    }
    CLEAR(*sock);
}

void
close_kernel(void)
{
    for (int fd = 0; fd < MAX_FDS; ++fd)
    {
        if (sockets[fd].member && is_open(fd))
        {
            fail_msg("the socket %d of the multicast group has not been closed", fd);
        }
        forget_socket(&sockets[fd]);
    }
}

unsigned int
if_nametoindex(const char *name)
{
    return IFINDEX;
}

int
socket(int domain, int type, int protocol)
{
    assert_int_equal(domain, AF_NETLINK);
    assert_int_equal(protocol, NETLINK_GENERIC);
    if (kernel.socket_error && kernel.n_sockets-- == 0)
    {
        errno = kernel.socket_error;
        return -1;
    }

    int fd = open("/dev/null", O_RDWR);
    assert_in_range(fd, 0, MAX_FDS - 1);

    forget_socket(&sockets[fd]);
    sockets[fd].open = true;
    return fd;
}

int
bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    socket_of(fd)->portid = ((const struct sockaddr_nl *)addr)->nl_pid;
    return 0;
}

int
getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct sockaddr_nl local = { .nl_family = AF_NETLINK };

    local.nl_pid = socket_of(fd)->portid;
    assert_true(*len >= sizeof(local));
    memcpy(addr, &local, sizeof(local));
    *len = sizeof(local);
    return 0;
}

int
setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    struct netlink_socket *sock = socket_of(fd);
    int error = kernel.on_setsockopt ? kernel.on_setsockopt(level, name, value, len) : 0;

    if (level == SOL_NETLINK && name == NETLINK_ADD_MEMBERSHIP)
    {
        assert_int_equal(*(const int *)value, GROUP_ID);
        /* libnl's default is 32 KiB: some 40 notifications */
        assert_in_range(sock->rcvbuf, 1024 * 1024, INT_MAX);
        assert_true(sock->cloexec);
        sock->rcvbuf_joined = sock->rcvbuf;
        sock->member = true;
    }
    else if (level == SOL_SOCKET && name == SO_RCVBUFFORCE && kernel.limited)
    {
        error = EPERM;
    }
    else if (level == SOL_SOCKET && (name == SO_RCVBUF || name == SO_RCVBUFFORCE))
    {
        sock->rcvbuf = *(const int *)value;
    }

    if (error)
    {
        errno = error;
        return -1;
    }
    return 0;
}

/* a driver that has one of its own takes that */
int __attribute__((weak))
poll(struct pollfd *fds, nfds_t n, int timeout)
{
    /* volatile: glibc declares that poll() writes here only */
    const struct pollfd *volatile request = fds;

    assert_int_equal(n, 1);
    assert_int_equal(request->events, POLLIN);
    return socket_of(request->fd)->queue.head ? 1 : 0;
}

static void
count_fruitless_read(void)
{
    if (++kernel.fruitless_reads >= TOO_MANY_READS)
    {
        fail_msg("%d calls of recvmsg() in a row got nothing", kernel.fruitless_reads);
    }
}

ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
    struct netlink_socket *sock = socket_of(fd);
    const struct datagram *d = sock->queue.head;

    if (!d)
    {
        assert_true(sock->nonblock);
        count_fruitless_read();
        errno = EAGAIN;
        return -1;
    }
    if (d->error)
    {
        errno = d->error;
        dequeue(&sock->queue);
        return -1;
    }

    struct sockaddr_nl from = { .nl_family = AF_NETLINK };
    memcpy(msg->msg_name, &from, sizeof(from));
    msg->msg_namelen = sizeof(from);

    size_t len = d->len < msg->msg_iov->iov_len ? d->len : msg->msg_iov->iov_len;
    memcpy(msg->msg_iov->iov_base, d->data, len);
    msg->msg_flags = len < d->len ? MSG_TRUNC : 0;

    ssize_t ret = (flags & MSG_TRUNC) ? d->len : len;
    if (d->len)
    {
        kernel.fruitless_reads = 0;
    }
    else
    {
        count_fruitless_read();
    }
    if (!(flags & MSG_PEEK))
    {
        dequeue(&sock->queue);
    }
    return ret;
}

/*
 * Notifications
 */

static struct nl_msg *
new_message(const struct nlmsghdr *request, int type, int flags, int cmd)
{
    struct nl_msg *msg = nlmsg_alloc_size(256);

    assert_non_null(msg);
    assert_non_null(genlmsg_put(msg, request ? request->nlmsg_pid : 0,
                                request ? request->nlmsg_seq : 0, type, 0,
                                flags, cmd, 0));
    /* NL_AUTO_SEQ and NL_AUTO_PORT are 0, and are filled in by nl_send_auto()
     * only: a notification keeps 0 */
    return msg;
}

static void
append(struct batch *batch, struct nl_msg *msg)
{
    const struct nlmsghdr *nlh = nlmsg_hdr(msg);

    assert_true(batch->len + NLMSG_ALIGN(nlh->nlmsg_len) <= sizeof(batch->data));
    memcpy(batch->data + batch->len, nlh, nlh->nlmsg_len);
    batch->len += NLMSG_ALIGN(nlh->nlmsg_len);
    nlmsg_free(msg);
}

void
remove_peer(uint32_t peer_id)
{
    if (peer_id < N_PEERS)
    {
        kernel.gone[peer_id] = true;
    }
}

void
remove_peers(int first, int n)
{
    for (int i = 0; i < n; ++i)
    {
        remove_peer(first + i);
    }
}

void
del_peer(struct batch *batch, uint32_t peer_id, uint8_t reason)
{
    remove_peer(peer_id);

    struct nl_msg *msg = new_message(NULL, FAMILY_ID, 0, OVPN_CMD_DEL_PEER);

    nla_put_u32(msg, OVPN_ATTR_IFINDEX, IFINDEX);
    struct nlattr *nest = nla_nest_start(msg, OVPN_ATTR_DEL_PEER);
    nla_put_u8(msg, OVPN_DEL_PEER_ATTR_REASON, reason);
    nla_put_u32(msg, OVPN_DEL_PEER_ATTR_PEER_ID, peer_id);
    nla_nest_end(msg, nest);
    append(batch, msg);
}

static void
put(struct nl_msg *msg, const struct bad_message *bad, int attr, int type,
    const void *data, int len)
{
    if (bad->attrs & attr)
    {
        nla_put(msg, type, (bad->empty & attr) ? 0 : len, data);
    }
}

void
add_bad_message(struct batch *batch, const struct bad_message *bad)
{
    const uint8_t reason = OVPN_DEL_PEER_REASON_EXPIRED;
    const uint32_t peer_id = bad->peer_id ? bad->peer_id : 11;
    const uint32_t ifindex = bad->ifindex ? bad->ifindex : IFINDEX;
    struct nl_msg *msg = new_message(NULL, bad->type ? bad->type : FAMILY_ID, 0,
                                     bad->cmd ? bad->cmd : OVPN_CMD_DEL_PEER);

    if (!(bad->empty & DEL_PEER_ATTR) && (bad->attrs & DEL_PEER_ATTR))
    {
        struct nlattr *nest = nla_nest_start(msg, OVPN_ATTR_DEL_PEER);
        put(msg, bad, PEER_ID_ATTR, OVPN_DEL_PEER_ATTR_PEER_ID, &peer_id, 4);
        put(msg, bad, REASON_ATTR, OVPN_DEL_PEER_ATTR_REASON, &reason, 1);
        nla_nest_end(msg, nest);
        nest->nla_len = bad->nested_len ? bad->nested_len : nest->nla_len;
    }
    else
    {
        put(msg, bad, DEL_PEER_ATTR, OVPN_ATTR_DEL_PEER, NULL, 0);
    }
    put(msg, bad, IFINDEX_ATTR, OVPN_ATTR_IFINDEX, &ifindex, 4);
    /* length 5 and type 0: as the content of an empty attribute before it, on a
     * little-endian machine, this would be IFINDEX */
    nla_put_u8(msg, OVPN_ATTR_UNSPEC, 0);

    nlmsg_hdr(msg)->nlmsg_len -= bad->cut;
    append(batch, msg);
}

void
multicast_datagram(int error, const void *data, size_t len)
{
    for (int fd = 0; fd < MAX_FDS; ++fd)
    {
        if (sockets[fd].member)
        {
            enqueue(&sockets[fd].queue, error, data, len);
        }
    }
}

void
multicast(struct batch *batch)
{
    if (batch->len)
    {
        multicast_datagram(0, batch->data, batch->len);
    }
    batch->len = 0;
}

void
multicast_error(int error)
{
    multicast_datagram(error, NULL, 0);
}

void
multicast_del_peer(uint32_t peer_id, uint8_t reason)
{
    static struct batch batch;

    del_peer(&batch, peer_id, reason);
    multicast(&batch);
}

void
multicast_expired(int first, int n, bool one_datagram)
{
    static struct batch batch;

    for (int i = 0; i < n; ++i)
    {
        del_peer(&batch, first + i, OVPN_DEL_PEER_REASON_EXPIRED);
        if (!one_datagram)
        {
            multicast(&batch);
        }
    }
    multicast(&batch);
}

/*
 * Requests
 */

static void
reply(struct netlink_socket *sock, struct nl_msg *msg)
{
    const struct nlmsghdr *nlh = nlmsg_hdr(msg);

    if (!kernel.on_reply || !kernel.on_reply(nlh))
    {
        enqueue(&sock->queue, 0, nlh, nlh->nlmsg_len);
    }
    nlmsg_free(msg);
}

static void
acknowledge(struct netlink_socket *sock, const struct nlmsghdr *request, int type,
            int error)
{
    struct nl_msg *msg = nlmsg_alloc_size(256);
    struct nlmsgerr err = { .error = error, .msg = *request };

    assert_non_null(nlmsg_put(msg, request->nlmsg_pid, request->nlmsg_seq,
                              type, 0, 0));
    if (type == NLMSG_ERROR)
    {
        nlmsg_append(msg, &err, sizeof(err), ALIGN);
    }
    else
    {
        nlmsg_append(msg, &err.error, sizeof(err.error), ALIGN);
    }
    reply(sock, msg);
}

static void
reply_family(struct netlink_socket *sock, const struct nlmsghdr *request)
{
    const struct nlattr *name = nlmsg_find_attr((struct nlmsghdr *)request,
                                                GENL_HDRLEN, CTRL_ATTR_FAMILY_NAME);
    struct nl_msg *msg = new_message(request, GENL_ID_CTRL, 0, CTRL_CMD_NEWFAMILY);

    assert_non_null(name);
    nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, nla_data(name));
    nla_put_u16(msg, CTRL_ATTR_FAMILY_ID,
                strcmp(nla_data(name), OVPN_NL_NAME) ? GENL_ID_CTRL : FAMILY_ID);
    struct nlattr *groups = nla_nest_start(msg, CTRL_ATTR_MCAST_GROUPS | NLA_F_NESTED);
    struct nlattr *group = nla_nest_start(msg, 1 | NLA_F_NESTED);
    nla_put_string(msg, CTRL_ATTR_MCAST_GRP_NAME, OVPN_NL_MULTICAST_GROUP_PEERS);
    nla_put_u32(msg, CTRL_ATTR_MCAST_GRP_ID, GROUP_ID);
    nla_nest_end(msg, group);
    nla_nest_end(msg, groups);
    reply(sock, msg);
}

/* the statistics of a peer; unlike a notification they carry no ifindex */
static void
reply_peer(struct netlink_socket *sock, const struct nlmsghdr *request, int flags,
           uint32_t peer_id)
{
    struct nl_msg *msg = new_message(request, FAMILY_ID, flags, OVPN_CMD_GET_PEER);
    struct nlattr *nest = nla_nest_start(msg, OVPN_ATTR_GET_PEER | NLA_F_NESTED);

    nla_put_u32(msg, OVPN_GET_PEER_RESP_ATTR_PEER_ID, peer_id);
    nla_put_u64(msg, OVPN_GET_PEER_RESP_ATTR_LINK_RX_BYTES, 1000 + peer_id);
    nla_put_u64(msg, OVPN_GET_PEER_RESP_ATTR_LINK_TX_BYTES, 2000 + peer_id);
    nla_put_u64(msg, OVPN_GET_PEER_RESP_ATTR_VPN_RX_BYTES, 3000 + peer_id);
    nla_put_u64(msg, OVPN_GET_PEER_RESP_ATTR_VPN_TX_BYTES, 4000 + peer_id);
    nla_nest_end(msg, nest);
    reply(sock, msg);
}

/* the peer that a GET_PEER is for */
static uint32_t
requested_peer(const struct nlmsghdr *request)
{
    struct nlattr *nest = nlmsg_find_attr((struct nlmsghdr *)request, GENL_HDRLEN,
                                          OVPN_ATTR_GET_PEER);
    assert_non_null(nest);
    struct nlattr *attr = nla_find(nla_data(nest), nla_len(nest),
                                   OVPN_GET_PEER_ATTR_PEER_ID);
    assert_non_null(attr);
    assert_in_range(nla_get_u32(attr), 0, N_PEERS - 1);
    return nla_get_u32(attr);
}

/** Answer a GET_PEER but for its ACK, unless it is to fail; returns the error for
 * that. */
static int
serve_get_peer(struct netlink_socket *sock, const struct nlmsghdr *request, bool dump,
               int error)
{
    const uint32_t peer_id = dump ? 0 : requested_peer(request);

    ++*(dump ? &kernel.n_dumps : &kernel.n_get_peer[peer_id]);
    if (error)
    {
        return error;
    }
    if (dump)
    {
        reply_peer(sock, request, NLM_F_MULTI, 1);
        multicast(&kernel.between);
        reply_peer(sock, request, NLM_F_MULTI, 2);
        return 0;
    }

    if (kernel.gone[peer_id])
    {
        return -ENOENT;
    }
    reply_peer(sock, request, 0, peer_id);
    return 0;
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct netlink_socket *sock = socket_of(fd);
    const struct nlmsghdr *request = msg->msg_iov->iov_base;
    const struct genlmsghdr *gnlh = nlmsg_data(request);

    if (request->nlmsg_type == GENL_ID_CTRL)
    {
        reply_family(sock, request);
        acknowledge(sock, request, NLMSG_ERROR, 0);
        return msg->msg_iov->iov_len;
    }
    if (kernel.send_error || (kernel.noop_error && request->nlmsg_type == NLMSG_NOOP))
    {
        errno = kernel.send_error ? kernel.send_error : kernel.noop_error;
        return -1;
    }
    if (request->nlmsg_type == NLMSG_NOOP)
    {
        /* netlink_rcv_skb() of the kernel acknowledges it, if asked to */
        assert_int_equal(request->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
        ++kernel.n_noops;
        acknowledge(sock, request, NLMSG_ERROR, 0);
        return msg->msg_iov->iov_len;
    }
    assert_int_equal(request->nlmsg_type, FAMILY_ID);

    const bool dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    ++kernel.n_requests;
    if (kernel.on_request)
    {
        kernel.on_request(gnlh->cmd);
    }
    int error = kernel.request_error;

    multicast(&kernel.ahead);
    if (gnlh->cmd == OVPN_CMD_GET_PEER)
    {
        error = serve_get_peer(sock, request, dump, error);
    }
    multicast(&kernel.between);
    acknowledge(sock, request, dump && !error ? NLMSG_DONE : NLMSG_ERROR, error);
    multicast(&kernel.behind);
    return msg->msg_iov->iov_len;
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
