/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * Load: on each processor a process that never sleeps, and sends 1000 packets a
 * second through the tunnel.
 */
#include "agent.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t workers[64];
static int workers_count;

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** "server 10.(8+N).0.0 255.255.0.0" assigns addresses from .0.2 on. */
static void
work(int servers, int clients)
{
    static const char payload[1000];
    const int sock = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(9),           /* discard */
    };

    for (int64_t i = 0, next = now_ms();; ++i, ++next)
    {
        address.sin_addr.s_addr = htonl((10U << 24) + ((8U + (unsigned)(i % servers)) << 16)
                                        + 2U + (unsigned)(i / servers % clients));
        sendto(sock, payload, sizeof(payload), 0, (const struct sockaddr *)&address,
               sizeof(address));
        while (now_ms() < next)
        {
        }
    }
}

int
load_begin(int servers, int clients)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);

    while (servers > 0 && workers_count < processors)
    {
        pid_t pid = fork();

        if (pid == 0)
            work(servers, clients);
        if (pid < 0)
            return -1;
        workers[workers_count++] = pid;
    }
    return 0;
}

void
load_end(void)
{
    while (workers_count > 0)
    {
        --workers_count;
        kill(workers[workers_count], SIGKILL);
        waitpid(workers[workers_count], NULL, 0);
    }
}
