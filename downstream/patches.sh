# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2154 # $base_first and the like: from find_version
#
# What the commands of downstream/ share: which patches a version takes, and their
# names there. To be sourced, after dev-tools/lib.sh.

: "${top:?}"
. "$top/dev-tools/commits.sh"

# parse_options "$@": set $follow_up to yes for --follow-up, and $left to how many
# arguments are left; usage() is the caller's
parse_options()
{
    case $top in
    *[[:space:]]*) die "the path of this checkout has a space in it: $top" ;;
    esac
    follow_up=
    left=$#
    while [ $# -gt 0 ]
    do
        case $1 in
        -h|--help) usage; exit 0 ;;
        --follow-up) follow_up=yes ;;
        -*) usage_error "unknown option '$1'" ;;
        *) break ;;
        esac
        shift
        # shellcheck disable=SC2034 # for the caller
        left=$#
    done
}

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

# copy_patches FOLDER FORMAT [FIRST]: copy them there, by these names
copy_patches()
{
    folder=$1
    shift
    names "$@" | while read -r patch name
    do
        cp "$patch" "$folder/$name"
    done
}

# new_folder FOLDER: make it; nothing is overwritten
new_folder()
{
    [ ! -e "$1" ] || die "'$1' exists already"
    mkdir -p "$1" 2>/dev/null || die "cannot make '$1'"
}
