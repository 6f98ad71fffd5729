/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * load SERVERS CLIENTS: keeps a processor of the guest busy, and sends 1000 packets a
 * second through the tunnel, to the addresses that each server assigns to its clients.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
main(int argc, char *argv[])
{
    static const char payload[1000];
    const int servers = argc == 3 ? atoi(argv[1]) : 1;
    const int clients = argc == 3 ? atoi(argv[2]) : 1;
    const int sock = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(9),           /* discard */
    };

    for (int64_t i = 0, next = now_ms();; ++i, ++next)
    {
        /* "server 10.(8+N).0.0 255.255.0.0" assigns addresses from .0.2 on */
        address.sin_addr.s_addr = htonl((10U << 24) + ((8U + (unsigned)(i % servers)) << 16)
                                        + 2U + (unsigned)(i / servers % clients));
        sendto(sock, payload, sizeof(payload), 0, (const struct sockaddr *)&address,
               sizeof(address));
        while (now_ms() < next)
        {
        }
    }
}
