/* SPDX-License-Identifier: GPL-2.0-only */
#include "client.h"
#include "verdict.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct
{
    pid_t pid;
    bool lost;
    char log[32];
} clients[CLIENTS];

static uint32_t server_address;

static bool
is_free(uint32_t address, int type)
{
    const struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(1194),
                                     .sin_addr.s_addr = htonl(address) };
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const bool free = fd >= 0 && !bind(fd, (const void *)&sin, sizeof(sin));
    close(fd);
    return free;
}

uint32_t
client_server_address(void)
{
    /* 127.64.0.0/10 in blocks of 64, from one that depends on the process */
    for (uint32_t i = 0; !server_address && i < 65536; ++i)
    {
        const uint32_t address = 0x7f400001 + ((uint32_t)getpid() + i) % 65536 * 64;
        if (is_free(address, SOCK_DGRAM) && is_free(address, SOCK_STREAM))
            server_address = address;
    }
    return server_address;
}

int
client_by_address(uint32_t address)
{
    const uint32_t n = address - client_server_address() - 1;
    return n < CLIENTS ? (int)n : -1;
}

void
client_start(int n, int certificate, enum proto proto, bool back,
             const struct scene_paths *paths)
{
    const bool tcp = proto == PROTO_TCP, p2p = proto == PROTO_P2P;
    char remote[INET_ADDRSTRLEN], local[INET_ADDRSTRLEN], crt[512], key[512], ca[512];
    char *const file = clients[n].log;
    struct in_addr in = { htonl(client_server_address()) };
    inet_ntop(AF_INET, &in, remote, sizeof(remote));
    in.s_addr = htonl(client_server_address() + 1 + (uint32_t)n);
    inet_ntop(AF_INET, &in, local, sizeof(local));
    snprintf(ca, sizeof(ca), "%s/ca.crt", paths->keys);
    snprintf(crt, sizeof(crt), "%s/c%d.crt", paths->keys, certificate);
    snprintf(key, sizeof(key), "%s/c%d.key", paths->keys, certificate);
    snprintf(file, sizeof(clients[n].log), "client%d.log", n);
    const bool another = !unlink(file) && !back;
    /* no data packets: they are the kernel's, and must not get to the server */
    const char *argv[] = {
        paths->openvpn, p2p ? "--tls-client" : "--client", "--disable-dco", "--dev", "null",
        "--remote", remote, "1194", tcp ? "tcp4-client" : "udp4", "--local", local,
        "--lport", tcp || another ? "0" : "1194",
        "--ifconfig-noexec", "--route-noexec", "--ca", ca, "--cert", crt, "--key", key,
        "--data-ciphers", "AES-256-GCM", "--remap-usr1", "SIGTERM", "--connect-retry-max", "1",
        "--log", file, "--verb", "3", "--disable-occ",
        p2p ? NULL : "--pull-filter", "ignore", "ping",
        back ? "--pull-filter" : NULL, "ignore", "protocol-flags", NULL
    };

    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0)
    {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            execv(paths->openvpn, (char **)argv);
        _exit(127);
    }
    if (pid < 0)
        verdict_stop("setup", "cannot start client %d", n);
    clients[n].pid = pid;
}

void
client_lose(int n)
{
    if (client_alive(n))
    {
        kill(clients[n].pid, SIGSTOP);
        clients[n].lost = true;
    }
}

bool
client_alive(int n)
{
    siginfo_t info = { 0 };
    return clients[n].pid && !clients[n].lost
           && waitid(P_PID, clients[n].pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0
           && info.si_pid == 0;
}

void
client_kill(int n)
{
    if (clients[n].pid)
    {
        siginfo_t info;
        kill(clients[n].pid, SIGKILL);
        waitid(P_PID, clients[n].pid, &info, WEXITED);
        clients[n].pid = 0;
        clients[n].lost = false;
    }
}

int
log_count(const char *log, const char *text)
{
    char line[1024];
    int count = 0;
    FILE *file = fopen(log, "re");
    while (file && fgets(line, sizeof(line), file))
        count += strstr(line, text) != NULL;
    if (file)
        fclose(file);
    return count;
}

bool
client_initialised(int n)
{
    return log_count(clients[n].log, "Initialization Sequence Completed") > 0;
}

bool
client_refused(int n)
{
    return log_count(clients[n].log, "AUTH_FAILED") > 0;
}

void
client_kill_all(void)
{
    for (int n = 0; n < CLIENTS; ++n)
    {
        if (clients[n].pid)
            kill(clients[n].pid, SIGKILL);
    }
}
