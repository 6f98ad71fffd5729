/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * @file
 * The guest's kernel: its crashes. It lives on after most of them: only the thread
 * that it was in ends.
 */
#include "storm.h"

#include <stdlib.h>
#include <string.h>

/** The function in "... RIP: 0010:FUNCTION+0x1d/0x300 [ovpn_dco_v2]", or NULL; owned. */
static char *
function(const char *line)
{
    const char *rip = strstr(line, "RIP: ");
    const char *name = rip ? strchr(rip + 5, ':') : NULL;

    return name ? strndup(name + 1, strcspn(name + 1, "+ \n")) : NULL;
}

int
kernel_crashes(struct storm *storm)
{
    char *path = text("%s/dmesg.log", storm->output);
    FILE *log = fopen(path, "r");
    char line[1024];
    char *first = NULL;
    int count = 0;

    while (log && fgets(line, sizeof(line), log))
    {
        /* each has one line that ends in its number, as "Oops: Oops: 0000 [#1] SMP" */
        if (strstr(line, " [#"))
            ++count;
        else if (count > 0 && !first)
            first = function(line);
    }
    if (log)
        fclose(log);
    if (count > 0)
        printf("storm: kernel: %d crashes, the first in %s\n", count, first ? first : "?");
    else
        printf("storm: kernel: no crash\n");
    json_object_update_new(storm->run, json_pack("{s: i, s: s?}", "crashes", count,
                                                 "crash", first));
    free(first);
    free(path);
    return count;
}
