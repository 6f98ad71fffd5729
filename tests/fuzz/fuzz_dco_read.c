/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Fuzz target: arbitrary datagrams on the notification socket, read by dco_do_read().
 * records.h says what an input is, and doc/fuzzing.rst what has to come of it; anything
 * else aborts. dco_linux.c and libnl are the real ones, the scripted kernel and the message
 * builder the mocks of the unit tests. A second reading of each datagram, with nothing of
 * libnl, says who has to be closed, and when.
 *
 * Canaries, clients that are gone for good, are put behind the last message of a datagram
 * whose messages fill it, and into one at the end.
 */
#include "mock_main.h"

#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/socket.h>
#include <poll.h>

#include "mock_netlink.h"
#include "mock_openvpn.h"
#include "records.h"

/* input beyond this is ignored */
#define INPUT_LIMIT   32768

/* records of an input that are costly: datagrams that are truncated take 64 KiB, and
 * after a pause all peers may be asked for */
#define MAX_TRUNCATED 4
#define MAX_PAUSES    64

/* whether this is the series with follow-up 6, or neither */
#ifndef STRICT
#define STRICT        0
#endif
#ifndef STOCK
#define STOCK         0
#endif

/* the server's clients, unless there are to be more, and those behind them that are
 * canaries; and the peer in P2P mode */
#define FEW_CLIENTS   8
#define MANY_CLIENTS  64
#define CANARIES      16
#define ALL_CLIENTS   (MANY_CLIENTS + CANARIES)
#define P2P_PEER      1

/* what recvmsg() returns: a datagram, or an error */
struct entry
{
    int error;                  /* errno, or 0 */
    bool trouble;               /* the reader may ask for all peers */
    bool odd;                   /* and anything may come of it */
    bool ack;                   /* to a no-op */
    int n_valid;                /* notifications */
    bool spends;                /* two seconds, when the call that reads it is over */
};

/* of those that have not been read there are fewer than this */
static struct entry entries[2 * INPUT_LIMIT];
static int n_entries;           /* that were sent */
static bool elsewhere;          /* the next one spends two seconds */
#define ENTRY(i) (&entries[(i) % (2 * INPUT_LIMIT)])

/* what becomes of the reply to a request */
enum answer { ANSWER_IN_TIME, ANSWER_REFUSED, ANSWER_LATE, ANSWER_NEVER };

static enum answer answers[INPUT_LIMIT];
static int n_answers, n_answered;
static enum answer answer;      /* to the last request */
static int asked;               /* which was for this peer, or -1 */
static int n_get_peer[ALL_CLIENTS]; /* kernel.n_get_peer, before it */
static struct datagram_queue late;

static struct client
{
    bool connected;
    int told;                   /* the first entry that tells of its peer, or -1 */
    uint32_t reasons;           /* that these give */
    int due;                    /* when that is read it is to be closed, or -1 */
    bool lost;                  /* it is to be closed in the end */
    bool raises, spends;        /* a signal and a second, when it is closed */
} clients[ALL_CLIENTS];
static int n_clients;           /* but for canaries */

static struct netlink_socket *sock;
static int n_scanned;           /* entries that are known to have been read */
static bool trouble;            /* one of them was */

/* the call of dco_do_read() that is being made */
static struct
{
    struct timeval start;
    long budget;                /* microseconds that it may go on for */
    int first;                  /* entry that is to be read */
    int n_read;                 /* but for EINTR, which libnl hides */
    int n_valid;                /* notifications in them */
    bool odd;                   /* one was */
    int n_requests;
    int n_since_read;           /* of them, since the last was read */
    int last_valid;             /* notifications in that */
} call;

static int n_woken;             /* calls in a row that a no-op has led to */
static bool left;               /* the last call has left something ... */
static struct timeval left_at;  /* ... at this time ... */
static long owed;               /* ... so long after it should have, in microseconds */

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

