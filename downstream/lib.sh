# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034,SC2154 # set for who sources this, or by find_version
#
# What the commands of downstream/ share: which patches a version takes, their names
# there, and the texts for distributions. To be sourced, after dev-tools/lib.sh.

: "${top:?}"
. "$top/dev-tools/commits.sh"

# select_patches VERSION: set $patches to what it takes, in order, with the
# follow-ups if they are wanted
select_patches()
{
    version=$1
    find_version "$version"
    [ "$known" = yes ] || usage_error "there are no patches for '$version'; there are for $(versions)"
    patches="$(src_patches) $([ ! "$follow_up" ] || follow_up_patches)"
}

# numbered: the patches with their numbers, a line each; what goes ahead of the
# series is 0, so that the others have the same everywhere
numbered()
{
    number=1
    [ ! "$base_first" ] || number=0
    for patch in $patches
    do
        echo "$number $patch"
        number=$((number + 1))
    done
}

# names FORMAT [FIRST]: the patches, and what they are called: FORMAT is printf's, for
# the number, counted from FIRST on, and the rest of the name
names()
{
    numbered | while read -r number patch
    do
        rest=${patch##*/}
        # shellcheck disable=SC2059 # it is a format
        echo "$patch $(printf "$1" $((number + ${2-0})) "${rest#[0-9][0-9][0-9][0-9]-}")"
    done
}

# package_name SUITE: the folder of build/deb with its package
package_name()
{
    echo "$1$(echo "$follow_up" | sed 's/^-//; s/=/-/')"
}

# subject PATCH: in one line
subject()
{
    git mailinfo /dev/null /dev/null < "$1" | sed -n 's/^Subject: //p'
}

# figures FOLDER: write there what the texts say of $patches
figures()
{
    mkdir -p "$1"
    echo "$version" > "$1/VERSION"
    echo "$base_series" > "$1/SERIES"
    numbered | while read -r number patch
    do
        echo " $number. $(subject "$patch")"
    done > "$1/PATCHES"
    wc -l < "$1/PATCHES" > "$1/COUNT"
    # shellcheck disable=SC2086 # file names of ours, to be split
    cat $patches | git apply --numstat | awk '{ added += $1; removed += $2; files[$3] }
        END { for (name in files) ++n; printf "%d lines added and %d removed in %d files of src/", added, removed, n }' \
        > "$1/SIZE"
    for patch in $patches
    do
        case $patch in
        # lintian takes a word twice in a row for a mistake
        *follow-up/*) subject "$patch" | sed "s|^[a-z-]*: ||" | sed -E "s|\\b([a-z]+) \\1\\b|\\1, \\1|g" ;;
        esac
    done | awk '{ printf "%s%s", (NR > 1 ? "; " : ""), $0 } END { if (NR) print "." }' > "$1/FOLLOW_UP"
    echo "the fix$([ ! "$follow_up" ] || echo " and its follow-ups")" > "$1/WHAT"
    [ "$follow_up" ] || : > "$1/RISKS_FOLLOW_UP"
    echo "The fix changes only code that runs with DCO." > "$1/SCOPE"
    [ ! "$base_first" ] ||
        echo "One condition in the event loop (forward.c) is for all servers; 2.6.18 has it." >> "$1/SCOPE"
    # of the package of 2.6.14, if downstream/debian/build --storm has been run
    : > "$1/STORM"
    outcome=$top/build/deb/$(package_name trixie)/storm.txt
    [ "$base_line" ] || [ ! -e "$outcome" ] || cp "$outcome" "$1/STORM"
}

# fill TEMPLATE FOLDER: the template, with the content of FOLDER/NAME for each @NAME@,
# or else that of downstream/text/name.in, or name-LINE.in for the series of LINE/series. A
# line that has nothing but such a name goes if that is empty. A line that begins with
# [series] or [LINE/series] is for that series alone.
fill()
{
    awk -v template="$1" -v folder="$2" -v texts="$top/downstream/text/" '
        function text(file,    line, all, status)
        {
            while ((status = (getline line < file)) > 0) {
                if (line ~ /^# SPDX-/ || (line ~ /^\[[^]]*series\]/ && index(line, "[" series "]") != 1))
                    continue
                sub(/^\[[^]]*series\]/, "", line)
                all = all line "\n"
            }
            close(file)
            found = status == 0
            return substr(all, 1, length(all) - 1)
        }
        function content(name,    all, file)
        {
            all = text(folder "/" name)
            file = tolower(name)
            gsub(/_/, "-", file)
            if (!found && suffix)
                all = text(texts file suffix ".in")
            if (!found)
                all = text(texts file ".in")
            if (!found) {
                print template ": no " name > "/dev/stderr"
                exit 1
            }
            return all
        }
        BEGIN {
            series = text(folder "/SERIES")
            suffix = "-" series
            if (!sub(/\/series$/, "", suffix))
                suffix = ""
            all = text(template)
            while (match(all, /@[A-Z_]+@/)) {
                before = substr(all, 1, RSTART - 1)
                after = substr(all, RSTART + RLENGTH)
                value = content(substr(all, RSTART + 1, RLENGTH - 2))
                if (value == "" && before ~ /\n$/)
                    sub(/^\n/, "", after)
                all = before value after
            }
            print all
        }'
}
