/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of which keys are in the two slots that the kernel has for a peer,
 * while a tls_multi has up to three keys that are valid.
 *
 * dco.c and ssl.c are the real ones, the kernel is a model.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO)

#include "crypto.h"
#include "dco.h"
#include "otime.h"
#include "ssl.h"
#include "ssl_common.h"

/* seconds after which the other side has a new key for certain:
 * auth_deferred_expire_window() */
#define DEFERRED    60

static dco_context_t dco;
static struct tls_multi multi;

/* the kernel: the keys in its slots, each a number, 0 is none */
static int slot[2];
static int swaps;
static int answer;              /* to the next request */

int
dco_new_key(dco_context_t *d, unsigned int peerid, int keyid, dco_key_slot_t where,
            const uint8_t *encrypt_key, const uint8_t *encrypt_iv,
            const uint8_t *decrypt_key, const uint8_t *decrypt_iv,
            const char *ciphername)
{
    slot[where] = answer ? slot[where] : encrypt_key[0];
    return answer;
}

int
dco_swap_keys(dco_context_t *d, unsigned int peerid)
{
    const int primary = slot[OVPN_KEY_SLOT_PRIMARY];

    slot[OVPN_KEY_SLOT_PRIMARY] = slot[OVPN_KEY_SLOT_SECONDARY];
    slot[OVPN_KEY_SLOT_SECONDARY] = primary;
    ++swaps;
    return answer;
}

int
dco_del_key(dco_context_t *d, unsigned int peerid, dco_key_slot_t where)
{
    slot[where] = 0;
    return answer;
}

static struct key_state *
active(int i)
{
    return &multi.session[TM_ACTIVE].key[i];
}

/** Generate a key for the active session, and install it. */
static int
generate(int number)
{
    struct key_state *ks = active(KS_PRIMARY);
    struct key2 key2 = { .n = 2 };

    memset(key2.keys, number, sizeof(key2.keys));
    const int ret = init_key_dco_bi(&multi, ks, &key2, KEY_DIRECTION_NORMAL,
                                    "AES-256-GCM", true);
    ks->auth_deferred_expire = now + DEFERRED;
    if (!ret)
    {
        ks->state = S_GENERATED_KEYS;
        ks->authenticated = KS_AUTH_TRUE;
        ks->crypto_options.key_ctx_bi.initialized = true;
    }
    return ret;
}

static int
setup(void **state)
{
    CLEAR(dco);
    CLEAR(multi);
    CLEAR(slot);
    answer = swaps = 0;
    multi.dco = &dco;
    now = 1000000;
    return 0;
}

/** The event loop's part. */
static bool
update(void)
{
    return dco_update_keys(&dco, &multi);
}

/** Update, and check what the kernel has then. */
static void
assert_slots(int primary, int secondary)
{
    assert_true(update());
    assert_int_equal(slot[OVPN_KEY_SLOT_PRIMARY], primary);
    assert_int_equal(slot[OVPN_KEY_SLOT_SECONDARY], secondary);
}

/** Let the other side have its new key for certain. */
static void
wait_for_the_other_side(void)
{
    now += DEFERRED;
}

/* as ssl.c does */

/** key_state_soft_reset(): a rekey begins. */
static void
soft_reset(void)
{
    *active(KS_LAME_DUCK) = *active(KS_PRIMARY);
    memset(active(KS_PRIMARY), 0, sizeof(struct key_state));
}

/** tls_process(): the key before the last one expires. */
static void
expire_key(void)
{
    memset(active(KS_LAME_DUCK), 0, sizeof(struct key_state));
}

/** tls_multi_process(): the rekey fails, the old key is still valid. */
static void
rekey_fails(void)
{
    multi.session[TM_LAME_DUCK] = multi.session[TM_ACTIVE];
    memset(&multi.session[TM_ACTIVE], 0, sizeof(struct tls_session));
}

/** tls_multi_process(): a hard reset from the same address has made a session,
 * which takes the place of the active one. */
static void
hard_reset(void)
{
    memset(&multi.session[TM_ACTIVE], 0, sizeof(struct tls_session));
}

/** tls_multi_process(): the key of the rekey that failed expires. */
static void
expire_session(void)
{
    memset(&multi.session[TM_LAME_DUCK], 0, sizeof(struct tls_session));
}

/** Key 1 is in use, and valid for some time, but its rekey has failed. */
static void
fail_to_rekey(void)
{
    assert_int_equal(generate(1), 0);
    assert_slots(1, 0);
    wait_for_the_other_side();
    soft_reset();
    assert_slots(1, 0);
    rekey_fails();
    assert_slots(1, 0);
}

/** And the client is back, with key 2. */
static void
come_back(void)
{
    fail_to_rekey();
    hard_reset();
    assert_slots(1, 0);
    assert_int_equal(generate(2), 0);
    assert_slots(1, 2);
}

