/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of when a client that is refused is closed, if it never asks why.
 *
 * multi.c, forward.c, schedule.c, interval.c and sig.c are the real ones.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN)

#include "mock_instance.h"

#include "forward.h"
#include "plugin.h"

#define HAND_WINDOW     60

/* how long it takes to find out that the kernel takes the client's peer or not */
static int seconds;

int
dco_multi_add_new_peer(struct multi_context *m, struct multi_instance *mi)
{
    spend(seconds * 1000);
    return refused.peer ? -ENOMEM : 0;
}

static int
setup(void **state)
{
    setup_newcomer(state);
    seconds = 0;

    /* as do_init_timers() */
    struct context *c = &instance[NEWCOMER].context;
    c->options.handshake_window = HAND_WINDOW;
    c->c2.coarse_timer_wakeup = 0;
    event_timeout_init(&c->c2.wait_for_connect, 1, now);
    return 0;
}

/** Go on with the set-up, and check that the client is refused, and closed in its own
 * time, and not ahead of that. */
static void
assert_refused(void)
{
    set_up();
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_FAILED);
    run_timers(HAND_WINDOW - 1);
    assert_int_equal(n_closed, 0);
    run_timers(1 + ROUNDED);
    assert_int_equal(n_closed, 1);
    assert_ptr_equal(closed[0].mi, &instance[NEWCOMER]);
}

/* What refuses it. */
struct refusal
{
    int client_connect;
    bool disabled;
    struct refused refused;
};

static void
test_refusal(void **state)
{
    const struct refusal *r = *state;

    client_connect = r->client_connect;
    instance[NEWCOMER].context.options.disable = r->disabled;
    refused = r->refused;
    assert_refused();
}

/* each is served at once, and so are the client's timers */
static void
client__when_refused_and_it_sends_packets__is_closed_all_the_same(void **state)
{
    client_connect = OPENVPN_PLUGIN_FUNC_ERROR;
    for (int i = 0; i < 10 * (HAND_WINDOW - 1); ++i)
    {
        set_up();
        spend(100);
        update_time();
    }
    assert_int_equal(n_closed, 0);
    for (int i = 0; i < 10 * ROUNDED && n_closed == 0; ++i)
    {
        set_up();
        spend(100);
        update_time();
    }
    assert_int_equal(n_closed, 1);
}

/* it could not ask as long as the server did not read */
static void
client__when_refused_after_a_long_time__has_its_hand_window_from_then_on(void **state)
{
    refused.peer = true;
    seconds = 2 * HAND_WINDOW;
    assert_refused();
}

static void
client__when_refused_with_a_session_timeout__does_not_wait_for_that(void **state)
{
    instance[NEWCOMER].context.options.session_timeout = 100 * HAND_WINDOW;
    event_timeout_init(&instance[NEWCOMER].context.c2.session_interval, 100 * HAND_WINDOW, now);
    client_connect = OPENVPN_PLUGIN_FUNC_ERROR;
    assert_refused();
}

static void
client__when_its_script_is_deferred__is_not_closed(void **state)
{
    client_connect = OPENVPN_PLUGIN_FUNC_DEFERRED;
    set_up();
    run_timers(10 * HAND_WINDOW);
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_PENDING_DEFERRED_PARTIAL);
    assert_int_equal(n_closed, 0);
}

static void
client__when_its_script_was_deferred_and_refuses_it__has_its_hand_window_from_then_on(void **state)
{
    client_connect = OPENVPN_PLUGIN_FUNC_DEFERRED;
    set_up();
    run_timers(10 * HAND_WINDOW);
    client_connect = OPENVPN_PLUGIN_FUNC_ERROR;
    assert_refused();
}

static void
client__when_connected__is_not_closed(void **state)
{
    set_up();
    run_timers(10 * HAND_WINDOW);
    assert_int_equal(instance_tls[NEWCOMER].multi_state, CAS_CONNECT_DONE);
    assert_int_equal(n_closed, 0);
}

#define REFUSED_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown_newcomer)
#define REFUSAL_CASE(what, ...)                                             \
    { "client__when_" what "__is_closed_after_hand_window",                 \
      test_refusal, setup, teardown_newcomer, &(struct refusal){ __VA_ARGS__ } }

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        REFUSAL_CASE("its_script_refuses_it", .client_connect = OPENVPN_PLUGIN_FUNC_ERROR),
        REFUSAL_CASE("it_is_disabled", .disabled = true),
        REFUSAL_CASE("its_options_are_refused", .refused.options = true),
        REFUSAL_CASE("its_peer_is_refused", .refused.peer = true),
        REFUSED_TEST(client__when_refused_and_it_sends_packets__is_closed_all_the_same),
        REFUSED_TEST(client__when_refused_after_a_long_time__has_its_hand_window_from_then_on),
        REFUSED_TEST(client__when_refused_with_a_session_timeout__does_not_wait_for_that),
        REFUSED_TEST(client__when_its_script_is_deferred__is_not_closed),
        REFUSED_TEST(client__when_its_script_was_deferred_and_refuses_it__has_its_hand_window_from_then_on),
        REFUSED_TEST(client__when_connected__is_not_closed),
    };

    return cmocka_run_group_tests_name("dco_refused", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) && defined(ENABLE_PLUGIN) */
