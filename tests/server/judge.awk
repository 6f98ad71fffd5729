# SPDX-License-Identifier: GPL-2.0-only
#
# known, outcomes as recorded, outcomes now -> a line for each result:
#     ok|not_ok|known WHAT
# A situation is one result for each tree. A known limit is one of its own.
function outcome(tree, i)
{
    for (i = 2; i <= NF; ++i)
    {
        if (index($i, tree ":") == 1)
        {
            return substr($i, length(tree) + 2)
        }
    }
    return "missing"
}

# A server that never makes the request passes: nothing can come in between
function passes(tree)
{
    return outcome(tree) == "pass" || outcome(tree) == "unreached"
}

# The limit that a scenario shows on a tree. Sets certain: whether it has to.
function limit_of(tree, i)
{
    for (i = 1; i <= limits; ++i)
    {
        certain = limit_tree[i] == tree
        if ((certain || limit_tree[i] == tree "?") && $1 ~ limit_pattern[i])
        {
            return limit[i]
        }
    }
    return ""
}

function judge(tree, group, why)
{
    why = limit_of(tree)
    if (outcome(tree) == "pass" && why && certain)
    {
        print "not_ok " tree ": " $1 ": passes, and is called a known limit: " why
    }
    else if (!passes(tree) && why)
    {
        print "known " tree ": " $1 ": " outcome(tree) " # TODO doc/known-limits.rst: " why
    }
    else if (!passes(tree))
    {
        bad[tree, group] = bad[tree, group] " " $1 ":" outcome(tree)
    }
}

FNR == 1 { ++file }
/^#/ || NF == 0 { next }
file == 1 {
    limit_tree[++limits] = $1
    limit_pattern[limits] = "^" $2 "$"
    limit[limits] = substr($0, index($0, $3))
    next
}
file == 2 {
    red_before[$1] = !passes("stock")
    next
}
{
    group = $1
    sub(/^[^\/]*\/[^\/]*\/[^\/]*/, "&\n", group)
    sub(/(\.[0-9]+)?\n.*/, "", group)
    if (!total[group]++)
    {
        groups[++n] = group
    }
    judge("patched", group)
    judge("follow-up", group)
    if (!passes("stock"))
    {
        ++red[group]
    }
    else if (red_before[$1])
    {
        control[group] = control[group] " " $1
    }
}
END {
    for (g = 1; g <= n; ++g)
    {
        group = groups[g]
        text = group ": " total[group] " scenarios, " red[group] + 0 " red without the series"
        print(bad["patched", group] ? "not_ok " text "; with it:" bad["patched", group] : "ok " text)
        text = "follow-up: " group
        print(bad["follow-up", group] ? "not_ok " text ":" bad["follow-up", group] : "ok " text)
        if (control[group])
        {
            print "not_ok control: these failed without the series, and pass now:" control[group]
        }
    }
}
