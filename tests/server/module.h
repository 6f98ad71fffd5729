/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the ovpn-dco-v2 kernel module as its generic-netlink family shows
 * it: peers, keys, replies, notifications. Facts are from the module's
 * netlink.c and peer.c (20241121).
 */
#ifndef MODULE_H
#define MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODULE_PEERS 64         /* at most, at a time */
#define MODULE_NO_PEER (-1)

/* The requests that a server makes, for which something can happen meanwhile */
enum request
{
    REQUEST_NEW_PEER,
    REQUEST_SET_PEER,
    REQUEST_DEL_PEER,
    REQUEST_GET_PEER,
    REQUEST_DUMP,               /* GET_PEER of all */
    REQUEST_NEW_KEY,
    REQUEST_SWAP_KEYS,
    REQUEST_DEL_KEY,
    REQUEST_SCRIPT,             /* no request: a script that the server waits for */
    REQUEST_COUNT
};

/* Where in the replies to a request something happens */
enum position
{
    POSITION_AHEAD,             /* before the kernel looks at the request */
    POSITION_BETWEEN,           /* when the first of several replies is queued */
    POSITION_BEHIND,            /* when the replies are queued */
    POSITION_COUNT
};

/* Reasons of a DEL_PEER: enum ovpn_del_peer_reason in ovpn_dco_linux.h */
enum reason
{
    REASON_TEARDOWN,
    REASON_USERSPACE,
    REASON_EXPIRED,
    REASON_TRANSPORT_ERROR,
    REASON_TRANSPORT_DISCONNECT
};

enum key_change { KEYS_SWAPPED, KEY_NEW, KEY_CHANGES };

/*
 * A peer. The transport's byte counts (LINK_RX_BYTES) are its COUNT << MODULE_COUNT_SHIFT,
 * sent twice as many as received, so that what the server adds to them for its
 * control channel doesn't matter. It grows with each pass of the server's loop,
 * as keepalives come and go. The tunnel's (VPN_RX_BYTES), which --inactive looks at,
 * stay the same: the client is idle.
 */
struct module_peer
{
    bool present;               /* not gone */
    int id;
    uint32_t address;           /* the client's, host byte order */
    bool keepalive;             /* is set */
    bool keys[2];               /* OVPN_KEY_SLOT_PRIMARY, _SECONDARY: there is one */
    unsigned int changes[KEY_CHANGES];  /* how often that has come to these */
    uint64_t count;
    uint64_t told;              /* by the last statistics that the kernel gave out, 0: none */
    bool withheld;              /* the peer is gone, or the kernel would not tell */
};
#define MODULE_COUNT_SHIFT 32

/* The peer with that id; without it one that has nothing, and is not present */
const struct module_peer *module_peer(int id);

/* The last one of the client with that address, also when it is gone; NULL if it had none */
const struct module_peer *module_peer_of(uint32_t address);

/* How many are present */
unsigned int module_peers(void);

/* The peer with the lowest id above ID, or MODULE_NO_PEER */
int module_next_peer(int id);

#define FOR_EACH_PEER(id) \
    for (int id = module_next_peer(MODULE_NO_PEER); id != MODULE_NO_PEER; id = module_next_peer(id))

/*
 * Removing a peer and telling about it are two events: ovpn_peer_del(), and
 * ovpn_netlink_notify_del_peer(), which a work item calls later. Here that is when so many
 * REQUESTS have been answered since (the one at which the peer went counts), or when the
 * server has begun to wait so many times (PASSES of its loop). With neither it is at once,
 * and what was due later is sent now.
 */
void module_lag(unsigned int requests, unsigned int passes);

/* The server begins to wait: another pass of its loop */
void module_pass(void);

/* Remove a peer, if there is one, and tell the multicast group */
void module_remove_peer(int id, enum reason reason);

/* Remove a peer without a word: ovpn_netlink_notify_del_peer() has no memory, or the
 * work item crashes before it (Debian bug 1140548) */
void module_remove_silently(int id);

/* Remove a peer, and garble what is told about it, as when it is freed too early: the
 * interface, the id (of a peer that is there), and the reason, each alone */
void module_remove_garbled(int id, enum reason reason);

/* Remove all peers, with a notification each */
void module_remove_all(enum reason reason);

/* The notification alone: late, for an id that is used again, or FOREIGN, of another
 * server's interface */
void module_notify(int id, enum reason reason, bool foreign);

/* The interface came up in multipeer (MP) or P2P mode; it went away */
void module_interface_new(bool multipeer, unsigned int ifindex);
void module_interface_del(void);

/* Where each datagram of the multicast group is written to, as a record of the fuzzer's */
void module_record(const char *path);

/*
 * To be implemented by who scripts the kernel: called at each position of each
 * request, for peer ID or MODULE_NO_PEER. At POSITION_AHEAD it returns 0, or -errno, with
 * which the request is then refused, or MODULE_NO_REPLY: it is carried out, and the
 * replies are lost.
 */
int module_at(enum request request, enum position position, int id);
#define MODULE_NO_REPLY 1

/* A request was made; SEEN is called once for each, before module_at() */
void module_seen(enum request request);

#endif
