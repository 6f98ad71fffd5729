/* SPDX-License-Identifier: GPL-2.0-only */
/* FreeBSD's nv(9), as its manual page declares it: what dco_freebsd.c calls */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nvlist nvlist_t;

nvlist_t *nvlist_create(int flags);
void nvlist_destroy(nvlist_t *list);
void *nvlist_pack(const nvlist_t *list, size_t *size);
nvlist_t *nvlist_unpack(const void *packed, size_t size, int flags);

bool nvlist_exists_binary(const nvlist_t *list, const char *name);
bool nvlist_exists_number(const nvlist_t *list, const char *name);
bool nvlist_exists_nvlist(const nvlist_t *list, const char *name);
bool nvlist_exists_nvlist_array(const nvlist_t *list, const char *name);

void nvlist_add_binary(nvlist_t *list, const char *name, const void *value, size_t size);
void nvlist_add_number(nvlist_t *list, const char *name, uint64_t value);
void nvlist_add_nvlist(nvlist_t *list, const char *name, const nvlist_t *value);
void nvlist_add_string(nvlist_t *list, const char *name, const char *value);

const void *nvlist_get_binary(const nvlist_t *list, const char *name, size_t *size);
uint64_t nvlist_get_number(const nvlist_t *list, const char *name);
const nvlist_t *nvlist_get_nvlist(const nvlist_t *list, const char *name);
const nvlist_t *const *nvlist_get_nvlist_array(const nvlist_t *list, const char *name, size_t *n);