/*
 * The second reading
 */

/** What a notification says. */
struct notified
{
    int peer_id;
    int reason;
};

/** The last attribute of that \a type in a stream, which is aligned to 4, or NULL. */
static const struct rtattr *
attribute(const void *data, int len, int type)
{
    const struct rtattr *found = NULL;

    for (const struct rtattr *attr = data; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
    {
        if ((attr->rta_type & NLA_TYPE_MASK) == type)
            found = attr;
    }
    return found;
}

/** As attribute(), for a number: its first \a size bytes. */
static bool
number(const void *data, int len, int type, void *n, size_t size)
{
    const struct rtattr *attr = attribute(data, len, type);

    if (!attr || RTA_PAYLOAD(attr) < size)
        return false;
    memcpy(n, RTA_DATA(attr), size);
    return true;
}

/** Whether a message is a valid DEL_PEER, and of which interface. */
static bool
is_del_peer(const struct nlmsghdr *nlh, uint32_t *ifindex, struct notified *n)
{
    const struct genlmsghdr *gnlh = NLMSG_DATA(nlh);
    uint32_t peer_id;
    uint8_t reason;

    if (nlh->nlmsg_type != FAMILY_ID
        || nlh->nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN)
        || gnlh->cmd != OVPN_CMD_DEL_PEER)
    {
        return false;
    }
    const void *data = gnlh + 1;
    const int len = nlh->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
    const struct rtattr *nest = attribute(data, len, OVPN_ATTR_DEL_PEER);
    const void *inner = nest ? RTA_DATA(nest) : NULL;
    const int size = nest ? RTA_PAYLOAD(nest) : 0;

    if (!number(data, len, OVPN_ATTR_IFINDEX, ifindex, sizeof(*ifindex))
        || !number(inner, size, OVPN_DEL_PEER_ATTR_REASON, &reason, sizeof(reason))
        || !number(inner, size, OVPN_DEL_PEER_ATTR_PEER_ID, &peer_id, sizeof(peer_id))
        || peer_id > MAX_PEER_ID)
    {
        return false;
    }
    *n = (struct notified){ .peer_id = (int)peer_id, .reason = reason };
    return true;
}

/**
 * Find the valid DEL_PEERs of our interface in a datagram, which is aligned to 4, as
 * netlink(7) and ovpn_dco_linux.h say.
 *
 * @param found     out: one for each, in their order
 * @param filled    out: whether the last message ends where the datagram does, so
 *                  that another one can be put behind it
 * @param clean     out: whether all that it has are DEL_PEERs as the kernel sends
 *                  them, of whatever interface
 *
 * @return          how many there are
 */
static int
valid_notifications(const void *data, size_t len, struct notified *found, bool *filled,
                    bool *clean)
{
    int n = 0;
    int rest = (int)len;

    *filled = false;
    *clean = true;
    for (const struct nlmsghdr *nlh = data; NLMSG_OK(nlh, rest); nlh = NLMSG_NEXT(nlh, rest))
    {
        uint32_t ifindex;
        const bool valid = is_del_peer(nlh, &ifindex, &found[n]);

        n += valid && ifindex == IFINDEX;
        *clean = *clean && valid && !(nlh->nlmsg_flags & (NLM_F_MULTI | NLM_F_DUMP_INTR));
        *filled = rest == (int)NLMSG_ALIGN(nlh->nlmsg_len);
    }
    return n;
}

/*
 * What is sent
 */

static bool
is_error(int error)
{
    /* libnl tries again */
    return error && error != EINTR && nl_syserr2nlerr(error) != NLE_AGAIN;
}

static void
queue(const struct entry *entry, const void *data, size_t len)
{
    enqueue(&sock->queue, entry->error, data, len);
    *ENTRY(n_entries) = *entry;
    ENTRY(n_entries++)->spends = elsewhere;
    elsewhere = false;
    for (int i = 0; i < ALL_CLIENTS && is_error(entry->error); ++i)
        clients[i].lost |= clients[i].connected && kernel.gone[i];
}