/* the rekeys that go well */
static void
key__when_new__takes_over_once_the_other_side_has_it(void **state)
{
    assert_int_equal(generate(1), 0);
    assert_slots(1, 0);
    for (int key = 2; key < 5; ++key)
    {
        wait_for_the_other_side();
        soft_reset();
        assert_slots(key - 1, 0);
        assert_int_equal(generate(key), 0);
        assert_slots(key - 1, key);
        wait_for_the_other_side();
        assert_slots(key, key - 1);
        expire_key();
        assert_slots(key, 0);
    }
}

static void
key__when_refused__changes_nothing(void **state)
{
    fail_to_rekey();
    hard_reset();
    answer = -ENOMEM;
    assert_int_equal(generate(2), -ENOMEM);
    assert_int_equal(multi.dco_keys_installed, 1);
    assert_int_equal(active(KS_PRIMARY)->dco_status, DCO_NOT_INSTALLED);
    answer = 0;
    assert_slots(1, 0);
}

static void
key__when_it_is_the_last__is_wiped(void **state)
{
    assert_int_equal(generate(1), 0);
    assert_slots(1, 0);
    hard_reset();
    assert_slots(0, 0);
    assert_int_equal(generate(2), 0);
    assert_slots(2, 0);
}

static void
client__when_back_after_a_rekey_that_failed__changes_to_its_new_key(void **state)
{
    come_back();
    wait_for_the_other_side();
    assert_slots(2, 1);
    expire_session();
    assert_slots(2, 0);
}

static void
client__when_it_rekeys_while_an_older_key_is_left__changes_to_its_new_key(void **state)
{
    come_back();
    wait_for_the_other_side();
    assert_slots(2, 1);
    soft_reset();
    assert_slots(2, 1);
    assert_int_equal(generate(3), 0);
    assert_slots(2, 3);
    wait_for_the_other_side();
    assert_slots(3, 2);
    expire_session();
    assert_slots(3, 2);
    expire_key();
    assert_slots(3, 0);
}

static void
client__when_back_twice__changes_to_its_last_key(void **state)
{
    come_back();
    hard_reset();
    assert_slots(1, 0);
    assert_int_equal(generate(3), 0);
    assert_slots(1, 3);
    wait_for_the_other_side();
    assert_slots(3, 1);
    expire_session();
    assert_slots(3, 0);
}

/* the old one expires before the new one is of use */
static void
key__when_alone_in_the_second_slot__takes_over(void **state)
{
    come_back();
    expire_session();
    assert_slots(2, 0);
}

/* the kernel has no longer the only key that is valid */
static void
key__when_pushed_out_and_needed_again__ends_the_connection(void **state)
{
    come_back();
    wait_for_the_other_side();
    assert_slots(2, 1);
    soft_reset();
    assert_int_equal(generate(3), 0);
    assert_slots(2, 3);
    hard_reset();
    assert_false(update());
}

/* the client rekeys before the server uses key 2, whose place key 3 takes */
static void
key__when_pushed_out_before_its_time__ends_the_connection(void **state)
{
    come_back();
    soft_reset();
    now += DEFERRED / 2;
    assert_slots(1, 2);
    assert_int_equal(generate(3), 0);
    assert_slots(1, 3);
    now += DEFERRED / 2;
    assert_false(update());
    assert_int_equal(swaps, 0);
}

static void
key__when_pushed_out_just_in_time__ends_the_connection(void **state)
{
    come_back();
    soft_reset();
    assert_slots(1, 2);
    wait_for_the_other_side();
    assert_int_equal(generate(3), 0);
    assert_false(update());
    assert_int_equal(swaps, 0);
}

#define SLOT_TEST(f) cmocka_unit_test_setup(f, setup)

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        SLOT_TEST(key__when_new__takes_over_once_the_other_side_has_it),
        SLOT_TEST(key__when_refused__changes_nothing),
        SLOT_TEST(key__when_it_is_the_last__is_wiped),
        SLOT_TEST(key__when_alone_in_the_second_slot__takes_over),
        SLOT_TEST(key__when_pushed_out_and_needed_again__ends_the_connection),
        SLOT_TEST(key__when_pushed_out_before_its_time__ends_the_connection),
        SLOT_TEST(key__when_pushed_out_just_in_time__ends_the_connection),
        SLOT_TEST(client__when_back_after_a_rekey_that_failed__changes_to_its_new_key),
        SLOT_TEST(client__when_it_rekeys_while_an_older_key_is_left__changes_to_its_new_key),
        SLOT_TEST(client__when_back_twice__changes_to_its_last_key),
    };

    return cmocka_run_group_tests_name("dco_slot", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) */
