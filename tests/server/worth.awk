# SPDX-License-Identifier: GPL-2.0-only
#
# Of a report's lines, those that are worth recording in tests/server/outcomes:
# something goes wrong. That a server without the series reports other bytes than
# the kernel has counted is told once, by the situation itself.
{
    line = $0
    worth = 0
    situation = split($1, part, "/") == 3
    for (i = 2; i <= NF; ++i)
    {
        of_series = $i ~ /^(patched|follow-up):/
        sub(/^.*:/, "", $i)
        n = split($i, word, "+")
        for (w = 1; w <= n; ++w)
        {
            worth += word[w] != "pass" && word[w] != "unreached" && (word[w] != "bytes" || of_series || situation)
        }
    }
    if (worth)
    {
        print line
    }
}
