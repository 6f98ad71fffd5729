# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # $base and the like: from find_base
#
# What commits a base tree has on top of its sources, and of what files they are
# made. To be sourced, after lib.sh; its functions are for after find_base.

# What the commits end with, in this order: a tag, and branches
# shellcheck disable=SC2034 # for who sources this
stages="start series series-tests follow-up follow-up-tests"

# The unit tests: the C files, the messages of their commits with what these change in
# upstream's build files, and which cases fail without the patches
unit_tests_dir=$top/tests/unit_tests/openvpn
commits_dir=$top/tests/unit_tests/commits
red_dir=$top/tests/unit_tests/red

# take_follow_ups OPTION: set $follow_up, and for $who: --follow-up is those for everybody,
# --follow-up=all is all
take_follow_ups()
{
    follow_up=$1
    who=everybody
    [ "$1" != --follow-up=all ] || who=
}

# wanted [NUMBER]: of the follow-ups on standard input, or their unit tests, those for whom
# $who says, or of them that one. The table of doc/follow-up.rst says who that is.
wanted()
{
    numbers=${1:-[0-9]*}
    [ "${who-}" != everybody ] ||
        numbers="($(awk '/^[0-9]+  .*  everybody/ { printf "%s%s", sep, $1; sep = "|" }' "$top/doc/follow-up.rst"))"
    grep -E "/0*$numbers-[^/]*$"
}

# follow_up_names [NUMBER]: the files of the follow-ups that the base has not, from patches/
# on, or those of them that are wanted(). The series of other releases has one of its own
# where it has to differ.
follow_up_names()
{
    (cd "$top/patches" && printf '%s\n' follow-up/*.patch) | wanted "${1-}" | while read -r name
    do
        case ,$base_has, in
        *",$(number_of "$name"),"*) continue ;;
        esac
        [ ! -e "$top/patches/$base_line$name" ] || name=$base_line$name
        echo "$name"
    done
}

# number_of FILE: the number that a patch begins with
number_of()
{
    echo "${1##*/}" | sed 's/^0*\([0-9]*\)-.*/\1/'
}

# follow_up_numbers: those of follow_up_names
follow_up_numbers()
{
    for name in $(follow_up_names)
    do
        number_of "$name"
    done
}

# follow_up_patches [NUMBER]: follow_up_names, with their path
follow_up_patches()
{
    follow_up_names "${1-}" | sed "s|^|$top/patches/|"
}

# named_in PATCH: the C files of ours that it adds to a build file
named_in()
{
    sed -n '/^+++/d; s/^+//p' "$1" | tr -s '[:space:]' '\n' | grep -x '[a-z0-9_]*\.[ch]' | sort -u | while read -r file
    do
        [ ! -e "$unit_tests_dir/$file" ] || echo "$file"
    done
}

# write_test_patches DIR: the commits of the unit tests as patches, in DIR/series and
# DIR/follow-up: those of tests/unit_tests/commits, and behind each the C files that
# it is the first to name
write_test_patches()
{
    named=" "
    for patch in "$commits_dir"/series/*.patch "$commits_dir"/follow-up/*.patch
    do
        to=$1/${patch#"$commits_dir"/}
        mkdir -p "${to%/*}"
        cp "$patch" "$to"
        for file in $(named_in "$patch")
        do
            case $named in
            *" $file "*) continue ;;
            esac
            named="$named$file "
            awk -v file="tests/unit_tests/openvpn/$file" '{ line[NR] = "+" $0 }
                END { print "diff --git a/" file " b/" file "\nnew file mode 100644\n--- /dev/null\n+++ b/" file
                      print "@@ -0,0 +1," NR " @@"; for (i = 1; i <= NR; ++i) print line[i] }' \
                "$unit_tests_dir/$file" >> "$to"
        done
    done
    for file in "$unit_tests_dir"/*
    do
        case $named in
        *" ${file##*/} "*) ;;
        *) die "tests/unit_tests/openvpn/${file##*/} is in no Makefile.am: no patch of tests/unit_tests/commits names it" ;;
        esac
    done
}

# stage_patches STAGE TREE WHOLE [NUMBER]: the files that the commits of that stage
# are made of, for TREE; WHOLE is where write_test_patches has put those of the tests.
# Of a stage of the follow-ups only those with that NUMBER, if it is given.
stage_patches()
{
    case $1 in
    start) [ ! "$base_first" ] || printf '%s\n' "$top/patches/$base_first"/*.patch ;;
    series) printf '%s\n' "$top/patches/$base_series"/*.patch ;;
    series-tests)
        for patch in "$3"/series/*.patch
        do
            # CMakeLists.txt came with 2.6.7
            [ ! -e "$2/CMakeLists.txt" ] && grep -q '^diff --git a/CMakeLists.txt' "$patch" || echo "$patch"
        done ;;
    follow-up) follow_up_patches "${4-}" ;;
    follow-up-tests) printf '%s\n' "$3/follow-up/"*.patch | wanted "${4-}" ;;
    esac
}

# the drivers that are there
drivers()
{
    for file in "$unit_tests_dir"/test_*.c
    do
        name=${file##*/test_}
        echo "${name%.c}"
    done
}

