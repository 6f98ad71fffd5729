/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Fuzz target: arbitrary datagrams on the notification socket, read by
 * dco_do_read() with the series, and by that and dco_resync() with the
 * follow-ups. records.h says what an input is.
 *
 * dco_linux.c and libnl are the real ones. The scripted kernel, the event loop
 * and the message builder are the mocks of the unit tests.
 *
 * The oracle says for each call what has to come of it:
 *  - Which notifications are handed on, and in which order: valid.h. A canary, a
 *    valid DEL_PEER, is put behind the last message of each datagram whose
 *    messages fill it, and in a datagram of its own at the end.
 *  - How many datagrams it reads: as many as there are, but not beyond the bound,
 *    a signal, or the clock's second.
 *  - After an error, and not before the queue was empty, the follow-ups ask for
 *    each peer that there should be. Those that are gone are handed on as lost,
 *    once, and no others. Reads and requests share the bound. The series asks
 *    for nothing.
 * Anything else aborts.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "syshead.h"

#include <netlink/socket.h>
#include <poll.h>

#include "mock_netlink.h"
#include "mock_openvpn.h"
#include "records.h"
#include "valid.h"

/* input beyond this is ignored */
#define INPUT_LIMIT   32768

/* datagrams of an input that are truncated: they cost 64 KiB each */
#define MAX_TRUNCATED 4

/* most datagrams that one dco_do_read() takes; without the series it is 1 */
#ifndef READS_PER_CALL
#define READS_PER_CALL READ_BOUND
#endif

/* what only the follow-ups have */
#ifdef DCO_DEL_PEER_REASON_LOST
#define ASKS          true
#else
#define ASKS          false
#define DCO_DEL_PEER_REASON_LOST 256

static bool
dco_resync(struct context *c)
{
    return false;
}
#endif

#define CANARY        7

/* the server's clients, unless there are to be more; and the peer in P2P mode */
#define FEW_CLIENTS   8
#define MANY_CLIENTS  100
#define P2P_PEER      1

_Static_assert(RECORD_FAMILY_ID == FAMILY_ID && RECORD_IFINDEX == IFINDEX,
               "records.h and mock_netlink.h disagree");

/* a datagram or an error of recvmsg() in the queue */
struct entry
{
    int error;                  /* errno, or 0 */
    bool lost;                  /* a datagram that is */
    bool last;                  /* a signal is raised, or the second changes, while
                                 * it is read */
    int due;                    /* expectations that are met when it has been */
};

/* what becomes of the reply to a request */
enum answer { ANSWER_IN_TIME, ANSWER_REFUSED, ANSWER_LATE, ANSWER_NEVER };

/* what was sent, and what has come of it */
static struct expectation expected[INPUT_LIMIT];
static int n_expected, n_seen;
static struct entry entries[INPUT_LIMIT];
static int n_entries, n_read;
static enum answer answers[INPUT_LIMIT];
static int n_answers, n_answered;
static enum answer answer;      /* to the request that is served */
static struct datagram_queue late;

/* the peers */
static int n_peers;
static bool connected[MANY_CLIENTS];                /* there should be this one */
static struct expectation when_lost[MANY_CLIENTS];  /* what it raises and spends */

/* what is left to do: errors mean that something was lost; then all peers are to
 * be asked for, and asked_before is how often each had been by then */
static bool lost, asking;
static int asked_before[MANY_CLIENTS];

/* the call of dco_do_read() or dco_resync() that is being made */
static struct
{
    int last_entry;             /* it reads up to this one */
    int most_requests;          /* 0 if it isn't to make any */
    int n_requests;             /* that were made before */
    bool over;                  /* no more requests, for what the last one brought */
    int n_get_peer[MANY_CLIENTS];   /* before one that was not answered in time */
    bool unanswered;
    int n_gone;                 /* that the kernel has said are gone, and ... */
    int n_lost;                 /* ... that were handed on as lost */
} call;

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
 * What is sent
 */

static void
add_canary(struct batch *batch)
{
    del_peer(batch, CANARY, OVPN_DEL_PEER_REASON_EXPIRED);
    expected[n_expected++] = (struct expectation){
        .peer_id = CANARY, .reason = OVPN_DEL_PEER_REASON_EXPIRED
    };
}

static void
queue(struct netlink_socket *sock, const struct entry *entry, const void *data, size_t len)
{
    enqueue(&sock->queue, entry->error, data, len);
    entries[n_entries] = *entry;
    entries[n_entries++].due = n_expected;
}

