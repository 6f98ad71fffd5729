/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * How a server shares its time: LOST clients are lost at once, a packet comes every EVERY
 * milliseconds, and client-disconnect scripts, or what else the event loop does in a pass,
 * are slow. The clock is that of the unit tests. See tests/bench/share.
 */
#define run_cases loop_cases
#include "test_dco_loop.c"
#undef run_cases

int run_cases(void);

#define LOST        60
#define WINDOW      10          /* seconds that are looked at */
#define EVERY       50          /* milliseconds: a packet comes */
#define LIMIT       900         /* seconds until it is never */

/* milliseconds that a script and a pass take; a packet takes one */
static struct
{
    int script, pass;
} takes;

/* what was closed and read within WINDOW; of packets; milliseconds */
static int closed_early, read_early, read_all;
static long clock_start, longest, ended;

static long
clock_now(void)
{
    struct timeval tv;

    gettimeofday(&tv, NULL);
    return tv.tv_sec * 1000L + tv.tv_usec / 1000 - clock_start;
}

/** The next packet has waited until now. */
static void
packet_waited(void)
{
    const long waited = clock_now() - (long)EVERY * read_all;

    longest = waited > longest ? waited : longest;
}

int __wrap_plugin_call_ssl(const struct plugin_list *pl, const int type, const struct argv *av,
                           struct plugin_return *pr, struct env_set *es, int current_cert_depth,
                           openvpn_x509_cert_t *current_cert);
int __real_plugin_call_ssl(const struct plugin_list *pl, const int type, const struct argv *av,
                           struct plugin_return *pr, struct env_set *es, int current_cert_depth,
                           openvpn_x509_cert_t *current_cert);

/* the script */
int
__wrap_plugin_call_ssl(const struct plugin_list *pl, const int type, const struct argv *av,
                       struct plugin_return *pr, struct env_set *es, int current_cert_depth,
                       openvpn_x509_cert_t *current_cert)
{
    spend(takes.script);
    closed_early += clock_now() <= WINDOW * 1000;
    return __real_plugin_call_ssl(pl, type, av, pr, es, current_cert_depth, current_cert);
}

static void
look(void)
{
    /* since the last time */
    if (n_read > 0)
    {
        packet_waited();
        ++read_all;
        read_early += clock_now() <= WINDOW * 1000;
    }
    n_read = 0;
    n_waits = 1;
    spend(takes.pass);
    const long next = (long)EVERY * read_all;
    if (clock_now() < next && !readable())
    {
        spend((int)(next - clock_now()));
    }
    n_packets = clock_now() >= next;
    if (n_closed == LOST || clock_now() > LIMIT * 1000)
    {
        packet_waited();
        ended = clock_now();
        signal_info.signal_received = SIGTERM;
    }
}

static void
share_time(void **state)
{
    clock_start = 0;
    clock_start = clock_now();
    longest = 0;
    closed_early = read_early = read_all = 0;
    on_wait = look;
    packet_takes = 1;
    multicast_expired(1, LOST, false);
    run_loop();
    printf("arguments=%s,%d,%d closed=%d read=%d waited=%ld ended=%ld left=%d\n",
           running_case->loop == tunnel_server_tcp ? "tcp" : "udp", takes.script, takes.pass,
           closed_early, read_early, longest, ended, LOST - n_closed);
}

int
run_cases(void)
{
    static const int scripts[] = { 1, 20, 200, 1000, 5000 };
    static const int passes[] = { 0, 1500 };
    struct loop_case loops[] = { { .loop = tunnel_server_udp }, { .loop = tunnel_server_tcp } };
    int failed = 0;

    for (size_t i = 0; i < SIZE(loops) * SIZE(passes) * SIZE(scripts); ++i)
    {
        const struct CMUnitTest test = {
            "share", share_time, setup, teardown_loop, &loops[i / (SIZE(passes) * SIZE(scripts))]
        };
        const struct CMUnitTest tests[] = { test };

        takes.script = scripts[i % SIZE(scripts)];
        takes.pass = passes[i / SIZE(scripts) % SIZE(passes)];
        failed |= cmocka_run_group_tests_name("share", tests, NULL, NULL);
    }
    return failed;
}
