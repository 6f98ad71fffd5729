/* SPDX-License-Identifier: GPL-2.0-only */
/* FreeBSD's kldload(2) */
int kldload(const char *file);
