/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The servers in the guest: server N has its files in /run/N, the interface tunN,
 * and assigns addresses of 10.(8+N).0.0/16 (agent_load.c sends to them).
 */
#include "storm.h"

#include <stdlib.h>

/** Seconds until a server is ready. */
#define SERVER_LIMIT 120

static void
put(struct storm *storm, int server, const char *name, const char *content)
{
    char *path = text("/run/%d/%s", server, name);

    json_decref(guest_ask(storm, json_pack("{s: s, s: s}", "write", path, "text", content)));
    free(path);
}

static void
configure(struct storm *storm, int server)
{
    const struct options *options = storm->options;
    char *content = NULL;
    size_t size;
    FILE *conf = open_memstream(&content, &size);
    fprintf(conf,
            "dev tun%d\ntopology subnet\nserver 10.%d.0.0 255.255.0.0\n"
            "proto %s\nport %d\n"
            "ca /etc/keys/ca.crt\ncert /etc/keys/server.crt\nkey /etc/keys/server.key\ndh none\n"
            "keepalive %d %d\nmax-clients %d\n"
            "status status %d\nstatus-version 2\nverb 3\n"
            /* all clients have one certificate; without this a client that comes
             * back would close the instance that it left, and hide a leak */
            "duplicate-cn\n",
            server, 8 + server, options->tcp ? "tcp4-server" : "udp4", SERVER_PORT + server,
            options->keepalive_interval, options->keepalive_timeout, options->max_clients,
            options->status_interval);
    if (options->script)
    {
        fprintf(conf, "script-security 2\nclient-disconnect disconnect\n");
        char *script = text("#!/bin/sh\nexec /bin/busybox sleep %g\n", options->script);
        put(storm, server, "disconnect", script);
        free(script);
    }
    fclose(conf);
    put(storm, server, "conf", content);
    free(content);
    json_decref(guest_ask(storm, json_pack("{s: b, s: b}", "start", 1, "rcvbufforce",
                                            !storm->options->no_rcvbufforce)));
}

static bool
ready(struct storm *storm)
{
    if (storm->now.dead)
    {
        fail(storm, "a server ended with status %d before there was a client, see server-*.log",
             storm->now.exit_status);
    }
    return storm->now.ready == storm->options->servers;
}

void
servers_up(struct storm *storm)
{
    const struct options *options = storm->options;

    if (options->rmem_max)
    {
        char *script = text("sysctl -w net.core.rmem_max=%d", options->rmem_max);

        free(guest_run(storm, script));
        free(script);
    }
    for (int i = 0; i < options->servers; ++i)
        configure(storm, i);
    sample_until(storm, ready, SERVER_LIMIT, "the servers to be ready");
    phase(storm, options->servers == 1 ? "server is ready" : "servers are ready");
}
