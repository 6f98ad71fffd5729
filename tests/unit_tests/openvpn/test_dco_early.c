/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of clients that go before the kernel has their peer: until then
 * --ping-restart is the server's own.
 *
 * multi.c, forward.c, ping.c, schedule.c and interval.c are the real ones.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN)

#include "mock_instance.h"

#include "forward.h"
#include "plugin.h"

#define SECONDS     240

static struct multi_instance *client;

/** Let a client come, of whom nothing is known but its address. */
static void
let_it_come(void)
{
    client = come();
    assert_non_null(client);
    client->context.mode = CM_CHILD_UDP;
    multi_instance_inc_refcount(client);
    instances[NEWCOMER] = NULL;
    multi_assign_peer_id(&multi_context, client);
}

static int
setup(void **state)
{
    setup_newcomer(state);
    ping_restart = SECONDS;
    let_it_come();
    return 0;
}

static int
teardown_early(void **state)
{
    if (!client->halt)
    {
        multi_close_instance(&multi_context, client, false);
    }
    multi_instance_dec_refcount(client);
    return teardown_newcomer(state);
}

/** Let its certificate be accepted, and its client-connect begin. */
static void
accept_client(int answer)
{
    client_connect = answer;
    client->context.c2.tls_multi->multi_state = CAS_PENDING;
    multi_process_post(&multi_context, client, MPP_PRE_SELECT|MPP_CLOSE_ON_SIGNAL);
}

static void
assert_timed_out(void)
{
    run_timers(SECONDS - 1);
    assert_int_equal(n_closed, 0);
    run_timers(1 + ROUNDED);
    assert_int_equal(n_closed, 1);
    assert_ptr_equal(closed[0].mi, client);
}

static void
client__when_its_session_never_starts__is_closed_after_ping_restart(void **state)
{
    assert_timed_out();
}

static void
client__when_it_waits_for_its_script__is_closed_after_ping_restart(void **state)
{
    accept_client(OPENVPN_PLUGIN_FUNC_DEFERRED);
    assert_int_equal(client->context.c2.tls_multi->multi_state, CAS_PENDING_DEFERRED_PARTIAL);
    assert_timed_out();
}

/* as process_incoming_link() does for each of its packets */
static void
client__when_it_sends_packets_while_it_waits__is_not_closed(void **state)
{
    accept_client(OPENVPN_PLUGIN_FUNC_DEFERRED);
    for (int i = 0; i < 10; ++i)
    {
        run_timers(SECONDS / 2);
        event_timeout_reset(&client->context.c2.ping_rec_interval);
    }
    assert_int_equal(n_closed, 0);
    assert_timed_out();
}

static void
client__when_the_kernel_has_its_peer__is_left_to_the_kernel(void **state)
{
    run_timers(SECONDS / 2);
    accept_client(OPENVPN_PLUGIN_FUNC_SUCCESS);
    assert_int_equal(client->context.c2.tls_multi->multi_state, CAS_CONNECT_DONE);
    run_timers(10 * SECONDS);
    assert_int_equal(n_closed, 0);
}

static void
client__when_the_server_has_no_ping_restart__is_not_closed(void **state)
{
    multi_close_instance(&multi_context, client, false);
    multi_instance_dec_refcount(client);
    ping_restart = 0;
    let_it_come();
    n_closed = 0;
    run_timers(10 * SECONDS);
    assert_int_equal(n_closed, 0);
}

#define EARLY_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown_early)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        EARLY_TEST(client__when_its_session_never_starts__is_closed_after_ping_restart),
        EARLY_TEST(client__when_it_waits_for_its_script__is_closed_after_ping_restart),
        EARLY_TEST(client__when_it_sends_packets_while_it_waits__is_not_closed),
        EARLY_TEST(client__when_the_kernel_has_its_peer__is_left_to_the_kernel),
        EARLY_TEST(client__when_the_server_has_no_ping_restart__is_not_closed),
    };

    return cmocka_run_group_tests_name("dco_early", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN) */
