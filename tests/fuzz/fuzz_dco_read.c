/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Fuzz target: arbitrary datagrams on the notification socket, read by
 * dco_do_read(). records.h says what an input is.
 *
 * dco_linux.c and libnl are the real ones. The scripted kernel, the event loop
 * and the message builder are the mocks of the unit tests.
 *
 * The oracle is a second reading of each datagram, written from netlink(7) and
 * ovpn_dco_linux.h with nothing of libnl: which notifications have to be handed
 * on, in which order, and with which call of dco_do_read(). A canary, a valid
 * DEL_PEER, is put behind the last message of each datagram whose messages fill
 * it, and in a datagram of its own at the end. Anything that is handed on
 * without having been sent, is lost, comes late, or a call that reads more or
 * less than it may, aborts.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "syshead.h"

#include "mock_netlink.h"
#include "mock_openvpn.h"
#include "records.h"

/* input beyond this is ignored */
#define INPUT_LIMIT   32768

/* datagrams of an input that are truncated: they cost 64 KiB each */
#define MAX_TRUNCATED 16

/* most datagrams that one dco_do_read() takes; without the series it is 1 */
#ifndef READS_PER_CALL
#define READS_PER_CALL READ_BOUND
#endif

#define CANARY      7

/* on the wire a peer-id has 24 bits */
#define LAST_PEER_ID 0xffffff

_Static_assert(RECORD_FAMILY_ID == FAMILY_ID && RECORD_IFINDEX == IFINDEX,
               "records.h and mock_netlink.h disagree");

/* a notification that has to be handed on */
static struct expectation
{
    int peer_id;
    int reason;
    bool raises;                /* a signal, when it is */
    bool spends;                /* a second, when it is */
} expected[INPUT_LIMIT];
static int n_expected, n_seen;

/* the entries of the queue: datagrams, and errors of recvmsg() */
static struct entry
{
    bool last;                  /* a signal is raised, or the second changes, while
                                 * it is read */
    int due;                    /* expectations that are met when it has been */
} entries[INPUT_LIMIT];
static int n_entries;

__attribute__((format(printf, 1, 2), noreturn)) static void
defect(const char *format, ...)
{
    va_list arglist;

    fprintf(stderr, "%s: ", top.mode == CM_TOP ? "server" : "p2p");
    va_start(arglist, format);
    vfprintf(stderr, format, arglist);
    va_end(arglist);
    fputc('\n', stderr);
    abort();
}

/* mock_openvpn.c calls it for a message with M_FATAL, before openvpn exits */
void __wrap_x_msg_va(const unsigned int flags, const char *format, va_list arglist);

void
__wrap_x_msg_va(const unsigned int flags, const char *format, va_list arglist)
{
    char message[256];

    vsnprintf(message, sizeof(message), format, arglist);
    defect("openvpn exits: %s", message);
}

/**
 * Find an attribute.
 *
 * @param data  a stream of attributes, aligned to 4
 * @param len   its bytes
 * @param type  which; the last one if there are several
 * @param size  out: bytes of its value
 *
 * @return      its value in \a data, or NULL
 */
static const uint8_t *
attribute(const uint8_t *data, size_t len, int type, size_t *size)
{
    const uint8_t *value = NULL;

    for (size_t pos = 0; len - pos >= NLA_HDRLEN; )
    {
        const struct nlattr *attr = (const struct nlattr *)(data + pos);

        if (attr->nla_len < NLA_HDRLEN || attr->nla_len > len - pos)
        {
            break;
        }
        if ((attr->nla_type & NLA_TYPE_MASK) == type)
        {
            value = data + pos + NLA_HDRLEN;
            *size = attr->nla_len - NLA_HDRLEN;
        }
        pos += NLA_ALIGN(attr->nla_len);
        if (pos > len)
        {
            break;
        }
    }
    return value;
}

/** As attribute(), for a number: its first \a size bytes. */
static bool
number(const uint8_t *data, size_t len, int type, void *n, size_t size)
{
    size_t found = 0;
    const uint8_t *value = attribute(data, len, type, &found);

    if (!value || found < size)
    {
        return false;
    }
    memcpy(n, value, size);
    return true;
}

/** Whether a message is a valid DEL_PEER of our interface. */
static bool
is_del_peer(const struct nlmsghdr *nlh, struct expectation *e)
{
    const struct genlmsghdr *gnlh = NLMSG_DATA(nlh);
    uint32_t ifindex, peer_id;
    uint8_t reason;
    size_t size;

    if (nlh->nlmsg_type != RECORD_FAMILY_ID
        || nlh->nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN)
        || gnlh->cmd != OVPN_CMD_DEL_PEER)
    {
        return false;
    }
    const uint8_t *data = (const uint8_t *)gnlh + GENL_HDRLEN;
    const size_t len = nlh->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
    const uint8_t *nest = attribute(data, len, OVPN_ATTR_DEL_PEER, &size);

    if (!number(data, len, OVPN_ATTR_IFINDEX, &ifindex, sizeof(ifindex))
        || ifindex != RECORD_IFINDEX || !nest
        || !number(nest, size, OVPN_DEL_PEER_ATTR_REASON, &reason, sizeof(reason))
        || !number(nest, size, OVPN_DEL_PEER_ATTR_PEER_ID, &peer_id, sizeof(peer_id))
        || peer_id > LAST_PEER_ID)
    {
        return false;
    }
    e->peer_id = peer_id;
    e->reason = reason;
    return true;
}

