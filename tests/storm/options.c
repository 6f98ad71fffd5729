/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The command line.
 */
#include "storm.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: tests/storm/storm [OPTION...]\n"
    "\n"
    "Boots a guest with the kernel module and an OpenVPN server, connects clients to\n"
    "it, drops all their packets at once, waits until the kernel has no peer and the\n"
    "server has settled, and counts the instances that it still holds. Then lets the\n"
    "clients come back, and counts whom the server rejects.\n"
    "\n"
    "  --server SERVER       stock (Debian's package), base (its source, built here),\n"
    "                        patched (with the series), follow-up (those, too), a path\n"
    "                        with a slash in it: an OpenVPN tree of yours, or FILE.deb:\n"
    "                        a package of that suite (default: patched)\n"
    "  --suite SUITE         trixie or bookworm: kernel, module, server (trixie)\n"
    "  --module MODULE       the kernel module: stock (of the suite), trixie (Debian 13's),\n"
    "                        unfixed (likewise, without the fix of Debian's bug 1140548),\n"
    "                        a path with a slash in it: an ovpn-dco tree of yours, or\n"
    "                        FILE.deb: a package of openvpn-dco-dkms (stock)\n"
    "  --module-delay MS     it waits so long between a peer's release and its\n"
    "                        notification: a crash that is rare gets likely (0)\n"
    "  --kernel PARAMETERS   of the guest's kernel, as 'init_on_free=1': it overwrites\n"
    "                        memory that it frees\n"
    "  --clients N           1 to 10240 (64); each takes 2 MB, or 1 MB of\n"
    "                        more than 2048\n"
    "  --rounds N            storms in a row, up to the first that isn't clean (1)\n"
    "  --keepalive I,T       as the server's --keepalive, seconds (3,10)\n"
    "  --load                while the clients are lost: processors busy, packets\n"
    "                        sent through the tunnel\n"
    "  --stall               the server is stopped (SIGSTOP) until all have expired\n"
    "  --script SECONDS      its client-disconnect script blocks for so long\n"
    "  --newcomers N         meanwhile so many clients come (none); --script may be 0.05\n"
    "  --status SECONDS      interval of the status file (1)\n"
    "  --tcp                 instead of UDP\n"
    "  --rmem-max BYTES      the guest's net.core.rmem_max (the kernel's: 212992)\n"
    "  --no-rcvbufforce      the servers get EPERM for SO_RCVBUFFORCE, as without\n"
    "                        CAP_NET_ADMIN: --rmem-max is their limit\n"
    "  --max-clients N       of each server (its clients and a quarter, or 16, more)\n"
    "  --servers N           1 to 64, in one network namespace; they share the\n"
    "                        clients (1)\n"
    "  --accel ACCEL         QEMU's: tcg or kvm (tcg)\n"
    "  --output DIR          where run.json and the logs go\n"
    "                        (build/storm/runs/SERVER-CLIENTS)\n"
    "\n"
    "Exit status: 0 nothing leaked, nobody was rejected, the server and the kernel\n"
    "live; 1 not so; 3 the run itself failed, which tells nothing of the server; 77\n"
    "this machine can't. Needs root. All traffic stays in a network namespace of the\n"
    "run's own.\n"
    "What it sets up is in build/storm; 'make storm-clean' removes it.\n";

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

static int
number(const char *option, const char *text, int min, int max)
{
    char *end;
    const long value = strtol(text, &end, 10);

    if (end == text || *end || value < min || value > max)
        usage_error("--%s wants a number from %d to %d, not '%s'", option, min, max, text);
    return (int)value;
}

static double
seconds(const char *option, const char *text)
{
    char *end;
    const double value = strtod(text, &end);

    if (end == text || *end || !(value >= 0.001 && value <= 3600))
        usage_error("--%s wants seconds from 0.001 to 3600, not '%s'", option, text);
    return value;
}

