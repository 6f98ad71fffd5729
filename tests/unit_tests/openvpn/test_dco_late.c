/*
 *  OpenVPN -- An application to securely tunnel IP networks
 *             over a single UDP port, with support for SSL/TLS-based
 *             session authentication and key exchange,
 *             packet encryption, packet authentication, and
 *             packet compression.
 *
 *  SPDX-License-Identifier: GPL-2.0-only
 *
 *  This program is free software; you can redistribute it and/or modify
 *  it under the terms of the GNU General Public License version 2
 *  as published by the Free Software Foundation.
 *
 *  This program is distributed in the hope that it will be useful,
 *  but WITHOUT ANY WARRANTY; without even the implied warranty of
 *  MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
 *  GNU General Public License for more details.
 */

/**
 * @file
 * Unit tests of dco_linux.c: a notification that comes late, when a new client
 * has got the peer-id of the one that it is about.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "syshead.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_netlink.h"
#include "mock_openvpn.h"

/** Send a DEL_PEER for peer 1, which a new peer has taken by now unless it is
 * \a gone, and check whether it is processed. */
static void
test_reason(int reason, bool gone, bool is_processed)
{
    static struct batch batch;
    const struct notification expected = { 1, reason };

    n_processed = 0;
    del_peer(&batch, 1, reason);
    multicast(&batch);
    kernel.gone[1] = gone;
    run_event_loop();
    assert_processed(&expected, is_processed ? 1 : 0);
}

static void
test_late(void **state)
{
    for (int reason = 0; reason < __OVPN_DEL_PEER_REASON_AFTER_LAST; ++reason)
    {
        /* what userspace has asked for is told apart by its reason */
        const bool asked_for = reason == OVPN_DEL_PEER_REASON_USERSPACE;

        kernel.n_requests = 0;
        test_reason(reason, false, asked_for);
        assert_int_equal(kernel.n_requests, asked_for ? 0 : 1);
    }

    /* and when that one is gone, too */
    test_reason(OVPN_DEL_PEER_REASON_EXPIRED, true, true);
}

static void
notification__when_its_peer_is_gone__is_processed(void **state)
{
    for (int reason = 0; reason < __OVPN_DEL_PEER_REASON_AFTER_LAST; ++reason)
    {
        connect_client(1);
        test_reason(reason, true, true);
    }
}

static void
notification__when_no_instance_has_the_peer__makes_no_request(void **state)
{
    instance_tls[1].dco_peer_id = -1;
    instance[2].halt = true;
    multicast_expired(0, MAX_CLIENTS, true);
    run_event_loop();
    assert_expired(0, MAX_CLIENTS);
    assert_int_equal(kernel.n_requests, 0);
}

/* not known to be late */
static void
notification__when_the_kernel_fails_to_tell__is_processed(void **state)
{
    kernel.request_error = -EPERM;
    multicast_expired(1, 2, true);
    run_event_loop();
    assert_expired(1, 2);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SERVER_CASE("notification__when_late__is_ignored", test_late, NULL),
        P2P_CASE("notification__when_late__is_ignored", test_late, NULL),
        SERVER_TEST(notification__when_its_peer_is_gone__is_processed),
        SERVER_TEST(notification__when_no_instance_has_the_peer__makes_no_request),
        SERVER_TEST(notification__when_the_kernel_fails_to_tell__is_processed),
    };

    /* the name of a case, or a pattern, to run no other */
    if (argc > 1)
    {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests_name("dco_late", tests, NULL, NULL);
}

#else  /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */

int
main(void)
{
    return 0;
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
