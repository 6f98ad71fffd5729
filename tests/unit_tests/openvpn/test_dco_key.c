/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Unit tests of what becomes of a data channel key that DCO refuses.
 *
 * ssl.c, forward.c and crypto.c are the real ones.
 */

#include "mock_main.h"

#if defined(ENABLE_DCO)

#include "dco.h"
#include "errlevel.h"
#include "forward.h"
#include "openvpn.h"
#include "ssl.h"
#include "ssl_backend.h"
#include "ssl_common.h"
#include "mock_msg.h"

void check_dco_key_status(struct context *c);

static struct context context;
static struct signal_info signal_info;
static struct tuntap tuntap;
static struct tls_multi multi;
static struct tls_options tls_options;
static struct key_source2 key_source;
static struct key_state *ks;

/* what DCO answers, and how often it was asked */
static int install_result;
static bool update_result;
static int n_installs, n_updates;

int
init_key_dco_bi(struct tls_multi *m, struct key_state *key,
                const struct key2 *key2, int key_direction,
                const char *ciphername, bool server)
{
    assert_ptr_equal(m, &multi);
    assert_ptr_equal(key, ks);
    ++n_installs;
    return install_result;
}

bool
dco_update_keys(dco_context_t *dco, struct tls_multi *m)
{
    ++n_updates;
    return update_result;
}

bool
key_state_export_keying_material(struct tls_session *session,
                                 const char *label, size_t label_size,
                                 void *ekm, size_t ekm_size)
{
    for (size_t i = 0; i < ekm_size; ++i)
    {
        ((uint8_t *)ekm)[i] = 1 + i;
    }
    return true;
}

/* the signal that ended the connection, and why */
static const char *reason;

void
register_signal(struct signal_info *si, int signum, const char *signal_text)
{
    assert_ptr_equal(si, &signal_info);
    si->signal_received = signum;
    reason = signal_text;
}

static int
setup(void **state)
{
    CLEAR(context);
    CLEAR(signal_info);
    CLEAR(tuntap);
    CLEAR(multi);
    CLEAR(tls_options);
    memset(&key_source, 42, sizeof(key_source));

    context.sig = &signal_info;
    context.c1.tuntap = &tuntap;
    context.c2.tls_multi = &multi;
    context.options.tuntap_options.disable_dco = false;

    multi.dco_peer_id = 1;
    for (int i = 0; i < TM_SIZE; ++i)
    {
        multi.session[i].opt = &tls_options;
    }
    tls_options.server = *state != NULL;
    tls_options.dco_enabled = true;
    tls_options.crypto_flags = CO_USE_TLS_KEY_MATERIAL_EXPORT;
    tls_options.key_type.cipher = "AES-256-GCM";
    tls_options.key_type.digest = "none";

    ks = &multi.session[TM_ACTIVE].key[KS_PRIMARY];
    ks->state = S_ACTIVE;
    ks->authenticated = KS_AUTH_TRUE;
    ks->key_src = &key_source;

    install_result = 0;
    update_result = true;
    n_installs = n_updates = 0;
    reason = NULL;
    return 0;
}

static bool
generate_keys(void)
{
    return tls_session_generate_data_channel_keys(&multi, &multi.session[TM_ACTIVE]);
}

static bool
wiped(void)
{
    static const struct key_source2 zeros;
    return !memcmp(&key_source, &zeros, sizeof(zeros));
}

static void
key__when_installed__is_in_use(void **state)
{
    assert_true(generate_keys());
    assert_int_equal(n_installs, 1);
    assert_int_equal(ks->state, S_GENERATED_KEYS);
    assert_true(ks->crypto_options.key_ctx_bi.initialized);
    assert_true(wiped());
}

static void
key__when_refused__is_not_in_use(void **state)
{
    const int error[] = { -ENOENT, -ENOMEM, -EINVAL, -ENODEV };

    for (size_t i = 0; i < SIZE(error); ++i)
    {
        setup(state);
        install_result = error[i];
        assert_false(generate_keys());
        assert_int_equal(n_installs, 1);
        assert_int_equal(ks->state, S_ACTIVE);
        assert_false(ks->crypto_options.key_ctx_bi.initialized);
        assert_true(wiped());
    }
}

/* at a renegotiation: tls_multi_process() makes an S_ERROR of it */
static void
next_key__when_refused__ends_the_connection(void **state)
{
    install_result = -ENOENT;
    assert_false(generate_keys());
    ks->state = S_ERROR;

    /* whether there is still a peer in the kernel or not */
    for (multi.dco_peer_id = -1; multi.dco_peer_id <= 1; ++multi.dco_peer_id)
    {
        signal_info.signal_received = 0;
        check_dco_key_status(&context);
        assert_int_equal(signal_info.signal_received, SIGUSR1);
        assert_string_equal(reason, "dco key error");
    }
    assert_int_equal(n_updates, 0);
}

static void
next_key__when_installed__keeps_the_connection(void **state)
{
    assert_true(generate_keys());
    check_dco_key_status(&context);
    assert_int_equal(n_updates, 1);
    assert_int_equal(signal_info.signal_received, 0);
}

static void
keys__when_not_updated__end_the_connection(void **state)
{
    assert_true(generate_keys());
    update_result = false;
    check_dco_key_status(&context);
    assert_int_equal(signal_info.signal_received, SIGUSR1);
}

static void
error__when_without_dco__is_left_to_tls(void **state)
{
    context.options.tuntap_options.disable_dco = true;
    ks->state = S_ERROR;
    check_dco_key_status(&context);
    assert_int_equal(signal_info.signal_received, 0);
}

#define KEY_TEST(f)                                                         \
    { #f, f, setup, NULL, NULL },                                           \
    { "server_" #f, f, setup, NULL, &tls_options }

int
run_cases(void)
{
    const struct CMUnitTest tests[] = {
        KEY_TEST(key__when_installed__is_in_use),
        KEY_TEST(key__when_refused__is_not_in_use),
        KEY_TEST(next_key__when_installed__keeps_the_connection),
        KEY_TEST(next_key__when_refused__ends_the_connection),
        KEY_TEST(keys__when_not_updated__end_the_connection),
        KEY_TEST(error__when_without_dco__is_left_to_tls),
    };

    return cmocka_run_group_tests_name("dco_key", tests, NULL, NULL);
}

#endif /* if defined(ENABLE_DCO) */