static void
start_client(int i)
{
    clients[i].connected = true;
    clients[i].due = -1;
    clients[i].lost = clients[i].raises = clients[i].spends = false;
    kernel.gone[i] = false;
    if (top.mode == CM_TOP)
        instances[i] = &instance[i];
    else
        tls_multi.dco_peer_id = P2P_PEER;
}

/** Whether there was one left to be lost. */
static bool
add_canary(struct batch *batch)
{
    const bool server = top.mode == CM_TOP;
    int i = server ? n_clients + CANARIES - 1 : P2P_PEER;

    while (server && i >= n_clients && clients[i].connected)
        --i;
    if (server && i < n_clients)
        return false;
    if (!clients[i].connected)
        start_client(i);
    del_peer(batch, i, OVPN_DEL_PEER_REASON_EXPIRED);
    return true;
}

/** A datagram is queued, and what it has to lead to is expected; \a first is what the
 * first client spends and raises, or NULL for a canary alone. */
static void
send_datagram(const uint8_t *data, size_t len, bool truncated, const struct client *first)
{
    static struct batch batch;
    static uint8_t too_large[BATCH_SIZE + 1];
    static struct notified found[BATCH_SIZE / NLMSG_HDRLEN + 1];
    bool filled, clean, first_one = true;

    if (truncated)
    {
        /* for libnl, which peeks, nothing is too large */
        queue(&(struct entry){ .trouble = STRICT, .error = STRICT ? EMSGSIZE : 0 }, too_large,
              sizeof(too_large));
        return;
    }
    if (len == 0 && !STRICT)
        return;                 /* and never gets past these */

    memcpy(batch.data, data, len);
    batch.len = len;
    valid_notifications(batch.data, len, found, &filled, &clean);
    if (filled && first)
        add_canary(&batch);
    const int n = valid_notifications(batch.data, batch.len, found, &filled, &clean);
    for (int i = 0; i < n; ++i)
    {
        if (found[i].peer_id >= ALL_CLIENTS)
            continue;
        struct client *client = &clients[found[i].peer_id];
        client->told = client->told < 0 ? n_entries : client->told;
        client->reasons |= found[i].reason < 32 ? 1U << found[i].reason : 0;
        if (!client->connected)
            continue;
        remove_peer(found[i].peer_id);
        /* userspace has closed that itself; in P2P mode the last one counts */
        if (found[i].reason == OVPN_DEL_PEER_REASON_USERSPACE)
        {
            if (top.mode != CM_TOP)
                client->due = -1;
        }
        else if ((clean || STRICT) && client->due < 0)
        {
            client->due = n_entries;
            client->raises = first && first_one && first->raises;
            client->spends = first && first_one && first->spends;
            first_one = false;
        }
    }
    queue(&(struct entry){ .n_valid = n, .odd = !clean && !STRICT, .trouble = !clean && !STRICT },
          batch.data, batch.len);
    batch.len = 0;
}

/**
 * Send records up to a pause, or all that are left and a canary.
 *
 * @return      bytes of \a data that are done
 */
