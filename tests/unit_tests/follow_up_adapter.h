/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Lets test_dco_linux.c of a follow-up compile against the sources of the commit
 * before it ("cc -include follow_up_adapter.h").
 *
 * Only the first follow-up changes an interface: the event loop of the series
 * does not call dco_resync(), and the reason is never seen.
 */
#ifndef FOLLOW_UP_ADAPTER_H
#define FOLLOW_UP_ADAPTER_H

#include "config.h"
#include "syshead.h"
#include "dco.h"

#ifndef DCO_DEL_PEER_REASON_LOST
#define DCO_DEL_PEER_REASON_LOST 256
#define dco_resync(c) ((void)(c), false)
#endif

#endif /* ifndef FOLLOW_UP_ADAPTER_H */
