/* SPDX-License-Identifier: GPL-2.0-only */
/* tun.h includes it; none of what backends.test compiles needs anything in it */
