/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Lets test_dco_linux.c, written for the series, compile and run against an
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

/* the test only assigns it; any other pointer will do, of whatever type */
#define multi es

/* the test's own functions, under names that no prototype of stock's has */
#define multi_process_incoming_dco stock_multi_process
#define process_incoming_dco stock_process

void stock_multi_process(struct multi_context *m);
void stock_process(struct context *c);

static struct context *stock_context;

static inline bool
stock_init(struct context *c)
{
    stock_context = c;
    return ovpn_dco_init(c->mode, &c->c1.tuntap->dco);
}

/** What one pass of stock's event loop does when the descriptor is readable. */
static inline int
stock_read(dco_context_t *dco)
{
    int ret = dco_do_read(dco);

    if (dco->dco_message_peer_id >= 0)
    {
        if (stock_context->mode == CM_TOP)
        {
            stock_multi_process((struct multi_context *)stock_context->multi);
        }
        else
        {
            stock_process(stock_context);
        }
    }
    dco->dco_message_type = 0;
    dco->dco_message_peer_id = -1;
    dco->dco_del_peer_reason = -1;
    return ret;
}

#define ovpn_dco_init stock_init
#define dco_do_read stock_read

#endif /* ifndef STOCK_ADAPTER_H */