/** A datagram is queued, and what it has to lead to is expected. */
static void
send_datagram(struct netlink_socket *sock, const uint8_t *data, size_t len,
              bool truncated, const struct expectation *first_one)
{
    static struct batch batch;
    static uint8_t too_large[BATCH_SIZE + 1];
    const int first = n_expected;
    bool filled;

    if (truncated)
    {
        queue(sock, &(struct entry){ .lost = true }, too_large, sizeof(too_large));
        return;
    }

    memcpy(batch.data, data, len);
    batch.len = len;
    n_expected += valid_notifications(batch.data, len, &expected[first], &filled);
    if (filled)
    {
        add_canary(&batch);
    }
    if (n_expected > first)
    {
        expected[first].raises = first_one->raises;
        expected[first].spends = first_one->spends;
    }
    queue(sock, &(struct entry){ .last = n_expected > first && (first_one->raises || first_one->spends) },
          batch.data, batch.len);
    batch.len = 0;
}

/** mock_netlink.c asks for an error one request ahead. */
static void
prepare_answer(void)
{
    kernel.request_error = n_answered < n_answers && answers[n_answered] == ANSWER_REFUSED ? -ENOMEM : 0;
}

/**
 * Send records up to a pause, or all that are left and a canary.
 *
 * @return      bytes of \a data that are done
 */
static size_t
send_input(struct netlink_socket *sock, const uint8_t *data, size_t size)
{
    static struct batch canary;
    int n_truncated = 0;
    bool truncated = false;
    struct expectation next = { 0 };
    size_t pos = 0;

    while (size - pos >= 2)
    {
        size_t len = data[pos] | data[pos + 1] << 8;

        pos += 2;
        if (len < RECORD_CONTROL)
        {
            len = len < size - pos ? len : size - pos;
            n_truncated += truncated;
            send_datagram(sock, data + pos, len, truncated, &next);
            truncated = next.raises = next.spends = false;
            pos += len;
        }
        else if (len == RECORD_TRUNCATED)
        {
            truncated = n_truncated < MAX_TRUNCATED;
        }
        else if (len <= RECORD_LAST_ERROR)
        {
            queue(sock, &(struct entry){ .error = len & 0xff }, NULL, 0);
        }
        else if (len <= RECORD_LAST_GONE)
        {
            const int peer_id = len - RECORD_GONE(0);

            remove_peer(peer_id);
            when_lost[peer_id] = next;
            next.raises = next.spends = false;
        }
        else if (len == RECORD_CLIENTS && n_entries == 0 && top.mode == CM_TOP)
        {
            for (; n_peers < MANY_CLIENTS; ++n_peers)
            {
                instances[n_peers] = &instance[n_peers];
                connected[n_peers] = true;
            }
        }
        else if (len >= RECORD_REFUSED && len <= RECORD_NO_REPLY)
        {
            answers[n_answers++] = len == RECORD_REFUSED ? ANSWER_REFUSED : len == RECORD_LATE ? ANSWER_LATE : ANSWER_NEVER;
            prepare_answer();
        }
        else if (len == RECORD_PAUSE)
        {
            return pos;
        }
        else if (len >= RECORD_SECOND)
        {
            next.raises |= len == RECORD_SIGNAL;
            next.spends |= len == RECORD_SECOND;
        }
    }
    add_canary(&canary);
    queue(sock, &(struct entry){ 0 }, canary.data, canary.len);
    canary.len = 0;
    return size;
}

/*
 * What comes of it
 */

static void
take_effect(const struct expectation *e)
{
    if (e->raises)
    {
        signal_info.signal_received = SIGTERM;
    }
    if (e->spends)
    {
        spend_a_second();
    }
}

/** A peer was found to be gone. */
static void
compare_lost(int peer_id)
{
    if (peer_id < 0 || peer_id >= n_peers || !connected[peer_id])
    {
        defect("peer-id %d is lost, but there is no such peer", peer_id);
    }
    if (!kernel.gone[peer_id])
    {
        defect("peer-id %d is lost, but it lives", peer_id);
    }
    if (call.over || kernel.n_requests == call.n_requests)
    {
        defect("peer-id %d is lost, but the kernel has not said so", peer_id);
    }
    ++call.n_lost;
    connected[peer_id] = false;
    if (top.mode != CM_TOP)
    {
        tls_multi.dco_peer_id = -1; /* as process_incoming_dco() does */
    }
    call.over = when_lost[peer_id].raises || when_lost[peer_id].spends;
    take_effect(&when_lost[peer_id]);
}

