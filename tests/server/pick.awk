# SPDX-License-Identifier: GPL-2.0-only
#
# The rules (rules.awk), all scenarios -> those to play: for each rule, situation,
# and place of a target some, always the same; and of all one in -v of=N, so that on
# N days each is played once. -v day=D is the day.
function take(i, part)
{
    taken[i]
    split(name[i], part, "/")
    seen["situation " part[1] " " part[3]]
    seen["target " part[1] " " part[5] " " part[6]]
}

function place(i, what)
{
    if (!((what) in seen) && !(i in taken))
        take(i)
}

file == 2 {
    name[++n] = $1
}
END {
    split("stock patched follow-up", tree, " ")
    for (i = 1; i <= n; ++i)
    {
        split(name[i], part, "/")
        for (t = 1; t <= 3; ++t)
        {
            r = rule_for(tree[t], name[i])
            if (r && !decided[r, t, part[1]]++)
                take(i)
        }
        if (i % of == day % of)
            take(i)
    }
    for (i = 1; i <= n; ++i)
    {
        split(name[i], part, "/")
        place(i, "situation " part[1] " " part[3])
        place(i, "target " part[1] " " part[5] " " part[6])
        if (i in taken)
            print name[i]
    }
}