# patches_of DRIVER: what it takes for all its cases to pass: "series", or the
# numbers of follow-ups
patches_of()
{
    sed -n 's/^# with: //p' "$red_dir/$1"
}

# red_of DRIVER: the cases that fail without that, sorted. "# not" and "# only" behind one
# say with which series.
red_of()
{
    left_out=$([ "$base_line" ] && echo not || echo only)
    sed "/^#/d; /  # $left_out /d; s/  #.*//" "$red_dir/$1" | sort
}

# src_patches: all that changes src/ but for the follow-ups, in order
src_patches()
{
    stage_patches start
    stage_patches series
}

# source_digest: one word that names the content of a base of the user's
source_digest()
{
    if [ "$base_kind" != own ]
    then
        echo -
    elif [ -d "$base_id" ]
    then
        tar -C "$base_id" --sort=name --mtime=@0 --exclude=./.git -c . | git hash-object --stdin
    else
        git hash-object --stdin < "$base_id"
    fi
}

# made_of: what the base tree is made of, in three words: the patches, the C files,
# and the sources
made_of()
{
    # shellcheck disable=SC2046 # file names of ours, to be split
    echo "$(cat $(src_patches) $(follow_up_patches) "$commits_dir"/*/*.patch | git hash-object --stdin) $(
        cat "$unit_tests_dir"/* | git hash-object --stdin) $(source_digest)"
}

# heads: those of all branches, in one word
heads()
{
    for stage in $stages
    do
        in_base rev-parse -q --verify "refs/heads/$stage" || :
    done | tr '\n' -
}

# src_hash BRANCH: what of src/ is in it, for figures to be told from older ones
src_hash()
{
    in_base rev-parse -q --verify "$1:src" | cut -c -12
}

# write_commits DIR: the commits of the base tree as files, as they are in this
# repository: DIR/start, DIR/series, DIR/follow-up; and DIR/commits/series and
# DIR/commits/follow-up, of the unit tests, without the C files
write_commits()
{
    format_commits "$1/start" -N --start-number=0 base..start      # 0000, for who puts all into one folder
    format_commits "$1/series" start..series
    format_commits "$1/commits/series" -N -p series..series-tests -- "*/Makefile.am" CMakeLists.txt
    ! has_branch follow-up-tests || {
        format_commits "$1/follow-up" series-tests..follow-up
        format_commits "$1/commits/follow-up" -N -p follow-up..follow-up-tests -- "*/Makefile.am" CMakeLists.txt
    }
}

format_commits()
{
    folder=$1
    shift
    mkdir -p "$folder"
    in_base format-patch -q --zero-commit --no-signature --abbrev=12 \
        --no-renames --diff-algorithm=myers -o "$folder" "$@"
}

# normalised FILE: without what depends on the base and the day alone: blobs, line
# numbers, what is above a hunk, the date, how many patches there are
normalised()
{
    sed 's/^index [0-9a-f.]*/index/; s/^@@ -[0-9]*,\([0-9]*\) +[0-9]*,\([0-9]*\) @@.*/@@ -\1 +\2 @@/; /^Date: /d; s/^Subject: \[PATCH [0-9/]*\]/Subject:/' "$1"
}

# same FILE FILE: whether they are, but for that
same()
{
    [ -e "$1" ] && [ -e "$2" ] && [ "$(normalised "$1")" = "$(normalised "$2")" ]
}

# c_files REVISION: the unit tests in it that the base has not: name and hash
c_files()
{
    in_base diff --raw --no-abbrev --no-renames --diff-filter=A base "$1" -- tests/unit_tests/openvpn |
        awk '{ sub(/.*\//, "", $6); print $6, $4 }'
}

# record_made_of HEADS MADE_OF: note in the base tree what it is made of, its heads,
# and its commits as they were then
record_made_of()
{
    rm -rf "$base_dir/.git/made"
    write_commits "$base_dir/.git/made"
    c_files "$(in_base rev-parse -q --verify follow-up-tests || echo series-tests)" > "$base_dir/.git/made/c_files"
    written | git hash-object --stdin > "$base_dir/.git/made/written"
    echo "$1 $2" > "$base_dir/.git/materialised"
}

# written: what 'make refresh' would write for this base, as it is now
written()
{
    for folder in $(refreshed)
    do
        [ ! -d "$top/$folder" ] || cat "$top/$folder"/*
    done
}

# refreshed: the folders it would write to
refreshed()
{
    [ ! "$base_first" ] || echo "patches/$base_first"
    echo "patches/$base_series"
    echo "patches/${base_line}follow-up"
    [ "$base_line" ] || echo tests/unit_tests/commits/series tests/unit_tests/commits/follow-up
}

# tests_checked_out: refuse a base tree that has another branch checked out
tests_checked_out()
{
    [ "$(in_base symbolic-ref -q --short HEAD)" = series-tests ] ||
        die "src/openvpn/$base has not the branch 'series-tests' checked out: git checkout series-tests"
    [ -z "$(in_base status --porcelain)" ] ||
        die "src/openvpn/$base has changes that are not committed"
}
