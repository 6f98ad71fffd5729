/* SPDX-License-Identifier: GPL-2.0-only */

#include "mock_main.h"

int
main(int argc, char **argv)
{
    /* the name of a case, or a pattern, to run no other */
    cmocka_set_test_filter(argv[1]);
    return run_cases ? run_cases() : 0;
}
