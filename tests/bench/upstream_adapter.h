/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Lets the mocks compile against OpenVPN 2.6.20 to 2.6.22, with or without the
 * series ("cc -include upstream_adapter.h"): dco_do_read() has another name
 * there.
 */
#ifndef UPSTREAM_ADAPTER_H
#define UPSTREAM_ADAPTER_H

#define dco_do_read dco_read_and_process

#endif /* ifndef UPSTREAM_ADAPTER_H */