static size_t
send_input(const uint8_t *data, size_t size, bool may_pause)
{
    static struct batch canary;
    int n_truncated = 0;
    bool truncated = false;
    struct client next = { 0 };
    size_t pos = 0;

    while (size - pos >= 2)
    {
        size_t len = data[pos] | data[pos + 1] << 8;

        pos += 2;
        if (len < RECORD_CONTROL)
        {
            len = len < size - pos ? len : size - pos;
            n_truncated += truncated;
            send_datagram(data + pos, len, truncated, &next);
            truncated = next.raises = next.spends = false;
            pos += len;
        }
        else if (len == RECORD_TRUNCATED)
        {
            truncated = n_truncated < MAX_TRUNCATED;
        }
        else if (len <= RECORD_LAST_ERROR)
        {
            const int error = len & 0xff;

            queue(&(struct entry){ .error = error, .trouble = is_error(error) }, NULL, 0);
        }
        else if (len <= RECORD_LAST_GONE)
        {
            remove_peer(len - RECORD_GONE(0));
            clients[len - RECORD_GONE(0)].raises = next.raises;
            clients[len - RECORD_GONE(0)].spends = next.spends;
            next.raises = next.spends = false;
        }
        else if (len <= RECORD_LAST_BACK && clients[len - RECORD_BACK(0)].connected)
        {
            start_client(len - RECORD_BACK(0));
        }
        else if (len == RECORD_NO_NOOP)
        {
            kernel.noop_error = ENOBUFS;
        }
        else if (len == RECORD_CLIENTS && n_entries == 0 && top.mode == CM_TOP)
        {
            for (n_clients = 0; n_clients < MANY_CLIENTS; ++n_clients)
                start_client(n_clients);
            multi_context.max_clients = MANY_CLIENTS + CANARIES;
        }
        else if (len >= RECORD_REFUSED && len <= RECORD_NO_REPLY)
        {
            answers[n_answers++] = len == RECORD_REFUSED ? ANSWER_REFUSED
                                   : len == RECORD_LATE && STRICT ? ANSWER_LATE : ANSWER_NEVER;
        }
        else if (len == RECORD_ELSEWHERE)
        {
            elsewhere = true;
        }
        else if (len == RECORD_PAUSE && may_pause)
        {
            return pos;
        }
        else if (len >= RECORD_SECOND)
        {
            next.raises |= len == RECORD_SIGNAL;
            next.spends |= len == RECORD_SECOND && top.mode == CM_TOP;
        }
    }
    if (add_canary(&canary))
        send_datagram(canary.data, canary.len, false, NULL);
    canary.len = 0;
    return size;
}

/*
 * What comes of it
 */

/** The time since then, but five seconds at most, in microseconds. */
static long
since(const struct timeval *then)
{
    const long passed = (wall_clock.tv_sec - then->tv_sec) * 1000000L
                        + wall_clock.tv_usec - then->tv_usec;

    return passed < 5000000 ? passed : 5000000;
}

static bool
time_is_up(void)
{
    return since(&call.start) >= call.budget;
}

/** Look at what was read since the last time. */
static void
scan(void)
{
    const int n_read = n_entries - queue_length(sock->queue.head);
    const bool over = time_is_up() || IS_SIG(&top);

    for (; n_scanned < n_read; ++n_scanned)
    {
        const struct entry *e = ENTRY(n_scanned);

        trouble |= e->trouble;
        call.odd |= e->odd;
        call.n_read += e->error != EINTR;
        call.n_valid += e->n_valid;
        call.last_valid = e->n_valid;
        call.n_since_read = 0;
        if (call.n_read > 1 && over && !call.odd)
            defect("reads on for too long");
    }
}

/** The callback for each request, before it is answered. */
static void
count_request(int cmd)
{
    scan();
    if (cmd != OVPN_CMD_GET_PEER)
        defect("a request that is no GET_PEER but %d", cmd);
    if (top.mode != CM_TOP && tls_multi.dco_peer_id < 0)
        defect("asks for a peer when there is none");
    if (++call.n_since_read > call.last_valid + 1 && (time_is_up() || IS_SIG(&top))
        && !call.odd && !kernel.noop_error)
    {
        defect("asks on for too long");
    }
    if (++call.n_requests > call.n_valid && !trouble)
        defect("request %d for %d notifications", call.n_requests, call.n_valid);
    while (late.head)
    {
        struct netlink_socket *requests = socket_of(nl_socket_get_fd(tuntap.dco.nl_sock));

        enqueue(&requests->queue, 0, late.head->data, late.head->len);
        dequeue(&late);
    }
    answer = n_answered < n_answers ? answers[n_answered++] : ANSWER_IN_TIME;
    kernel.request_error = answer == ANSWER_REFUSED ? -ENOMEM : 0;
    memcpy(n_get_peer, kernel.n_get_peer, sizeof(n_get_peer));
    asked = -1;
}

