/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the server under test has: its client instances, or its one peer in
 * point-to-point mode. The only file that sees OpenVPN's structures is
 * instance.c; it is compiled with the headers of the tree under test.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include "host.h"

struct instance
{
    int peer_id;                /* the kernel peer that it claims, or -1 */
    uint32_t address;           /* of the client, host byte order */
    uint16_t port;              /* as well */
};

/* Live instances (closed ones aside) of a server: at most MAX are stored.
 * Returns their number; -1 when there is no server, or it is in P2P mode. */
int instance_list(struct instance *list, int max);

/* An --iroute of a client, through its VPN address */
struct instance_route
{
    struct host_route route;
    bool owned;                 /* the server sends what is for it to this client */
};

/* The IPv4 ones of all live instances: at most MAX are stored. Returns their number. */
int instance_routes(struct instance_route *list, int max);

/* The number of clients as the server counts them (n_clients) */
int instance_count(void);

/* Peer-id of the point-to-point mode's one peer, or -1 */
int instance_p2p_peer(void);

/* Whether a dco_context_t, as net_iface_new() gets it, is of a server (and not
 * of a point-to-point mode) */
bool instance_is_multipeer(const void *dco);

#endif