static const char *
one_of(const char *option, const char *text, const char *first, const char *second)
{
    if (strcmp(text, first) != 0 && strcmp(text, second) != 0)
        usage_error("--%s is %s or %s, not '%s'", option, first, second, text);
    return text;
}

static void
parse_keepalive(struct options *options, const char *text)
{
    char extra;

    if (sscanf(text, "%d,%d%c", &options->keepalive_interval, &options->keepalive_timeout,
               &extra) != 2
        || options->keepalive_interval < 1
        || options->keepalive_timeout < 2 * options->keepalive_interval
        || options->keepalive_timeout > 3600)
    {
        usage_error("--keepalive wants INTERVAL,TIMEOUT in seconds, the second at least twice"
                    " the first, not '%s'", text);
    }
}

/** What there is to choose from: names that tests/storm/setup knows, packages, trees. */
struct choice
{
    const char *what;
    const char *tree;           /**< ... is called */
    const char *file;           /**< that a tree has */
    const char *names[5];
};

static const struct choice servers = {
    "server", "OpenVPN", "configure.ac", { "stock", "base", "patched", "follow-up", NULL }
};
static const struct choice modules = {
    "module", "ovpn-dco", "drivers/net/ovpn-dco/peer.c", { "stock", "trixie", "unfixed", NULL }
};

static const char *
choose(const struct choice *choice, const char *name)
{
    const size_t length = strlen(name);

    if (length > 4 && strcmp(name + length - 4, ".deb") == 0)
    {
        if (access(name, R_OK) != 0)
            usage_error("there is no package '%s'", name);
        return name;
    }
    if (strchr(name, '/'))
    {
        char *file = text("%s/%s", name, choice->file);

        if (access(file, R_OK) != 0)
            usage_error("'%s' is no %s tree: no %s", name, choice->tree, choice->file);
        free(file);
        return name;
    }
    char *all = text("%s", "");
    for (const char *const *known = choice->names; *known; ++known)
    {
        if (strcmp(name, *known) == 0)
        {
            free(all);
            return name;
        }
        char *more = text("%s%s, ", all, *known);
        free(all);
        all = more;
    }
    usage_error("no %s '%s'; there are %sFILE.deb, and paths with a slash", choice->what, name, all);
}

