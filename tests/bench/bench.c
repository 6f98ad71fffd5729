/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The scenes that are measured, and the main program.
 */
#include "config.h"
#include "syshead.h"

#include "bench.h"
#include "mock_msg.h"

#include "env_set.h"
#include "forward.h"
#include "list.h"
#include "mroute.h"
#include "multi.h"
#include "schedule.h"

static const char usage[] =
    "Usage: bench SCENE [TIMES BATCH]\n"
    "\n"
    "Plays one scene with this tree's dco_linux.c and multi.c, and a server of %d clients\n"
    "on the scripted kernel of the unit tests, and prints what it took: calls (system calls\n"
    "on netlink sockets), requests, dumped (peers), passes of the event loop, and the most of\n"
    "one of them. To be run by tests/bench/run, under callgrind, which counts instructions.\n"
    "\n"
    "  parse TIMES BATCH     one dco_do_read(), TIMES times, with BATCH notifications queued:\n"
    "                        of peers that the server itself has removed\n"
    "  close TIMES BATCH     the same, of peers that have expired: their instances are closed\n"
    "  lost                  all clients are lost at once\n"
    "  kill                  the server closes all clients, one by one\n"
    "  exit                  the server exits\n"
    "  resync                notifications were lost, all peers are there\n"
    "  full                  a client comes to a full server, all peers are there\n"
    "  walk                  a walk over all clients, as when one of them is looked for\n";

/*
 * What the linker wants and the mocks don't have
 */

int
dev_type_enum(const char *dev, const char *dev_type)
{
    return DEV_TYPE_TUN;
}

void
ifconfig_pool_free(struct ifconfig_pool *pool)
{
}

/* OpenVPN's, which is the same in all trees but for dco_remove_peer(), and the
 * notification that follows */
void __real_close_context(struct context *c, int sig, unsigned int flags);

void
__wrap_close_context(struct context *c, int sig, unsigned int flags)
{
    const int peer_id = c->mode == CM_CHILD_UDP ? c->c2.tls_multi->dco_peer_id : -1;

    if (peer_id != -1)
    {
        static struct batch batch;
        dco_remove_peer(c);

        const bool paused = measure_pause();
        del_peer(&batch, peer_id, OVPN_DEL_PEER_REASON_USERSPACE);
        multicast(&batch);
        measure_resume(paused);
    }
    const bool paused = measure_pause();
    __real_close_context(c, sig, flags);
    measure_resume(paused);
}

/*
 * Setup
 */

/** Run the event loop until it would wait. */
static void
run_passes(void)
{
    while (readable() && !IS_SIG(&top))
    {
        dco_read(&tuntap.dco);
        measure_pass();
    }
}

/** What multi_create_instance() does for the tables of multi.c. */
static void
add_to_tables(struct multi_context *m, int i)
{
    struct multi_instance *mi = &instance[i];

    mi->real.type = MR_ADDR_IPV4|MR_WITH_PORT;
    mi->real.len = 6;
    mi->real.v4.addr = htonl(0x0a000000 + i);
    mi->real.v4.port = htons(1194);
    mi->context.c2.mda_context.cid = i;
    mi->did_real_hash = hash_add(m->hash, &mi->real, mi, false);
    mi->did_iter = hash_add(m->iter, &mi->real, mi, false);
    mi->did_cid_hash = hash_add(m->cid_hash, &mi->context.c2.mda_context.cid, mi, false);
    assert_true(mi->did_real_hash && mi->did_iter && mi->did_cid_hash);

    const struct timeval wakeup = { .tv_sec = wall_clock.tv_sec + 1 + i % 60, .tv_usec = 1 };
    schedule_add_entry(m->schedule, (struct schedule_entry *)mi, &wakeup, 0);
    ++m->n_clients;
    mi->n_clients_delta = -1;
}

/** A server with its clients, whose tables are multi.c's. */
static void
start_server(void)
{
    reset(CM_TOP);
    open_device();
    mock_set_debug_level(1);

    top.options.real_hash_size = 256;   /* OpenVPN's defaults */
    top.options.virtual_hash_size = 256;
    top.options.n_bcast_buf = 256;
    top.options.max_clients = N_CLIENTS;
    top.options.tuntap_options.disable_dco = false;
    multi_init(&multi_context, &top, false);
    multi_context.top.mode = CM_TOP_CLONE;
    multi_context.top.sig = &signal_info;
    multi_context.top.c1.tuntap = &tuntap;
    connect_instances(&multi_context);
    for (int i = 0; i < N_CLIENTS; ++i)
        add_to_tables(&multi_context, i);
}