/** The callback for each reply; whether it is not to be queued. */
static bool
hold_reply(const struct nlmsghdr *reply)
{
    const struct nlmsgerr *error = NLMSG_DATA(reply);

    if (reply->nlmsg_type == NLMSG_ERROR && error->msg.nlmsg_type == NLMSG_NOOP)
    {
        *ENTRY(n_entries++) = (struct entry){ .ack = true };
        return false;
    }
    for (int i = 0; i < ALL_CLIENTS; ++i)
        asked = kernel.n_get_peer[i] == n_get_peer[i] ? asked : i;
    if (answer != ANSWER_IN_TIME && asked >= 0)
        clients[asked].lost = false;
    if (answer == ANSWER_LATE)
        enqueue(&late, 0, reply, reply->nlmsg_len);
    return answer == ANSWER_LATE || answer == ANSWER_NEVER;
}

/** The callback for each notification that is handed on. */
static void
compare(void)
{
    const struct notified n = { processed[n_processed - 1].peer_id, processed[n_processed - 1].reason };

    n_processed = 0;
    scan();
    if (STOCK && n.peer_id < ALL_CLIENTS && !clients[n.peer_id].connected)
        return;                 /* its event loop looks for the client, not dco_linux.c */
    if (n.peer_id < 0 || n.peer_id >= ALL_CLIENTS || !clients[n.peer_id].connected)
        defect("peer-id %d, reason %d: handed on, but there is no such client", n.peer_id, n.reason);

    struct client *client = &clients[n.peer_id];
    const bool told = client->told >= 0 && client->told < n_scanned;
    if (!STOCK && asked != n.peer_id)
        defect("peer-id %d, reason %d: handed on, but the kernel was not asked", n.peer_id, n.reason);
    if (!kernel.gone[n.peer_id] && answer == ANSWER_IN_TIME && !STOCK)
        defect("peer-id %d, reason %d: handed on, but the peer lives", n.peer_id, n.reason);
    if (!told && !trouble)
        defect("peer-id %d, reason %d: handed on, but nobody has told", n.peer_id, n.reason);
    if (!told && !call.odd && (sock->queue.head || answer != ANSWER_IN_TIME))
    {
        defect("peer-id %d: handed on as lost, but %s", n.peer_id,
               sock->queue.head ? "the queue is not empty" : "the kernel has not said so");
    }
    if (!call.odd && !(told && n.reason < 32 && client->reasons & 1U << n.reason) && n.reason < 32
        && !(trouble && n.reason == OVPN_DEL_PEER_REASON_EXPIRED))
    {
        defect("peer-id %d, reason %d: handed on, but that is not the reason", n.peer_id, n.reason);
    }

    if (n.reason == OVPN_DEL_PEER_REASON_USERSPACE)
        return;
    client->connected = client->lost = false;
    if (top.mode != CM_TOP)
        tls_multi.dco_peer_id = -1;     /* as process_incoming_dco() does */
    if (client->raises)
        signal_info.signal_received = SIGTERM;
    if (client->spends)
        spend(1000);
}

/* the mock's is weak, as is that of clang's sanitizers, and these come first */
int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
    /* volatile: glibc declares that poll() writes here only */
    const struct pollfd *volatile request = fds;

    return socket_of(request->fd)->queue.head != NULL;
}

