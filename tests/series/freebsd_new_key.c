/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * dco_new_key() of FreeBSD's back-end, and a kernel that refuses the key: prints
 * what it returns. Of OpenVPN it takes dco_freebsd.c alone, and ends as that does if
 * it exits.
 */
#include "config.h"
#include "syshead.h"

#include "dco.h"
#include "ssl_backend.h"

#include <sys/ioctl.h>
#include <sys/nv.h>

/** ENOENT, as ovpn_set_key() in FreeBSD's sys/net/if_ovpn.c if there is no such peer. */
int
ioctl(int fd, unsigned long request, ...)
{
    errno = ENOENT;
    return -1;
}

/** A function of that name that does nothing. */
#define NOTHING(name, ...) void name(__VA_ARGS__) { }

NOTHING(nvlist_add_binary, nvlist_t *list, const char *name, const void *value, size_t size)
NOTHING(nvlist_add_number, nvlist_t *list, const char *name, uint64_t value)
NOTHING(nvlist_add_nvlist, nvlist_t *list, const char *name, const nvlist_t *value)
NOTHING(nvlist_add_string, nvlist_t *list, const char *name, const char *value)
NOTHING(x_msg, const unsigned int flags, const char *format, ...)

nvlist_t *
nvlist_create(int flags)
{
    return malloc(1);
}

void
nvlist_destroy(nvlist_t *list)
{
    free(list);
}

void *
nvlist_pack(const nvlist_t *list, size_t *size)
{
    *size = 1;
    return malloc(1);
}

unsigned int x_debug_level;

bool
dont_mute(unsigned int flags)
{
    return true;
}

int
cipher_kt_key_size(const char *ciphername)
{
    return 32;
}

int
main(void)
{
    static const uint8_t key[32];
    struct dco_context dco = { .ifname = "ovpn0" };

    printf("%d\n", dco_new_key(&dco, 0, 0, OVPN_KEY_SLOT_PRIMARY, key, key, key, key, "AES-256-GCM"));
    return 0;
}
