/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of peers that the kernel does not delete, or already has.
 *
 * dco.c and dco_linux.c are the real ones.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO) && defined(TARGET_LINUX)

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

/** The errors that the kernel answers requests of both kinds with, and how many there
 * have to be. */
struct peer_case
{
    struct answers new_peer;
    struct answers delete_peer;
    int ret;                    /* of adding a peer */
};

static void
test_delete(void **state)
{
    const struct peer_case *p = *state;

    memcpy(delete_peer.error, p->delete_peer.error, sizeof(delete_peer.error));
    remove_client();
    assert_int_equal(delete_peer.n, p->delete_peer.n);

    /* and not at all when there is none */
    remove_client();
    assert_int_equal(delete_peer.n, p->delete_peer.n);
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
test_add(void **state)
{
    const struct peer_case *p = *state;

    memcpy(new_peer.error, p->new_peer.error, sizeof(new_peer.error));
    memcpy(delete_peer.error, p->delete_peer.error, sizeof(delete_peer.error));
    instance_tls[CLIENT].dco_peer_id = -1;
    assert_int_equal(dco_multi_add_new_peer(&multi_context, &instance[CLIENT]), p->ret);
    assert_int_equal(instance_tls[CLIENT].dco_peer_id, p->ret ? -1 : CLIENT);
    assert_int_equal(new_peer.n, p->new_peer.n);
    assert_int_equal(delete_peer.n, p->delete_peer.n);
}

#define PEER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define PEER_CASE(name, f, ...) { name, f, setup, teardown, &(struct peer_case){ __VA_ARGS__ } }

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        PEER_CASE("peer__when_the_kernel_deletes_it__is_deleted_once", test_delete,
                  .delete_peer.n = 1),
        PEER_CASE("peer__when_the_kernel_refuses_to_delete_it__is_tried_once_more", test_delete,
                  .delete_peer = { { -ETIMEDOUT }, 2 }),
        PEER_CASE("peer__when_the_kernel_always_refuses__is_given_up", test_delete,
                  .delete_peer = { { -EIO, -EIO, -EIO }, 2 }),
        PEER_TEST(peer__when_the_error_stays__is_not_tried_again),
        PEER_CASE("newcomer__when_its_id_is_free__is_added", test_add,
                  .new_peer.n = 1),
        PEER_CASE("newcomer__when_its_id_is_taken__takes_it_over", test_add,
                  .new_peer = { { -EEXIST }, 2 }, .delete_peer.n = 1),
        PEER_CASE("newcomer__when_its_id_stays_taken__is_refused", test_add,
                  .new_peer = { { -EEXIST, -EEXIST, -EEXIST }, 2 },
                  .delete_peer = { { -EPERM }, 1 }, .ret = -EEXIST),
        PEER_CASE("newcomer__when_refused_for_another_reason__deletes_no_peer", test_add,
                  .new_peer = { { -EPERM }, 1 }, .ret = -EPERM),
    };

    return cmocka_run_group_tests_name("dco_peer", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) && defined(TARGET_LINUX) */
