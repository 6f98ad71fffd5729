/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * A scripted kernel for unit tests of dco_linux.c.
 *
 * dco_linux.c and libnl are the real ones: the few system calls that libnl makes
 * on a netlink socket are defined in mock_netlink.c, which takes precedence over
 * those of the C library.  A socket is a queue of datagrams.  A request is
 * answered at once, as by the kernel, which queues the ACK before sendmsg()
 * returns; a notification goes to every socket that has joined the multicast
 * group.
 */

#ifndef MOCK_NETLINK_H
#define MOCK_NETLINK_H

#include "mock_main.h"

#include "ovpn_dco_linux.h"

#include <netlink/msg.h>
#include <sys/socket.h>

/* the family of ovpn-dco, its multicast group, and the interface */
#define FAMILY_ID   27
#define GROUP_ID    4711
#define IFINDEX     5

/* peer-ids that the kernel knows: 0 to N_PEERS - 1 */
#define N_PEERS     1024

/* the largest datagram: one DEL_PEER is 48 bytes, and N_PEERS of them fit */
#define BATCH_SIZE  (64 * 1024)

/** The messages of one datagram, to be built one by one, and then sent. */
struct batch
{
    size_t len;
    uint8_t data[BATCH_SIZE];
};

/** What recvmsg() returns: a datagram, or an error. */
struct datagram
{
    struct datagram *next;
    int error;                  /* errno of recvmsg(), or 0 for a datagram */
    size_t len;
    uint8_t data[];
};

struct datagram_queue
{
    struct datagram *head;
    struct datagram *tail;
};

struct netlink_socket
{
    bool open;
    bool member;                /* of the multicast group */
    bool nonblock;
    bool cloexec;
    int rcvbuf;                 /* SO_RCVBUF, in bytes */
    int rcvbuf_joined;          /* what that was when it joined the group */
    uint32_t portid;
    struct datagram_queue queue;
};

/** The kernel, as a test has scripted it. reset() clears all of it. */
extern struct mock_kernel
{
    bool limited;               /* no CAP_NET_ADMIN: net.core.rmem_max holds */
    bool gone[N_PEERS];         /* the peers that there are no more */
    int request_error;          /* that requests are answered with: 0, or -errno */
    int send_error;             /* that sendmsg() fails with: 0, or errno */
    int noop_error;             /* that it fails with for an NLMSG_NOOP */
    int socket_error;           /* that socket() fails with, once the next ... */
    int n_sockets;              /* ... have been opened */

    /* notifications that come while the next request is served: before the
     * reply, between the replies if there are several, and after the last */
    struct batch ahead, between, behind;

    /* called for each request to ovpn-dco, if set */
    void (*on_request)(int cmd);
    /* called for each reply, if set; true if it is not to be queued */
    bool (*on_reply)(const struct nlmsghdr *reply);
    /* called for each setsockopt(), if set; returns 0, or errno */
    int (*on_setsockopt)(int level, int name, const void *value, socklen_t len);

    int n_requests;             /* to ovpn-dco, so far */
    int n_get_peer[N_PEERS];    /* those of them that were for this peer */
    int n_dumps;                /* and those that were for all */
    int n_noops;                /* messages that ask for nothing but an ACK */
    int fruitless_reads;        /* calls of recvmsg() in a row that got nothing */
} kernel;

/*
 * Sockets
 */

struct netlink_socket *socket_of(int fd);

/** The socket that requests are made on, or NULL if it gets notifications, too. */
struct netlink_socket *request_socket(void);

/** Let recvmsg() return this datagram or, unless \a error is 0, this error. */
void enqueue(struct datagram_queue *queue, int error, const void *data, size_t len);

void dequeue(struct datagram_queue *queue);

/** How many datagrams and errors there are from this one on. */
int queue_length(const struct datagram *d);

/** Check that the sockets of the group have been closed, and forget them all. */
void close_kernel(void);

/*
 * Notifications
 */

/** Remove a peer without a word, as if its notification was lost. */
void remove_peer(uint32_t peer_id);

void remove_peers(int first, int n);

/** Remove a peer, and add the DEL_PEER that tells to a batch. */
void del_peer(struct batch *batch, uint32_t peer_id, uint8_t reason);

/* the attributes of a DEL_PEER */
#define IFINDEX_ATTR    (1<<0)
#define DEL_PEER_ATTR   (1<<1)
#define REASON_ATTR     (1<<2)
#define PEER_ID_ATTR    (1<<3)
#define ALL_ATTRS       (IFINDEX_ATTR|DEL_PEER_ATTR|REASON_ATTR|PEER_ID_ATTR)

/** How a message differs from a DEL_PEER of peer 11 for having expired. */
struct bad_message
{
    int attrs;                  /* that are there */
    int empty;                  /* and have no content */
    int cmd;                    /* instead of OVPN_CMD_DEL_PEER */
    int type;                   /* instead of FAMILY_ID */
    uint32_t peer_id;           /* instead of 11 */
    uint32_t ifindex;           /* instead of IFINDEX */
    size_t cut;                 /* bytes that the message ends early */
    uint16_t nested_len;        /* that the nested attribute claims */
};

#define BAD_MESSAGE(...) (&(struct bad_message){ __VA_ARGS__ })

/** Add a message that is none for us to a batch. */
void add_bad_message(struct batch *batch, const struct bad_message *bad);

/** Send a datagram to the multicast group or, unless \a error is 0, this error. */
void multicast_datagram(int error, const void *data, size_t len);

/** Send a batch to the multicast group, as one datagram, and empty it. */
void multicast(struct batch *batch);

/** Remove a peer, and send its DEL_PEER as a datagram of its own. */
void multicast_del_peer(uint32_t peer_id, uint8_t reason);

/** Let recvmsg() fail for the multicast group. */
void multicast_error(int error);

/** Remove the peers \a first to \a first + \a n - 1 for having expired. */
void multicast_expired(int first, int n, bool one_datagram);

#endif /* ifndef MOCK_NETLINK_H */
