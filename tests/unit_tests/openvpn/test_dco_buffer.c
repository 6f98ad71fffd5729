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
 * Unit tests of dco_linux.c: how many notifications the socket has room for.
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

static int
setup_limited(void **state)
{
    reset(CM_TOP);
    kernel.limited = true;
    open_device();
    return 0;
}

static void
buffer__when_the_limit_may_be_exceeded__is_large(void **state)
{
    assert_in_range(socket_of(polled_fd())->rcvbuf, 4 * 1024 * 1024, INT_MAX);
}

static void
buffer__when_the_limit_may_not_be_exceeded__is_as_large_as_it_may(void **state)
{
    assert_int_equal(socket_of(polled_fd())->rcvbuf, 1024 * 1024);
    assert_int_equal(warned, 0);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(buffer__when_the_limit_may_be_exceeded__is_large),
        cmocka_unit_test_setup_teardown(
            buffer__when_the_limit_may_not_be_exceeded__is_as_large_as_it_may,
            setup_limited, teardown),
    };

    /* the name of a case, or a pattern, to run no other */
    if (argc > 1)
    {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests_name("dco_buffer", tests, NULL, NULL);
}

#else  /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */

int
main(void)
{
    return 0;
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