/** The callback for each notification that is handed on. */
static void
compare(void)
{
    const struct notification n = processed[n_processed - 1];

    n_processed = 0;
    if (n.reason == DCO_DEL_PEER_REASON_LOST)
    {
        compare_lost(n.peer_id);
        return;
    }
    if (n_seen == n_expected)
    {
        defect("peer-id %d, reason %d: handed on, but never sent", n.peer_id, n.reason);
    }

    const struct expectation *e = &expected[n_seen++];
    if (n.peer_id != e->peer_id || n.reason != e->reason)
    {
        defect("notification %d: peer-id %d, reason %d, expected %d, %d", n_seen,
               n.peer_id, n.reason, e->peer_id, e->reason);
    }
    if (n.peer_id < n_peers && top.mode == CM_TOP && n.reason != OVPN_DEL_PEER_REASON_USERSPACE)
    {
        connected[n.peer_id] = false;
    }
    take_effect(e);
}

/** The callback for each request, before it is answered. */
static void
count_request(int cmd)
{
    if (cmd != OVPN_CMD_GET_PEER || kernel.n_requests - call.n_requests > call.most_requests || call.over)
    {
        defect("request %d of a call that is to make %d%s, command %d", kernel.n_requests - call.n_requests,
               call.most_requests, call.over ? ", and is to stop" : "", cmd);
    }
    while (late.head)
    {
        struct netlink_socket *sock = socket_of(nl_socket_get_fd(tuntap.dco.nl_sock));

        enqueue(&sock->queue, 0, late.head->data, late.head->len);
        dequeue(&late);
    }
    answer = n_answered < n_answers ? answers[n_answered++] : ANSWER_IN_TIME;
    prepare_answer();
    if (answer == ANSWER_LATE || answer == ANSWER_NEVER)
    {
        /* the next one would take as long: not in this call */
        call.over = call.unanswered = true;
        memcpy(call.n_get_peer, kernel.n_get_peer, sizeof(call.n_get_peer));
    }
}

/** The callback for each reply; whether it is not to be queued. */
static bool
hold_reply(const struct nlmsghdr *reply)
{
    const struct nlmsgerr *error = NLMSG_DATA(reply);

    if (answer == ANSWER_LATE)
    {
        enqueue(&late, 0, reply, reply->nlmsg_len);
    }
    if (answer == ANSWER_LATE || answer == ANSWER_NEVER)
    {
        return true;
    }
    call.n_gone += reply->nlmsg_type == NLMSG_ERROR && error->error == -ENOENT;
    return false;
}

/* what comes late comes with the next request */
int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
    /* volatile: glibc declares that poll() writes here only */
    const struct pollfd *volatile request = fds;

    return socket_of(request->fd)->queue.head != NULL;
}

/*
 * Calls
 */

/** How many peers are still to be asked for. */
static int
peers_to_ask(void)
{
    int n = 0;

    for (int i = 0; i < n_peers; ++i)
    {
        const int asked = kernel.n_get_peer[i] - asked_before[i];

        if (asked > 1)
        {
            defect("peer-id %d was asked for %d times", i, asked);
        }
        n += connected[i] && !asked;
    }
    return n;
}

/** The next call has nothing to do. */
static void
expect_nothing(void)
{
    call.last_entry = n_read;
    call.most_requests = 0;
    call.n_requests = kernel.n_requests;
    call.over = call.unanswered = false;
    call.n_gone = call.n_lost = 0;
}

/**
 * What the next call has to do.
 *
 * This is all that is expected after an error and after a bound, with the series
 * and with the follow-ups.
 */
static void
expect_call(void)
{
    int left = READS_PER_CALL;
    bool empty = false, over = false;

    expect_nothing();
    while (left > 0 && !empty && !over)
    {
        if (call.last_entry == n_entries)
        {
            --left;
            empty = true;
            break;
        }

        const struct entry *e = &entries[call.last_entry++];
        if (e->error == EINTR)
        {
            continue;           /* libnl tries again */
        }
        --left;
        empty = e->error && nl_syserr2nlerr(e->error) == NLE_AGAIN;
        over = e->last;
        lost |= !empty && (e->error || e->lost);
    }

    if (ASKS && lost && empty)
    {
        asking = true;
        memcpy(asked_before, kernel.n_get_peer, sizeof(asked_before));
    }
    lost = lost && ASKS && !empty;
    call.most_requests = asking && empty && !over ? left : 0;
}

