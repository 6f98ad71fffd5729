/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Lets the drivers of the follow-ups compile against sources without the first
 * one ("cc -include follow_up_adapter.h"), which is the only one to change an
 * interface: there is no dco_resync() and no multi_dco_resync(), and the reason
 * is never seen.
 */
#ifndef FOLLOW_UP_ADAPTER_H
#define FOLLOW_UP_ADAPTER_H

#include "config.h"
#include "syshead.h"
#include "dco.h"

#ifndef DCO_DEL_PEER_REASON_LOST
#define DCO_DEL_PEER_REASON_LOST 256

static inline bool
dco_resync(struct context *c)
{
    return false;
}

struct multi_context;

static inline void
multi_dco_resync(struct multi_context *m)
{
}
#endif

#endif /* ifndef FOLLOW_UP_ADAPTER_H */
