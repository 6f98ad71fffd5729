/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of peers that the kernel does not delete, or already has.
 *
 * dco.c and dco_linux.c are the real ones.  They need nearly all of OpenVPN: the
 * linker drops the functions that nothing here calls (-ffunction-sections,
 * --gc-sections), mock_unused.c has those that are left.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

#include "mock_netlink.h"
#include "mock_openvpn.h"

#include "socket.h"

/* the client whose peer that is */
#define CLIENT  1

/* what the kernel answers each request of that kind with, the last one from then on */
static struct answers
{
    int error[3];
    int n;                      /* requests so far */
} new_peer, delete_peer;

static struct link_socket link_socket = { .info = { .proto = PROTO_UDP } };
static struct link_socket_addr lsa;

static void
answer(int cmd)
{
    struct answers *a = cmd == OVPN_CMD_NEW_PEER ? &new_peer
                        : cmd == OVPN_CMD_DEL_PEER ? &delete_peer : NULL;
    assert_non_null(a);
    kernel.request_error = a->error[a->n < (int)SIZE(a->error) ? a->n : (int)SIZE(a->error) - 1];
    ++a->n;
}

static int
setup(void **state)
{
    struct context *c = &instance[CLIENT].context;

    setup_server(state);
    kernel.on_request = answer;
    CLEAR(new_peer);
    CLEAR(delete_peer);
    CLEAR(lsa);
    lsa.actual.dest.addr.in4.sin_family = AF_INET;
    link_socket.info.lsa = &lsa;
    link_socket.info.connection_established = true;
    c->mode = CM_CHILD_UDP;
    c->c2.link_socket = &link_socket;
    c->c2.link_socket_info = &link_socket.info;
    instance_tls[CLIENT].peer_id = CLIENT;
    return 0;
}

/** Close the client's instance, as far as DCO is concerned. */
static void
remove_client(void)
{
    dco_remove_peer(&instance[CLIENT].context);
    assert_int_equal(instance_tls[CLIENT].dco_peer_id, -1);
}

/** Give the client a peer, and check what becomes of it. */
static void
add_client(int expected)
{
    instance_tls[CLIENT].dco_peer_id = -1;
    assert_int_equal(dco_multi_add_new_peer(&multi_context, &instance[CLIENT]), expected);
    assert_int_equal(instance_tls[CLIENT].dco_peer_id, expected ? -1 : CLIENT);
}

static void
peer__when_the_kernel_deletes_it__is_deleted_once(void **state)
{
    remove_client();
    assert_int_equal(delete_peer.n, 1);

    /* and not at all when there is none */
    remove_client();
    assert_int_equal(delete_peer.n, 1);
}

static void
peer__when_the_kernel_refuses_to_delete_it__is_tried_once_more(void **state)
{
    delete_peer.error[0] = -ETIMEDOUT;
    remove_client();
    assert_int_equal(delete_peer.n, 2);
}

static void
peer__when_the_kernel_always_refuses__is_given_up(void **state)
{
    delete_peer.error[0] = delete_peer.error[1] = delete_peer.error[2] = -EIO;
    remove_client();
    assert_int_equal(delete_peer.n, 2);
}

/* as when it is gone */
static void
peer__when_the_error_stays__is_not_tried_again(void **state)
{
    const int errors[] = { -ENOENT, -EPERM };

    for (int i = 0; i < (int)SIZE(errors); ++i)
    {
        CLEAR(delete_peer);
        delete_peer.error[0] = errors[i];
        instance_tls[CLIENT].dco_peer_id = CLIENT;
        remove_client();
        assert_int_equal(delete_peer.n, 1);
    }
}

static void
newcomer__when_its_id_is_free__is_added(void **state)
{
    add_client(0);
    assert_int_equal(new_peer.n, 1);
    assert_int_equal(delete_peer.n, 0);
}

static void
newcomer__when_its_id_is_taken__takes_it_over(void **state)
{
    new_peer.error[0] = -EEXIST;
    add_client(0);
    assert_int_equal(new_peer.n, 2);
    assert_int_equal(delete_peer.n, 1);
}

static void
newcomer__when_its_id_stays_taken__is_refused(void **state)
{
    new_peer.error[0] = new_peer.error[1] = new_peer.error[2] = -EEXIST;
    delete_peer.error[0] = -EPERM;
    add_client(-EEXIST);
    assert_int_equal(new_peer.n, 2);
    assert_int_equal(delete_peer.n, 1);
}

static void
newcomer__when_refused_for_another_reason__deletes_no_peer(void **state)
{
    new_peer.error[0] = -EPERM;
    add_client(-EPERM);
    assert_int_equal(new_peer.n, 1);
    assert_int_equal(delete_peer.n, 0);
}

#define PEER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        PEER_TEST(peer__when_the_kernel_deletes_it__is_deleted_once),
        PEER_TEST(peer__when_the_kernel_refuses_to_delete_it__is_tried_once_more),
        PEER_TEST(peer__when_the_kernel_always_refuses__is_given_up),
        PEER_TEST(peer__when_the_error_stays__is_not_tried_again),
        PEER_TEST(newcomer__when_its_id_is_free__is_added),
        PEER_TEST(newcomer__when_its_id_is_taken__takes_it_over),
        PEER_TEST(newcomer__when_its_id_stays_taken__is_refused),
        PEER_TEST(newcomer__when_refused_for_another_reason__deletes_no_peer),
    };

    return cmocka_run_group_tests_name("dco_peer", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
