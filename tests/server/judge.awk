# SPDX-License-Identifier: GPL-2.0-only
#
# known, outcomes as recorded, outcomes now -> a line for each result:
#     ok|not_ok|known WHAT
# A situation is one result. A known limit is one of its own.
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
function passes(what)
{
    return what == "pass" || what == "unreached"
}

FNR == 1 { ++file }
/^#/ || NF == 0 { next }
file == 1 {
    pattern[++patterns] = "^" $1 "$"
    limit[patterns] = substr($0, index($0, $2))
    next
}
file == 2 {
    recorded[$1] = !passes(outcome("stock"))
    next
}
{
    why = ""
    for (i = 1; i <= patterns && !why; ++i)
    {
        if ($1 ~ pattern[i])
        {
            why = limit[i]
        }
    }
    split($1, part, "/")
    group = part[1] "/" part[2] "/" part[3]
    sub(/\.[0-9]+$/, "", group)
    if (!(group in total))
    {
        groups[++n] = group
    }
    ++total[group]
    if (passes(outcome("patched")) && why)
    {
        print "not_ok " $1 ": passes, and is called a known limit: " why
    }
    else if (!passes(outcome("patched")) && why)
    {
        print "known " $1 ": " outcome("patched") " # TODO doc/known-limits.rst: " why
    }
    else if (!passes(outcome("patched")))
    {
        bad[group] = bad[group] " " $1 ":" outcome("patched")
    }
    if (!passes(outcome("stock")))
    {
        ++red[group]
    }
    else if (recorded[$1])
    {
        control[group] = control[group] " " $1
    }
}
END {
    for (g = 1; g <= n; ++g)
    {
        group = groups[g]
        text = group ": " total[group] " scenarios, " red[group] + 0 " red without the series"
        print(bad[group] ? "not_ok " text "; with it:" bad[group] : "ok " text)
        if (control[group])
        {
            print "not_ok control: without the series these pass, and failed before:" control[group]
        }
    }
}
