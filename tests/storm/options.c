/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The command line.
 */
#include "storm.h"

#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: tests/storm/storm [OPTION...]\n"
    "\n"
    "Boots a guest with the kernel module and an OpenVPN server, connects clients to\n"
    "it, drops all their packets at once, waits until the kernel has no peer and the\n"
    "server has settled, and counts the instances that it still holds. Then lets the\n"
    "clients come back, and counts whom the server rejects.\n"
    "\n"
    "  --server SERVER     stock (Debian's package), base (its source, built here),\n"
    "                      patched (with the series), follow-up (those, too), a path\n"
    "                      with a slash in it: an OpenVPN tree of yours, or FILE.deb:\n"
    "                      a package of that suite (default: patched)\n"
    "  --suite SUITE       trixie or bookworm: kernel, module, server (trixie)\n"
    "  --module MODULE     the kernel module: stock (of the suite), trixie (Debian 13's),\n"
    "                      unfixed (likewise, without the fix of Debian's bug 1140548: a\n"
    "                      peer is released, and then notified about), a path with a\n"
    "                      slash in it: an ovpn-dco tree of yours, or FILE.deb: a package\n"
    "                      of openvpn-dco-dkms (stock)\n"
    "  --module-delay MS   it waits so long between the two: a crash gets likely (0)\n"
    "  --kernel WORDS      parameters of the guest's kernel, as 'init_on_free=1': it\n"
    "                      overwrites memory that it frees\n"
    "  --clients N         1 to 10240 (64); each takes 2 MB, or 1 MB of more than 2048\n"
    "  --rounds N          storms in a row, up to the first that isn't clean (1)\n"
    "  --keepalive I,T     as the server's --keepalive, seconds (3,10)\n"
    "  --load              while the clients are lost: processors busy, packets sent\n"
    "                      through the tunnel\n"
    "  --stall             the server is stopped (SIGSTOP) until all have expired\n"
    "  --script SECONDS    its client-disconnect script blocks for so long, as 0.05\n"
    "  --newcomers N       so many clients come while the lost ones go (none)\n"
    "  --status SECONDS    interval of the status file (1)\n"
    "  --tcp               instead of UDP\n"
    "  --rmem-max BYTES    the guest's net.core.rmem_max (the kernel's: 212992)\n"
    "  --no-rcvbufforce    the servers get EPERM for SO_RCVBUFFORCE, as without\n"
    "                      CAP_NET_ADMIN: --rmem-max is their limit\n"
    "  --servers N         1 to 64, in one network namespace; they share the clients (1)\n"
    "  --accel ACCEL       QEMU's: tcg or kvm (tcg)\n"
    "  --output DIR        for run.json and the logs (build/storm/runs/SERVER-CLIENTS)\n"
    "\n"
    "Exit status: 0 nothing leaked, nobody was rejected, the server and the kernel\n"
    "live; 1 not so; 3 the run itself failed, which tells nothing of the server; 77\n"
    "this machine can't. Needs root. All traffic stays in a network namespace of the\n"
    "run's own. What it sets up is in build/storm; 'make storm-clean' removes it.\n";

/** The options, and which member of struct options each of them fills in. */
static const struct known
{
    const char *name;
    enum { FLAG, TEXT, NUMBER, REAL } kind;
    size_t member;
    double min, max;            /**< of a number */
} known[] = {
#define OF(member) offsetof(struct options, member)
    { "server", TEXT, OF(server), 0, 0 },
    { "suite", TEXT, OF(suite), 0, 0 },
    { "module", TEXT, OF(module), 0, 0 },
    { "module-delay", NUMBER, OF(module_delay), 0, 10000 },
    { "kernel", TEXT, OF(kernel), 0, 0 },
    { "clients", NUMBER, OF(clients), 1, 10240 },
    { "rounds", NUMBER, OF(rounds), 1, 10000 },
    { "keepalive", TEXT, OF(keepalive), 0, 0 },
    { "load", FLAG, OF(load), 0, 0 },
    { "stall", FLAG, OF(stall), 0, 0 },
    { "script", REAL, OF(script), 0.001, 3600 },
    { "newcomers", NUMBER, OF(newcomers), 1, 10240 },
    { "status", NUMBER, OF(status_interval), 1, 3600 },
    { "tcp", FLAG, OF(tcp), 0, 0 },
    { "rmem-max", NUMBER, OF(rmem_max), 2304, INT_MAX },
    { "no-rcvbufforce", FLAG, OF(no_rcvbufforce), 0, 0 },
    { "servers", NUMBER, OF(servers), 1, AGENT_SERVERS_MAX },
    { "accel", TEXT, OF(accel), 0, 0 },
    { "output", TEXT, OF(output), 0, 0 },
#undef OF
};
#define COUNT (sizeof(known) / sizeof(known[0]))