static int
instances_left(void)
{
    int n = 0;

    for (int i = 0; i < N_CLIENTS; ++i)
        n += !instance[i].halt;
    return n;
}

static void
print_counts(void)
{
    printf("left=%d calls=%ld requests=%ld dumped=%ld passes=%ld longest_calls=%ld "
           "longest_requests=%ld longest_datagrams=%ld longest_dumped=%ld\n",
           instances_left(), count.calls, count.requests, count.dumped, passes, longest.calls,
           longest.requests, longest.datagrams, longest.dumped);
}

/*
 * One notification
 */

/** Queue the notifications of peers \a first to \a first + \a n - 1. */
static void
queue_notifications(int first, int n, int reason)
{
    static struct batch batch;

    for (int i = first; i < first + n; ++i)
    {
        del_peer(&batch, i, reason);
        multicast(&batch);
    }
}

static void
one(const char *scene, int times, int batch)
{
    const int reason = strcmp(scene, "close") ? OVPN_DEL_PEER_REASON_USERSPACE
                       : OVPN_DEL_PEER_REASON_EXPIRED;

    assert_in_range(times * batch, 1, N_CLIENTS);
    for (int i = 0; i < times; ++i)
    {
        queue_notifications(i * batch, batch, reason);
        for (int j = i * batch; j < (i + 1) * batch && reason == OVPN_DEL_PEER_REASON_USERSPACE; ++j)
            multi_context.instances[j] = NULL;
        measure_begin(false);
        run_passes();
        measure_end();
    }
    print_counts();
}

/*
 * Many clients
 */

static void
lost(void)
{
    queue_notifications(0, N_CLIENTS, OVPN_DEL_PEER_REASON_EXPIRED);
    measure_begin(true);
    run_passes();
    measure_end();
}

static void
kill_all(void)
{
    measure_begin(false);
    for (int i = 0; i < N_CLIENTS; ++i)
    {
        instance_signal[i].signal_received = SIGTERM;
        multi_close_instance_on_signal(&multi_context, &instance[i]);
        run_passes();
        measure_pass();
    }
    measure_end();
}

static void
exit_server(void)
{
    measure_begin(true);
    multi_uninit(&multi_context);
    measure_end();
}

static void
resync(void)
{
    multicast_error(ENOBUFS);
    measure_begin(true);
    run_passes();
    measure_end();
}

/** What each walk over all clients does at least, as multi_delete_dup(). */
static void
walk(void)
{
    struct hash_iterator hi;
    const struct hash_element *he;
    int n = 0;

    measure_begin(false);
    hash_iterator_init(multi_context.iter, &hi);
    while ((he = hash_iterator_next(&hi)))
    {
        const struct multi_instance *mi = he->value;
        n += !mi->halt;
    }
    hash_iterator_free(&hi);
    measure_end();
    assert_int_equal(n, N_CLIENTS);
}

bool dco_make_room(dco_context_t *dco) __attribute__((weak));

static void
full(void)
{
    measure_begin(true);
    if (dco_make_room)
        dco_make_room(&tuntap.dco);
    measure_end();
}

int
main(int argc, char **argv)
{
    static const struct
    {
        const char *name;
        void (*play)(void);
    } scenes[] = {
        { "lost", lost }, { "kill", kill_all }, { "exit", exit_server }, { "resync", resync },
        { "full", full }, { "walk", walk },
    };
    const char *scene = argc > 1 ? argv[1] : "";

    if (!strcmp(scene, "--help") || !strcmp(scene, "-h"))
    {
        printf(usage, N_CLIENTS);
        return 0;
    }
    start_server();
    if (argc == 4)
    {
        one(scene, atoi(argv[2]), atoi(argv[3]));
        return 0;
    }
    for (int i = 0; i < (int)SIZE(scenes); ++i)
    {
        if (!strcmp(scene, scenes[i].name))
        {
            scenes[i].play();
            print_counts();
            return 0;
        }
    }
    fprintf(stderr, "bench: no scene '%s'; see bench --help\n", scene);
    return 2;
}
