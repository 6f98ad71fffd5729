# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # $patches and the like: from select_patches
#
# The texts for distributions: templates, and what is filled in. To be sourced,
# after patches.sh.

# subject PATCH: in one line
subject()
{
    git mailinfo /dev/null /dev/null < "$1" | sed -n 's/^Subject: //p'
}

# figures FOLDER: write what fill() takes from there: VERSION, WHAT, PATCHES, COUNT,
# FOLLOW_UP, SIZE, SCOPE, TITLE, IMPACT, RISKS, MODULE, TEST_PLAN and STORM, and what TEST_PLAN takes
figures()
{
    mkdir -p "$1"
    echo "$version" > "$1/VERSION"
    numbered | while read -r number patch
    do
        echo " $number. $(subject "$patch")"
    done > "$1/PATCHES"
    # shellcheck disable=SC2086 # file names of ours, to be split
    set -- "$1" $patches
    folder=$1
    shift
    echo $# > "$folder/COUNT"
    for patch
    do
        git apply --numstat "$patch"
    done | awk '{ added += $1; removed += $2; files[$3] }
        END { for (name in files) ++n; printf "%d lines added and %d removed in %d files of src/", added, removed, n }' \
        > "$folder/SIZE"
    for patch
    do
        case $patch in
        # lintian takes a word twice in a row for a mistake
        *follow-up/*) subject "$patch" | sed "s|^[a-z-]*: ||" | sed -E "s|\\b([a-z]+) \\1\\b|\\1, \\1|g" ;;
        esac
    done | awk '{ printf "%s%s", (NR > 1 ? "; " : ""), $0 } END { if (NR) print "." }' > "$folder/FOLLOW_UP"
    echo "the series$([ ! "$follow_up" ] || echo " and the follow-ups")" > "$folder/WHAT"
    line=${base_line:+-${base_line%/}}
    if [ "$line" ]
    then
        echo "receive DCO notifications on a socket of their own" > "$folder/TITLE"
    else
        echo "don't lose the kernel's DCO notifications" > "$folder/TITLE"
    fi
    echo "The series changes code that runs with DCO only." > "$folder/SCOPE"
    [ ! "$base_first" ] ||
        echo "One condition in the event loop (forward.c) is for all servers; 2.6.18 has it." >> "$folder/SCOPE"
    texts "$folder" "$line"
    # of the package of 2.6.14, if downstream/debian/build --storm has been run
    : > "$folder/STORM"
    outcome=$top/build/deb/trixie${follow_up:+-follow-up}/storm.txt
    [ "$line" ] || [ ! -e "$outcome" ] || cp "$outcome" "$folder/STORM"
}

# part NAME FOLDER: sentences of the test plan; nothing if there are none for this series
part()
{
    [ ! -e "$top/downstream/text/$1.in" ] || fill "$top/downstream/text/$1.in" "$2"
}

# texts FOLDER SUFFIX: write IMPACT, RISKS, MODULE and TEST_PLAN there; SUFFIX is that of
# the texts for this series
texts()
{
    fill "$top/downstream/text/impact$2.in" "$1" > "$1/IMPACT"
    fill "$top/downstream/text/risks$2.in" "$1" > "$1/RISKS"
    [ ! "$follow_up" ] || fill "$top/downstream/text/risks-follow-up.in" "$1" >> "$1/RISKS"
    fill "$top/downstream/text/module.in" "$1" > "$1/MODULE"
    part "leaked$2" "$1" > "$1/LEAKED"
    part "counted$2" "$1" > "$1/COUNTED"
    part "small-buffer$2" "$1" > "$1/SMALL_BUFFER"
    part "exited$2" "$1" > "$1/EXITED"
    fill "$top/downstream/text/test-plan.in" "$1" > "$1/TEST_PLAN"
}

# fill TEMPLATE FOLDER: the template, with the content of FOLDER/NAME for each
# @NAME@. A line that has nothing but such a name goes if the file is empty.
fill()
{
    awk -v folder="$2" -v template="${1##*/}" '
        function content(name,    all, line, found)
        {
            while ((found = (getline line < (folder "/" name))) > 0)
                all = all (all == "" ? "" : "\n") line
            close(folder "/" name)
            if (found < 0) { print template ": no " name > "/dev/stderr"; failed = 1; exit 1 }
            return all
        }
        /^# SPDX-/ { next }
        { bare = $0 ~ /^@[A-Z_]+@$/ }
        {
            while (match($0, /@[A-Z_]+@/))
                $0 = substr($0, 1, RSTART - 1) content(substr($0, RSTART + 1, RLENGTH - 2)) substr($0, RSTART + RLENGTH)
            if (!bare || $0 != "") print
        }
        END { exit failed }' "$1"
}