__attribute__((noreturn, format(printf, 1, 2)))
static void
usage_error(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "storm: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; see storm --help\n");
    exit(STATUS_USAGE);
}

static void
parse(struct options *options, const struct known *option, const char *text)
{
    char *const member = (char *)options + option->member;
    char *end = NULL;

    if (option->kind == FLAG)
    {
        *(bool *)member = true;
        return;
    }
    if (option->kind == TEXT)
    {
        *(const char **)member = text;
        return;
    }
    const double number = option->kind == NUMBER ? (double)strtol(text, &end, 10)
                          : strtod(text, &end);
    if (end == text || *end || !(number >= option->min && number <= option->max))
    {
        usage_error("--%s wants a number from %.10g to %.10g, not '%s'", option->name,
                    option->min, option->max, text);
    }
    if (option->kind == NUMBER)
        *(int *)member = (int)number;
    else
        *(double *)member = number;
}

/** What goes together, and what follows from others. */
static void
complete(struct options *options)
{
    char extra;

    if (sscanf(options->keepalive, "%d,%d%c", &options->keepalive_interval,
               &options->keepalive_timeout, &extra) != 2
        || options->keepalive_interval < 1
        || options->keepalive_timeout < 2 * options->keepalive_interval
        || options->keepalive_timeout > 3600)
    {
        usage_error("--keepalive wants INTERVAL,TIMEOUT in seconds, the second at least twice"
                    " the first, not '%s'", options->keepalive);
    }
    if (strcmp(options->accel, "tcg") != 0 && strcmp(options->accel, "kvm") != 0)
        usage_error("--accel is tcg or kvm, not '%s'", options->accel);
    if (options->newcomers > options->clients || (options->newcomers && options->stall))
        usage_error("--newcomers is at most --clients, and not with --stall");
    if (options->clients % options->servers != 0)
    {
        usage_error("%d clients can't be shared equally by %d servers", options->clients,
                    options->servers);
    }
}

void
options_parse(struct options *options, int argc, char *argv[])
{
    struct option table[COUNT + 2] = { { "help", no_argument, NULL, 'h' } };
    int index = 0;
    int which;

    for (size_t i = 0; i < COUNT; ++i)
    {
        table[i + 1].name = known[i].name;
        table[i + 1].has_arg = known[i].kind == FLAG ? no_argument : required_argument;
    }
    *options = (struct options){
        .suite = "trixie", .server = "patched", .module = "stock", .kernel = "", .accel = "tcg",
        .clients = 64, .servers = 1, .rounds = 1, .keepalive = "3,10", .status_interval = 1,
    };
    opterr = 0;
    while ((which = getopt_long(argc, argv, ":h", table, &index)) != -1)
    {
        switch (which)
        {
            case 0: parse(options, &known[index - 1], optarg); break;
            case 'h': fputs(help, stdout); exit(0);
            case ':': usage_error("%s wants a value", argv[optind - 1]);
            default: usage_error("unknown option '%s'", argv[optind - 1]);
        }
    }
    if (optind < argc)
        usage_error("'%s' is no option", argv[optind]);
    complete(options);
}

json_t *
options_json(const struct options *options)
{
    json_t *all = json_object();

    for (size_t i = 0; i < COUNT; ++i)
    {
        const char *member = (const char *)options + known[i].member;
        json_t *value = known[i].kind == FLAG ? json_boolean(*(const bool *)member)
                        : known[i].kind == NUMBER ? json_integer(*(const int *)member)
                        : known[i].kind == REAL ? json_real(*(const double *)member)
                        : json_string(*(const char *const *)member);
        json_object_set_new(all, known[i].name, value);
    }
    return all;
}