void
options_parse(struct options *options, int argc, char *argv[])
{
    enum { SERVER = 256, SUITE, MODULE, MODULE_DELAY, KERNEL, CLIENTS, ROUNDS, KEEPALIVE, LOAD,
           STALL, SCRIPT, NEWCOMERS, STATUS, TCP, RMEM_MAX, NO_RCVBUFFORCE, MAX_CLIENTS,
           SERVERS, ACCEL, OUTPUT, HELP };
    static const struct option known[] = {
        { "server", required_argument, NULL, SERVER },
        { "suite", required_argument, NULL, SUITE },
        { "module", required_argument, NULL, MODULE },
        { "module-delay", required_argument, NULL, MODULE_DELAY },
        { "kernel", required_argument, NULL, KERNEL },
        { "clients", required_argument, NULL, CLIENTS },
        { "rounds", required_argument, NULL, ROUNDS },
        { "keepalive", required_argument, NULL, KEEPALIVE },
        { "load", no_argument, NULL, LOAD },
        { "stall", no_argument, NULL, STALL },
        { "script", required_argument, NULL, SCRIPT },
        { "newcomers", required_argument, NULL, NEWCOMERS },
        { "status", required_argument, NULL, STATUS },
        { "tcp", no_argument, NULL, TCP },
        { "rmem-max", required_argument, NULL, RMEM_MAX },
        { "no-rcvbufforce", no_argument, NULL, NO_RCVBUFFORCE },
        { "max-clients", required_argument, NULL, MAX_CLIENTS },
        { "servers", required_argument, NULL, SERVERS },
        { "accel", required_argument, NULL, ACCEL },
        { "output", required_argument, NULL, OUTPUT },
        { "help", no_argument, NULL, HELP },
        { 0 },
    };
    int index = 0;
    int which;

    *options = (struct options){
        .suite = "trixie", .server = "patched", .module = "stock", .kernel = "", .accel = "tcg",
        .clients = 64, .servers = 1, .rounds = 1, .keepalive_interval = 3, .keepalive_timeout = 10,
        .status_interval = 1,
    };
    opterr = 0;
    while ((which = getopt_long(argc, argv, ":h", known, &index)) != -1)
    {
        const char *name = which >= SERVER ? known[index].name : "";

        switch (which)
        {
            case SERVER: options->server = choose(&servers, optarg); break;
            case MODULE: options->module = choose(&modules, optarg); break;
            case MODULE_DELAY: options->module_delay = number(name, optarg, 0, 10000); break;
            case KERNEL: options->kernel = optarg; break;
            case SUITE: options->suite = one_of(name, optarg, "trixie", "bookworm"); break;
            case CLIENTS: options->clients = number(name, optarg, 1, 10240); break;
            case ROUNDS: options->rounds = number(name, optarg, 1, 10000); break;
            case KEEPALIVE: parse_keepalive(options, optarg); break;
            case LOAD: options->load = true; break;
            case STALL: options->stall = true; break;
            case SCRIPT: options->script = seconds(name, optarg); break;
            case NEWCOMERS: options->newcomers = number(name, optarg, 1, 10240); break;
            case STATUS: options->status_interval = number(name, optarg, 1, 3600); break;
            case TCP: options->tcp = true; break;
            case RMEM_MAX: options->rmem_max = number(name, optarg, 2304, INT_MAX); break;
            case NO_RCVBUFFORCE: options->no_rcvbufforce = true; break;
            case MAX_CLIENTS: options->max_clients = number(name, optarg, 1, 65534); break;
            case SERVERS: options->servers = number(name, optarg, 1, AGENT_SERVERS_MAX); break;
            case ACCEL: options->accel = one_of(name, optarg, "tcg", "kvm"); break;
            case OUTPUT: options->output = optarg; break;
            case HELP:
            case 'h':
                fputs(help, stdout);
                exit(0);
            case ':': usage_error("%s wants a value", argv[optind - 1]);
            default: usage_error("unknown option '%s'", argv[optind - 1]);
        }
    }
    if (optind < argc)
        usage_error("'%s' is no option", argv[optind]);
    if (options->newcomers > options->clients || (options->newcomers && options->stall))
        usage_error("--newcomers is at most --clients, and not with --stall");
    if (options->clients % options->servers != 0)
    {
        usage_error("%d clients can't be shared equally by %d servers", options->clients,
                    options->servers);
    }
    const int share = options->clients / options->servers;
    if (options->max_clients == 0)
        options->max_clients = share + (share < 64 ? 16 : share / 4);
    if (options->max_clients < share)
    {
        usage_error("--max-clients %d is less than the %d clients of a server",
                    options->max_clients, share);
    }
}

json_t *
options_json(const struct options *options)
{
    return json_pack("{s: i, s: i, s: i, s: [i, i], s: b, s: b, s: f, s: i, s: b, s: i, s: b,"
                     " s: i, s: s, s: i, s: s, s: i}",
                     "clients", options->clients, "servers", options->servers,
                     "rounds", options->rounds,
                     "keepalive", options->keepalive_interval, options->keepalive_timeout,
                     "load", options->load, "stall", options->stall, "script", options->script,
                     "status", options->status_interval,
                     "tcp", options->tcp, "rmem_max", options->rmem_max,
                     "no_rcvbufforce", options->no_rcvbufforce,
                     "max_clients", options->max_clients, "accel", options->accel,
                     "module_delay", options->module_delay, "kernel", options->kernel,
                     "newcomers", options->newcomers);
}
