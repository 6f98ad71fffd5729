/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real OpenVPN clients over loopback, each a process and with a loopback
 * address of its own, by which it is recognised. They end with the server.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "scene.h"

#define CLIENTS 60

/* The server's address, host byte order: a loopback address on which port 1194
 * was free for UDP and TCP. Client N has this plus 1 + N. */
uint32_t client_server_address(void);

/* Start client N, with the certificate of client CERTIFICATE. Over UDP one that is BACK
 * has the port that client N had, and is an older one, without dynamic tls-crypt; else
 * one that is started after another client N has a port of its own. */
void client_start(int n, int certificate, enum proto proto, bool back,
                  const struct scene_paths *paths);

/* The client with that address, or -1 */
int client_by_address(uint32_t address);

/* Lose a client: it is stopped, as if nothing came through any more */
void client_lose(int n);

/* Whether it was started, and neither lost nor has ended */
bool client_alive(int n);

/* End its process without a word, so that another may be client N */
void client_kill(int n);

/* How many lines of that log, a server's or a client's, have that text */
int log_count(const char *log, const char *text);

/* Whether its initialisation is complete, or it was refused, as its log says */
bool client_initialised(int n);
bool client_refused(int n);

void client_kill_all(void);

#endif