/** Whether that call has done it. */
static void
check_call(const struct netlink_socket *sock)
{
    const int read = n_entries - queue_length(sock->queue.head);

    if (read != call.last_entry)
    {
        defect("read %d of %d datagrams and errors, expected %d", read - n_read, n_entries - n_read,
               call.last_entry - n_read);
    }
    n_read = read;
    const int due = n_read ? entries[n_read - 1].due : 0;
    if (n_seen != due)
    {
        defect("%d notifications handed on, expected %d, next peer-id %d, reason %d", n_seen, due,
               expected[n_seen].peer_id, expected[n_seen].reason);
    }
    if (call.n_lost != call.n_gone)
    {
        defect("%d peers are gone, but %d were found to be lost", call.n_gone, call.n_lost);
    }
    for (int i = 0; call.unanswered && i < n_peers; ++i)
    {
        /* it was not, after all */
        asked_before[i] += kernel.n_get_peer[i] - call.n_get_peer[i];
    }
    if (asking && peers_to_ask() && !call.over && kernel.n_requests - call.n_requests < call.most_requests)
    {
        defect("asked for %d peers, expected %d", kernel.n_requests - call.n_requests, call.most_requests);
    }
    signal_info.signal_received = 0;
}

/** Let a call of dco_do_read() read what is queued. */
static void
read_queue(const struct netlink_socket *sock)
{
    expect_call();
    kernel.fruitless_reads = n_read - n_entries;    /* the mock allows 100 */
    const int ret = dco_do_read(&tuntap.dco);
    if (ret < 0)
    {
        defect("dco_do_read() returned %d", ret);
    }
    check_call(sock);
}

/** Let a call of dco_resync() go on, as before the event loop waits. */
static void
resync(const struct netlink_socket *sock)
{
    if (lost || asking)
    {
        expect_call();
    }
    else
    {
        expect_nothing();
    }
    kernel.fruitless_reads = n_read - n_entries;
    const bool more = dco_resync(&top);
    check_call(sock);

    const bool due = lost || (asking && peers_to_ask());
    if (more ? !lost && !asking : due)
    {
        defect("dco_resync() returned %d", more);
    }
    asking = asking && more;
}

/*
 * Inputs
 */

/** Open the device for this mode, once, and restore what an input changes. */
static struct netlink_socket *
start(int mode)
{
    static struct
    {
        struct tuntap tuntap;
        struct netlink_socket *sock;
    } devices[2], *device;

    device = &devices[mode == CM_TOP];
    if (!device->sock)
    {
        reset(mode);
        open_device();
        device->tuntap = tuntap;
        device->sock = socket_of(polled_fd());
        for (int i = 0; i < MANY_CLIENTS; ++i)
        {
            connect_client(i);
        }
    }
    tuntap = device->tuntap;
    top.mode = mode;
    top.multi = mode == CM_TOP ? (void *)&multi_context : NULL;
    tls_multi.dco_peer_id = P2P_PEER;
    multi_context.max_clients = MANY_CLIENTS;
    signal_info.signal_received = 0;

    on_notification = compare;
    kernel.on_request = count_request;
    kernel.on_reply = hold_reply;
    kernel.request_error = kernel.n_requests = 0;
    memset(kernel.gone, 0, MANY_CLIENTS * sizeof(*kernel.gone));
    memset(kernel.n_get_peer, 0, MANY_CLIENTS * sizeof(*kernel.n_get_peer));

    n_expected = n_seen = n_entries = n_read = n_answers = n_answered = 0;
    logged = warned = 0; /* of a day's inputs they would be too many for an int */
    lost = asking = false;
    memset(when_lost, 0, sizeof(when_lost));
    n_peers = mode == CM_TOP ? FEW_CLIENTS : P2P_PEER + 1;
    for (int i = 0; i < MANY_CLIENTS; ++i)
    {
        connected[i] = mode == CM_TOP ? i < FEW_CLIENTS : i == P2P_PEER;
        instances[i] = connected[i] ? &instance[i] : NULL;
    }
    return device->sock;
}

static void
run(int mode, const uint8_t *data, size_t size)
{
    struct netlink_socket *sock = start(mode);
    size_t pos = 0;

    do
    {
        pos += send_input(sock, data + pos, size - pos);
        while (n_read < n_entries)
        {
            if (lost || (asking && peers_to_ask()))
            {
                resync(sock);
            }
            else
            {
                read_queue(sock);
            }
        }
    } while (pos < size);

    while (lost || asking)
    {
        resync(sock);
    }
    resync(sock);
    if (n_seen != n_expected)
    {
        defect("%d notifications handed on, expected %d", n_seen, n_expected);
    }
    while (late.head)
    {
        dequeue(&late);
    }
    if (sock->queue.head || socket_of(nl_socket_get_fd(tuntap.dco.nl_sock))->queue.head)
    {
        defect("something is left to be read");
    }
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
