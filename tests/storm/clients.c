/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The clients: openvpn processes outside of the guest, without an interface and
 * without offload.
 */
#include "storm.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/**
 * Clients on their way at a time, and twice as many more as have got in since the
 * sample before: a server that is fast gets more. With all at once many give up and
 * try again, and what the server keeps of each attempt for its --hand-window counts
 * against --max-clients: rejections, but not those that this is about.
 */
#define AT_A_TIME 16

static pid_t
start_client(struct storm *storm, int number)
{
    const struct options *options = storm->options;
    char *port = text("%d", SERVER_PORT + number % options->servers);
    char *log = text("/mnt/clients/%d.log", number);
    const pid_t pid = spawn(storm, log, (char *const[]){
        options->clients > MANY_CLIENTS ? "/storm/client.build/src/openvpn/openvpn" : "openvpn",
        "--client", "--dev", "null", "--disable-dco", "--ifconfig-noexec",
        "--route-noexec", "--nobind", "--remote", GUEST_ADDRESS, port,
        options->tcp ? "tcp4-client" : "udp4", "--ca", "/storm/keys/ca.crt",
        "--cert", "/storm/keys/c0.crt", "--key", "/storm/keys/c0.key",
        "--connect-timeout", "10", "--connect-retry", "1", "2",
        "--verb", "1", NULL });
    free(port);
    free(log);
    return pid;
}

void
clients_some(struct storm *storm)
{
    const int came = storm->came > 0 ? storm->came : 0;
    const int clients = storm->options->clients;

    while (storm->going < clients && storm->going < storm->now.peers + AT_A_TIME + 2 * came)
    {
        if (storm->clients[storm->going])
            clients_new(storm, 1);
        else
        {
            storm->clients[storm->going] = start_client(storm, storm->going);
            ++storm->going;
        }
    }
}

void
clients_new(struct storm *storm, int number)
{
    for (; number > 0; --number, ++storm->going)
    {
        /* tries anew at once, whatever it was at, from another port */
        kill(storm->clients[storm->going], SIGUSR1);
        kill(storm->clients[storm->going], SIGCONT);
    }
}

int
clients_in(struct storm *storm, int number, int often)
{
    int in = 0;

    for (int i = 0; i < number; ++i)
    {
        char *path = text("%s/clients/%d.log", storm->output, i);
        char line[4096];
        int times = 0;
        FILE *log = fopen(path, "r");

        while (log && fgets(line, sizeof(line), log))
            times += strstr(line, "Initialization Sequence Completed") != NULL;
        in += times >= often;
        if (log)
            fclose(log);
        free(path);
    }
    return in;
}

void
clients_stop(struct storm *storm)
{
    for (int i = 0; i < storm->options->clients; ++i)
        kill(storm->clients[i], SIGSTOP);
    storm->going = 0;
}

static bool
connected(struct storm *storm)
{
    const int clients = storm->options->clients;

    clients_check(storm);
    if (storm->now.dead)
    {
        fail(storm, "a server ended with status %d while clients connected, see server-*.log",
             storm->now.exit_status);
    }
    clients_some(storm);
    return storm->now.peers == clients && storm->now.instances == clients;
}

void
clients_connect(struct storm *storm)
{
    storm->clients = calloc((size_t)storm->options->clients, sizeof(*storm->clients));
    sample_until(storm, connected,
                 90 + storm->options->status_interval + storm->options->clients / 4.0,
                 "all clients to connect");
    phase(storm, "clients connected");
}

void
clients_check(struct storm *storm)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    {
        if (pid == storm->guest)
            fail(storm, "the guest ended, see guest.log");
        for (int i = 0; i < storm->options->clients; ++i)
        {
            if (storm->clients[i] == pid)
                fail(storm, "a client ended, see clients/%d.log", i);
        }
    }
}
