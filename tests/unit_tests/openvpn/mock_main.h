/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * What each driver of DCO begins with, and the program that runs its cases.
 *
 * What a driver's comment calls the real ones is linked with it.  These need nearly all
 * of OpenVPN: the linker drops the functions that nothing there calls
 * (-ffunction-sections, --gc-sections), and mock_unused.c has those that are left.
 */

#ifndef MOCK_MAIN_H
#define MOCK_MAIN_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "syshead.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

/**
 * Run the cases of a driver, which has this only where OpenVPN has what it tests.
 *
 * @return  how many have failed
 */
int run_cases(void) __attribute__((weak));

#endif /* ifndef MOCK_MAIN_H */