/** Let a call of dco_do_read() read what is queued. */
static void
read_queue(void)
{
    if (ENTRY(n_scanned)->ack && ++n_woken > ALL_CLIENTS)
        defect("is woken again and again");
    n_woken = ENTRY(n_scanned)->ack ? n_woken : 0;
    CLEAR(call);
    call.first = n_scanned;
    call.start = wall_clock;
    if (left && since(&left_at) > owed)
        call.budget = since(&left_at) - owed;
    asked = -1;
    kernel.fruitless_reads = -2 * ALL_CLIENTS;  /* the mock allows 100 */
    const int ret = dco_read(&tuntap.dco);
    if (ret < 0)
        defect("dco_do_read() returned %d", ret);
    left = readable();
    left_at = wall_clock;
    owed = since(&call.start) > call.budget ? since(&call.start) - call.budget : 0;

    const bool in_time = !time_is_up() && !IS_SIG(&top);
    scan();
    if (n_scanned == call.first)
        defect("nothing was read");
    if (in_time && left && !STOCK)
        defect("stops, but there was time to go on");
    for (int i = 0; i < ALL_CLIENTS; ++i)
    {
        if (call.odd && top.mode != CM_TOP)
            clients[i].due = -1;        /* what was left for later may be lost with the odd one */
        if (clients[i].connected && clients[i].due >= 0 && clients[i].due < n_scanned)
            defect("peer-id %d is gone, and its notification was read, but it was not handed on", i);
    }
    signal_info.signal_received = 0;
    for (int i = call.first; i < n_scanned; ++i)
        spend(ENTRY(i)->spends ? 2000 : 0);
}

/*
 * Inputs
 */

/** Open the device for this mode, once, and restore what an input changes. */
static void
start(int mode)
{
    static struct tuntap devices[2];
    static bool opened[2];
    const bool server = mode == CM_TOP;

    if (!opened[server])
    {
        reset(mode);
        open_device();
        devices[server] = tuntap;
        opened[server] = true;
        for (int i = 0; i < ALL_CLIENTS; ++i)
            connect_client(i);
    }
    tuntap = devices[server];
    sock = socket_of(polled_fd());
    top.mode = mode;
    top.multi = server ? (void *)&multi_context : NULL;
    signal_info.signal_received = 0;

    on_notification = compare;
    kernel.on_request = count_request;
    kernel.on_reply = hold_reply;
    kernel.request_error = kernel.noop_error = kernel.n_requests = 0;
    memset(kernel.gone, 0, ALL_CLIENTS * sizeof(*kernel.gone));
    memset(kernel.n_get_peer, 0, ALL_CLIENTS * sizeof(*kernel.n_get_peer));

    n_entries = n_scanned = n_woken = n_answers = n_answered = 0;
    logged = warned = 0; /* of a day's inputs they would be too many for an int */
    left = trouble = elsewhere = false;
    owed = 0;
    n_clients = FEW_CLIENTS;
    multi_context.max_clients = FEW_CLIENTS + CANARIES;
    memset(clients, 0, sizeof(clients));
    for (int i = 0; i < ALL_CLIENTS; ++i)
    {
        clients[i].told = clients[i].due = -1;
        instances[i] = NULL;
        if (server ? i < FEW_CLIENTS : i == P2P_PEER)
            start_client(i);
    }
}

static void
run(int mode, const uint8_t *data, size_t size)
{
    int n_pauses = 0;
    size_t pos = 0;

    start(mode);
    do
    {
        pos += send_input(data + pos, size - pos, n_pauses++ < MAX_PAUSES);
        while (readable())
            read_queue();
        for (int i = 0; i < ALL_CLIENTS; ++i)
        {
            if (clients[i].connected && clients[i].lost)
                defect("peer-id %d was lost, and was not found", i);
        }
    } while (pos < size);

    while (late.head)
        dequeue(&late);
    if (sock->queue.head || socket_of(nl_socket_get_fd(tuntap.dco.nl_sock))->queue.head)
        defect("something is left to be read");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_LIMIT - 2)
        return 0;
    run(CM_TOP, data, size);
    run(CM_P2P, data, size);
    return 0;
}
