/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Lets the drivers of the series, and mock_openvpn.c, compile and run against an
 * OpenVPN 2.6 without it ("cc -include stock_adapter.h").
 *
 * What the series changes in the interface of dco_linux.c, and nothing else, is
 * put back here:
 *  - ovpn_dco_init() takes the mode and the DCO context;
 *  - struct context has no member `multi`;
 *  - dco_do_read() leaves the message that it read in dco_context_t, for the
 *    event loop to process it next (multi.c, multi_process_incoming_dco();
 *    forward.c, process_incoming_dco()).
 */
#ifndef STOCK_ADAPTER_H
#define STOCK_ADAPTER_H

#include "config.h"
#include "syshead.h"
#include "openvpn.h"
#include "dco.h"
#include "forward.h"
#include "multi.h"

/* that of a driver that links multi.c */
extern __typeof__(multi_close_instance) multi_close_instance __attribute__((weak));

/** One pass of the event loop of a real server. */
static inline bool
stock_server_read(struct multi_context *m)
{
    if (!multi_close_instance)
    {
        return false;
    }
    while (multi_process_incoming_dco(m))
    {
    }
    return true;
}

/* the mock only assigns it; any other pointer will do, of whatever type */
#define multi es

/* the mock's own */
void process_message(void);

/** What one pass of stock's event loop does when the descriptor is readable. */
static inline int
stock_read(struct context *c, dco_context_t *dco)
{
    if (c->mode == CM_TOP && stock_server_read((struct multi_context *)c->multi))
    {
        return 0;
    }

    int ret = dco_do_read(dco);

    if (dco->dco_message_peer_id >= 0)
    {
        process_message();
    }
    dco->dco_message_type = 0;
    dco->dco_message_peer_id = -1;
    dco->dco_del_peer_reason = -1;
    return ret;
}

/* `top` is the mock's */
#define ovpn_dco_init(c)    ovpn_dco_init((c)->mode, &(c)->c1.tuntap->dco)
#define dco_do_read(dco)    stock_read(&top, dco)

#endif /* ifndef STOCK_ADAPTER_H */
