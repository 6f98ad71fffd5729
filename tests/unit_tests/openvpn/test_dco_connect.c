/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of what the client-disconnect plugin is told about a client that goes,
 * or is refused, while it is set up: the same as the script is told.
 *
 * multi.c, forward.c, dco_linux.c and sig.c are the real ones.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN)

#include "mock_instance.h"

#include "plugin.h"

/** The client goes, in one of the ways that there are. */
static void
go(void)
{
    instance_signal[NEWCOMER].signal_received = SIGTERM;
    multi_close_instance_on_signal(&multi_context, &instance[NEWCOMER]);
}

/** Check that the plugin was told once that it is gone, but not before it was. */
static void
assert_told_when_it_goes(void)
{
    assert_int_equal(n_closed, 0);
    assert_int_equal(n_told, 0);
    go();
    assert_int_equal(n_closed, 1);
    assert_int_equal(n_told, 1);
}

static void
client__when_set_up__is_told_to_be_gone(void **state)
{
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_CONNECT_DONE);
    assert_told_when_it_goes();
}

static void
client__when_its_peer_is_refused__is_told_to_be_gone(void **state)
{
    refused.peer = true;
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_FAILED);
    assert_told_when_it_goes();
}

/* which ends the instance at once */
static void
client__when_its_keys_are_refused__is_told_to_be_gone(void **state)
{
    refused.keys = true;
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_FAILED);
    assert_int_equal(n_closed, 1);
    assert_int_equal(n_told, 1);
}

/* which it is told at once */
static void
client__when_its_options_are_refused__is_told_once(void **state)
{
    refused.options = true;
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_FAILED);
    assert_int_equal(n_told, 1);
    go();
    assert_int_equal(n_closed, 1);
    assert_int_equal(n_told, 1);
}

static void
client__when_refused_without_a_client_connect__is_not_told(void **state)
{
    client_connect = -1;
    refused.peer = true;
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_FAILED);
    go();
    assert_int_equal(n_told, 0);
}

static void
client__when_it_goes_before_it_is_accepted__is_not_told(void **state)
{
    client_connect = OPENVPN_PLUGIN_FUNC_DEFERRED;
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_PENDING_DEFERRED_PARTIAL);
    go();
    assert_int_equal(n_told, 0);
}

/* as another handler may be deferred, or the client connects once more */
static void
client__when_it_goes__is_told_if_it_was_accepted_or_connected(void **state)
{
    const struct
    {
        enum multi_status state;
        bool accepted;
        bool told;
    } clients[] = {
        { CAS_PENDING_DEFERRED_PARTIAL, false, false },
        { CAS_PENDING_DEFERRED_PARTIAL, true, true },
        { CAS_FAILED, false, false },
        { CAS_FAILED, true, true },
        { CAS_RECONNECT_PENDING, false, true },
        { CAS_RECONNECT_PENDING, true, true },
        { CAS_CONNECT_DONE, false, true },
        { CAS_CONNECT_DONE, true, true },
    };

    for (int i = 0; i < (int)SIZE(clients); ++i)
    {
        teardown_newcomer(state);
        setup_newcomer(state);
        client_connect = clients[i].accepted ? OPENVPN_PLUGIN_FUNC_SUCCESS : -1;
        set_up();
        instance_tls[NEWCOMER].multi_state = clients[i].state;
        go();
        assert_int_equal(n_told, clients[i].told);
    }
}

#define CONNECT_TEST(f) cmocka_unit_test_setup_teardown(f, setup_newcomer, teardown_newcomer)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        CONNECT_TEST(client__when_set_up__is_told_to_be_gone),
        CONNECT_TEST(client__when_its_peer_is_refused__is_told_to_be_gone),
        CONNECT_TEST(client__when_its_keys_are_refused__is_told_to_be_gone),
        CONNECT_TEST(client__when_its_options_are_refused__is_told_once),
        CONNECT_TEST(client__when_refused_without_a_client_connect__is_not_told),
        CONNECT_TEST(client__when_it_goes_before_it_is_accepted__is_not_told),
        CONNECT_TEST(client__when_it_goes__is_told_if_it_was_accepted_or_connected),
    };

    return cmocka_run_group_tests_name("dco_connect", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN) */