static void
add_canary(struct batch *batch)
{
    del_peer(batch, CANARY, OVPN_DEL_PEER_REASON_EXPIRED);
    expected[n_expected].peer_id = CANARY;
    expected[n_expected++].reason = OVPN_DEL_PEER_REASON_EXPIRED;
}

static void
queue(struct netlink_socket *sock, int error, const void *data, size_t len, bool last)
{
    enqueue(&sock->queue, error, data, len);
    entries[n_entries].last = last;
    entries[n_entries++].due = n_expected;
}

/** A datagram is queued, and what it has to lead to is expected. */
static void
send_datagram(struct netlink_socket *sock, const uint8_t *data, size_t len,
              bool truncated, bool raise, bool spend)
{
    static struct batch batch;
    static uint8_t too_large[BATCH_SIZE + 1];
    const int first = n_expected;

    if (truncated)
    {
        queue(sock, 0, too_large, sizeof(too_large), false);
        return;
    }

    memcpy(batch.data, data, len);
    batch.len = len;

    bool with_canary = false;
    int rest = len;
    for (const struct nlmsghdr *nlh = (const struct nlmsghdr *)batch.data;
         NLMSG_OK(nlh, rest); nlh = NLMSG_NEXT(nlh, rest))
    {
        n_expected += is_del_peer(nlh, &expected[n_expected]);
        with_canary = rest == (int)NLMSG_ALIGN(nlh->nlmsg_len);
    }
    if (with_canary)
    {
        add_canary(&batch);
    }
    expected[first].raises = raise && n_expected > first;
    expected[first].spends = spend && n_expected > first;
    queue(sock, 0, batch.data, batch.len, expected[first].raises || expected[first].spends);
    batch.len = 0;
}

static void
send_input(struct netlink_socket *sock, const uint8_t *data, size_t size)
{
    static struct batch canary;
    int n_truncated = 0;
    bool truncated = false, raise = false, spend = false;

    while (size >= 2)
    {
        size_t len = data[0] | data[1] << 8;

        data += 2;
        size -= 2;
        if (len == RECORD_TRUNCATED)
        {
            truncated = n_truncated < MAX_TRUNCATED;
        }
        else if (len == RECORD_SIGNAL)
        {
            raise = true;
        }
        else if (len == RECORD_SECOND)
        {
            spend = true;
        }
        else if (len > RECORD_CONTROL)
        {
            queue(sock, len & 0xff, NULL, 0, false);
        }
        else
        {
            len = len < size ? len : size;
            n_truncated += truncated;
            send_datagram(sock, data, len, truncated, raise, spend);
            truncated = raise = spend = false;
            data += len;
            size -= len;
        }
    }
    add_canary(&canary);
    queue(sock, 0, canary.data, canary.len, false);
    canary.len = 0;
}

/** The callback for each notification that is handed on. */
static void
compare(void)
{
    const struct notification *n = &processed[n_processed - 1];

    n_processed = 0;
    if (n_seen == n_expected)
    {
        defect("peer-id %d, reason %d: handed on, but never sent", n->peer_id, n->reason);
    }

    const struct expectation *e = &expected[n_seen++];
    if (n->peer_id != e->peer_id || n->reason != e->reason)
    {
        defect("notification %d: peer-id %d, reason %d, expected %d, %d", n_seen,
               n->peer_id, n->reason, e->peer_id, e->reason);
    }
    if (e->raises)
    {
        signal_info.signal_received = SIGTERM;
    }
    if (e->spends)
    {
        spend_a_second();
    }
}

/**
 * How many entries of the queue the next dco_do_read() has to take.
 *
 * @param d     the head of the queue
 * @param i     its place in entries
 */
static int
reads_due(const struct datagram *d, int i)
{
    int n = 0;

    for (int reads = 0; d && reads < READS_PER_CALL; d = d->next)
    {
        ++n;
        /* libnl tries again after EINTR, and takes another errno for EAGAIN */
        if (d->error != EINTR)
        {
            ++reads;
        }
        if (entries[i++].last || (d->error && nl_syserr2nlerr(d->error) == NLE_AGAIN))
        {
            break;
        }
    }
    return n;
}

static void
run(int mode, const uint8_t *data, size_t size)
{
    reset(mode);
    open_device();
    on_notification = compare;
    n_expected = n_seen = n_entries = 0;
    memset(expected, 0, (size + 2) * sizeof(*expected));

    struct netlink_socket *sock = socket_of(polled_fd());
    send_input(sock, data, size);

    int left = n_entries;
    while (left)
    {
        const int due = reads_due(sock->queue.head, n_entries - left);

        kernel.fruitless_reads = -left; /* the mock allows 100 */
        const int ret = dco_do_read(&tuntap.dco);
        if (ret < 0)
        {
            defect("dco_do_read() returned %d", ret);
        }
        const int rest = queue_length(sock->queue.head);
        if (left - rest != due)
        {
            defect("took %d of %d datagrams and errors, expected %d", left - rest, left, due);
        }
        left = rest;
        if (n_seen != entries[n_entries - left - 1].due)
        {
            defect("%d notifications handed on, expected %d, next peer-id %d, reason %d", n_seen,
                   entries[n_entries - left - 1].due, expected[n_seen].peer_id, expected[n_seen].reason);
        }
        signal_info.signal_received = 0;
    }
    teardown(NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_LIMIT - 2)
    {
        return 0;
    }
    run(CM_TOP, data, size);
    run(CM_P2P, data, size);
    return 0;
}
