/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of the table that is walked over to get at all clients.
 *
 * multi.c, list.c and mroute.c are the real ones.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_openvpn.h"

#include "list.h"
#include "pool.h"

#define MANY    8192

static struct multi_context m;
static struct mroute_addr real[MANY];

/** A server for \a max_clients, which are all there. */
static void
start_server(int max_clients)
{
    top.options.real_hash_size = 256;
    top.options.virtual_hash_size = 256;
    top.options.n_bcast_buf = 256;
    top.options.max_clients = max_clients;
    multi_init(&m, &top, false);
    for (int i = 0; i < max_clients; ++i)
    {
        real[i] = (struct mroute_addr) {
            .type = MR_ADDR_IPV4|MR_WITH_PORT, .len = 6,
            .v4 = { .addr = htonl(0x0a000000 + i), .port = htons(1194) }
        };
        assert_true(hash_add(m.iter, &real[i], &real[i], false));
    }
}

static void
stop_server(void)
{
    hash_free(m.iter);
    m.iter = hash_init(1, 0, mroute_addr_hash_function, mroute_addr_compare_function);
    multi_uninit(&m);
}

/** How many of the table are looked at to find each of them once. */
static long
steps(void)
{
    long n = 0;

    for (int i = 0; i < m.iter->n_buckets; ++i)
    {
        long position = 0;
        for (const struct hash_element *he = m.iter->buckets[i].list; he; he = he->next)
        {
            n += ++position;
        }
    }
    return n;
}

/** Walk over all. */
static int
walk(void)
{
    static bool met[MANY];
    struct hash_iterator hi;
    struct hash_element *he;
    int n = 0;

    CLEAR(met);
    hash_iterator_init(m.iter, &hi);
    while ((he = hash_iterator_next(&hi)))
    {
        const int i = (const struct mroute_addr *)he->value - real;
        assert_false(met[i]);
        met[i] = true;
        ++n;
    }
    hash_iterator_free(&hi);
    return n;
}

/* 128 steps each on average if there is chance in it, with one list it is half of all */
static void
client__when_one_of_many__is_found_in_few_steps(void **state)
{
    const int sizes[] = { 1024, 4096, MANY };

    for (int i = 0; i < (int)SIZE(sizes); ++i)
    {
        start_server(sizes[i]);
        assert_in_range(steps(), sizes[i], 192L * sizes[i]);
        stop_server();
    }
}

static void
clients__when_walked_over__are_met_once_each(void **state)
{
    const int sizes[] = { 1, 2, 255, 256, 1024, MANY };

    for (int i = 0; i < (int)SIZE(sizes); ++i)
    {
        start_server(sizes[i]);
        assert_int_equal(walk(), sizes[i]);
        stop_server();
    }
}

static void
clients__when_some_go__leave_the_others(void **state)
{
    start_server(1024);
    for (int i = 0; i < 1024; i += 2)
    {
        assert_true(hash_remove(m.iter, &real[i]));
        assert_false(hash_remove(m.iter, &real[i]));
    }
    assert_int_equal(walk(), 512);
    stop_server();
}

/* a walk looks at each bucket */
static void
walk__when_there_is_the_default_of_clients__looks_at_few_buckets(void **state)
{
    start_server(1024);
    assert_in_range(m.iter->n_buckets, 1, 8);
    stop_server();
}

#define TABLE_TEST(f) cmocka_unit_test_setup_teardown(f, setup_server, teardown)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(client__when_one_of_many__is_found_in_few_steps),
        TABLE_TEST(clients__when_walked_over__are_met_once_each),
        TABLE_TEST(clients__when_some_go__leave_the_others),
        TABLE_TEST(walk__when_there_is_the_default_of_clients__looks_at_few_buckets),
    };

    return cmocka_run_group_tests_name("dco_table", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
