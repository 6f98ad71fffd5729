/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of a full server: before it refuses a client it looks for others whose
 * peer is gone, should a notification never have been sent.
 *
 * multi.c, forward.c, dco_linux.c and list.c are the real ones.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_instance.h"

#include "list.h"
#include "pool.h"

/* seconds for which a server does not ask again */
#define INTERVAL    10

/* the pool of addresses, and how many there are */
static int pool;
static int n_addresses;

/*
 * What multi.c calls for an address
 */

ifconfig_pool_handle
ifconfig_pool_acquire(struct ifconfig_pool *p, in_addr_t *local, in_addr_t *remote,
                      struct in6_addr *remote_ipv6, const char *common_name)
{
    return n_addresses > 0 ? --n_addresses : -1;
}

bool
ifconfig_pool_release(struct ifconfig_pool *p, ifconfig_pool_handle hand, const bool hard)
{
    n_addresses += p && hand >= 0;
    return true;
}

/*
 * Setup of a case
 */

/** Let the server be full of clients that are there. */
static int
setup(void **state)
{
    spend(INTERVAL * 1000);
    setup_newcomer(state);
    multi_context.max_clients = N_CLIENTS;
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        hash_add(multi_context.hash, &instance[i].real, &instance[i], false);
        instance[i].did_real_hash = true;
    }
    instance_tls[NEWCOMER].dco_peer_id = NEWCOMER;
    instance_tls[NEWCOMER].multi_state = CAS_CONNECT_DONE;
    return 0;
}

/** Let NEWCOMER be set up, when the others have taken all addresses. */
static int
setup_pool(void **state)
{
    setup(state);
    client_connect = -1;
    multi_context.max_clients = N_CLIENTS + 1;
    instances[N_CLIENTS] = NULL;
    multi_context.ifconfig_pool = (struct ifconfig_pool *)&pool;
    n_addresses = 0;
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        instance[i].vaddr_handle = i;
    }
    instance[NEWCOMER].vaddr_handle = -1;
    instance_tls[NEWCOMER].dco_peer_id = -1;
    instance_tls[NEWCOMER].multi_state = CAS_PENDING;
    return 0;
}

/** Let a client come. Returns whether it is taken; then it goes again. */
static bool
knock(void)
{
    struct multi_instance *mi = come();

    if (mi)
    {
        multi_close_instance(&multi_context, mi, false);
    }
    return mi;
}

static void
client__when_the_server_is_full_and_a_peer_is_gone__is_taken(void **state)
{
    remove_peer(11);
    assert_true(knock());
    run_event_loop();
    assert_only_closed(11, 1);
    assert_int_equal(kernel.n_requests, N_CLIENTS);
}

/* the one that is asked for last */
static void
client__when_the_server_is_full_and_the_first_peer_is_gone__is_taken(void **state)
{
    remove_peer(0);
    assert_true(knock());
    run_event_loop();
    assert_only_closed(0, 1);
}

static void
client__when_the_server_is_full_and_no_peer_is_gone__is_refused(void **state)
{
    assert_false(knock());
    run_event_loop();
    assert_int_equal(n_closed, 0);
    assert_int_equal(kernel.n_requests, N_CLIENTS);
}

/* nothing can be said about its clients */
static void
client__when_the_server_is_full_and_the_kernel_fails__is_refused(void **state)
{
    kernel.request_error = -ENOMEM;
    remove_peers(0, N_CLIENTS);
    assert_false(knock());
    run_event_loop();
    assert_int_equal(n_closed, 0);
}

static void
server__when_it_has_room__asks_for_nobody(void **state)
{
    multi_context.max_clients = MAX_CLIENTS;
    remove_peer(11);
    assert_true(knock());
    assert_int_equal(kernel.n_requests, 0);
    assert_int_equal(n_closed, 0);
}

/* whoever does, and however often */
static void
server__when_knocked_at__asks_after_ten_seconds_again(void **state)
{
    for (int i = 0; i < 10 * INTERVAL; ++i)
    {
        assert_false(knock());
        spend(99);
        update_time();
    }
    assert_int_equal(kernel.n_requests, N_CLIENTS);
    spend(1000);
    update_time();
    assert_false(knock());
    assert_int_equal(kernel.n_requests, 2 * N_CLIENTS);
}

/* to close one may take a script's time */
static void
server__when_many_peers_are_gone__closes_one_and_the_others_in_its_loop(void **state)
{
    remove_peers(0, N_CLIENTS);
    assert_true(knock());
    assert_int_equal(n_closed, 1);
    assert_true(run_event_loop() > 1);
    assert_only_closed(0, N_CLIENTS);
    assert_int_equal(kernel.n_requests, N_CLIENTS);
}

/* as long as notifications are queued the kernel may drop more */
static void
server__when_full_after_an_overrun__looks_at_all_later(void **state)
{
    multicast_error(ENOBUFS);
    multicast_expired(20, 2, false);
    dco_read(&tuntap.dco);
    assert_int_equal(kernel.n_requests, 0);

    remove_peer(11);
    assert_true(knock());
    remove_peer(N_CLIENTS - 1);
    run_event_loop();
    assert_int_equal(n_closed, 4);
    assert_true(instance[N_CLIENTS - 1].halt);
}

static void
server__when_without_offload__asks_for_nobody(void **state)
{
    remove_peer(11);
    close_tun_dco(&tuntap, NULL);
    assert_false(knock());
    assert_int_equal(n_closed, 0);
    open_device();
}

static void
client__when_no_address_is_left_and_a_peer_is_gone__gets_its_address(void **state)
{
    remove_peer(11);
    set_up();
    assert_in_range(instance[NEWCOMER].vaddr_handle, 0, N_CLIENTS);
    assert_int_equal(n_addresses, 0);
    assert_only_closed(11, 1);
}

static void
client__when_no_address_is_left_and_no_peer_is_gone__gets_none(void **state)
{
    set_up();
    assert_int_equal(instance[NEWCOMER].vaddr_handle, -1);
    assert_int_equal(n_closed, 0);
}

static void
server__when_it_has_an_address__asks_for_nobody(void **state)
{
    n_addresses = 1;
    remove_peer(11);
    set_up();
    assert_int_equal(kernel.n_requests, 0);
    assert_int_equal(n_closed, 0);
}

#define ROOM_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown_newcomer)
#define POOL_TEST(f) cmocka_unit_test_setup_teardown(f, setup_pool, teardown_newcomer)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        ROOM_TEST(client__when_the_server_is_full_and_a_peer_is_gone__is_taken),
        ROOM_TEST(client__when_the_server_is_full_and_the_first_peer_is_gone__is_taken),
        ROOM_TEST(client__when_the_server_is_full_and_no_peer_is_gone__is_refused),
        ROOM_TEST(client__when_the_server_is_full_and_the_kernel_fails__is_refused),
        ROOM_TEST(server__when_it_has_room__asks_for_nobody),
        ROOM_TEST(server__when_knocked_at__asks_after_ten_seconds_again),
        ROOM_TEST(server__when_many_peers_are_gone__closes_one_and_the_others_in_its_loop),
        ROOM_TEST(server__when_full_after_an_overrun__looks_at_all_later),
        ROOM_TEST(server__when_without_offload__asks_for_nobody),
        POOL_TEST(client__when_no_address_is_left_and_a_peer_is_gone__gets_its_address),
        POOL_TEST(client__when_no_address_is_left_and_no_peer_is_gone__gets_none),
        POOL_TEST(server__when_it_has_an_address__asks_for_nobody),
    };

    return cmocka_run_group_tests_name("dco_room", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
