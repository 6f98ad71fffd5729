# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# shellcheck disable=SC2034 # variables for who sources this file
#
# What the scripts of this repository share. To be sourced, with $top set to
# the top of the repository.

: "${top:?}"

# What others' environment may say is not meant for us: messages are read here,
# and git is told which repository
export LC_ALL=C
unset CDPATH
# shellcheck disable=SC2046 # names, to be split
unset $(git rev-parse --local-env-vars 2>/dev/null)

# Upstream's repository, where the release tags come from
: "${OPENVPN_GIT:=https://github.com/OpenVPN/openvpn.git}"

# The bases whose commits patches/ is written from: all but patches/2.6.20, and that
default_base=trixie
line_base=v2.6.22

# die MESSAGE...: one line on standard error, and out
die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# usage_error MESSAGE...: as die(), for a command line that makes no sense
usage_error()
{
    printf '%s: %s; see %s --help\n' "${0##*/}" "$*" "${0##*/}" >&2
    exit 2
}

# say MESSAGE...: progress
say()
{
    printf '%s: %s\n' "${0##*/}" "$*"
}

# base_names: the names of all bases
base_names()
{
    awk '!/^(#|$)/ { printf "%s%s", sep, $1; sep = " " }' "$top/src/openvpn/bases"
}

# find_base NAME: set $base_given, which is NAME, $base, $base_kind, $base_first,
# $base_series, $base_line, $base_id and $base_dir. $base_line is what is ahead of
# series/, follow-up/ and tests/ in patches/: nothing, or 2.6.20/. A name with a
# slash in it is a tree or a tarball of the user's: kind own.
find_base()
{
    base_given=$1
    case $1 in
    */*) find_own_base "$1"; return ;;
    esac
    base=$1
    # shellcheck disable=SC2046 # four words, to be split
    set -- $(awk -v name="$1" '$1 == name { print $2, $3, $4, $5 }' "$top/src/openvpn/bases")
    [ $# -eq 4 ] || usage_error "no base '$base'; there are: $(base_names)"
    base_kind=$1
    base_first=$2
    base_series=$3
    base_line=${base_series%series}
    base_id=$4
    base_dir=$top/src/openvpn/$base
}

find_own_base()
{
    base_kind=own
    base_id=$(readlink -f -- "$1" || :)
    base=own-$(basename -- "$base_id" | sed 's/\.tar\..*//; s/\.tgz$//; s/[^A-Za-z0-9._-]/_/g')-$(
        printf %s "$base_id" | git hash-object --stdin | cut -c -7)
    base_dir=$top/src/openvpn/$base
    if [ -d "$1" ]
    then
        version=$(version_in "$1/version.m4" 2>/dev/null || :)
    else
        version=$(tar -xOf "$1" --wildcards '*/version.m4' 2>/dev/null | version_in - || :)
    fi
    [ "$version" ] || usage_error "'$1' is neither an OpenVPN tree nor a tarball of one"
    base_series=$(series_for "$version")
    [ "$base_series" ] || usage_error "'$1' is OpenVPN $version; the series are for 2.6.3 to 2.6.22"
    base_line=${base_series%series}
    base_first=$(first_for "$version")
    : "${base_first:=-}"
}

# in_base COMMAND...: run git in the base tree, whatever the user has configured
in_base()
{
    : "${git_name:=$(git -C "$top" config user.name || echo "OpenVPN DCO series")}"
    : "${git_email:=$(git -C "$top" config user.email || echo "series@localhost")}"
    GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null \
        git -C "$base_dir" -c safe.directory='*' -c user.name="$git_name" -c user.email="$git_email" "$@"
}

# has_branch NAME: whether the base tree has it: not all that goes on top of the
# series applies to each base
has_branch()
{
    in_base rev-parse -q --verify "$1" > /dev/null
}

# version_in FILE: the version that a tree's version.m4 defines, as 2.6.14
version_in()
{
    awk -F'[][]' '/^define\(\[PRODUCT_TARNAME\]/ { tarname = $4 }
        /^define\(\[PRODUCT_VERSION_(MAJOR|MINOR|PATCH)\]/ { part[substr($2, 17)] = $4 }
        END { if (tarname == "openvpn") print part["MAJOR"] "." part["MINOR"] part["PATCH"] }' "$1"
}

# first_for VERSION: the folder of patches/ that goes ahead of patches/series there,
# - if there is none, or nothing if patches/series is not for that version
first_for()
{
    case $1 in
    2.6.[3-9]|2.6.1[0-7]) echo up-to-2.6.17 ;;
    2.6.1[89]) echo - ;;
    esac
}

# series_for VERSION: the folder of patches/ that has the series for it, or nothing
series_for()
{
    case $1 in
    2.6.2[0-2]) echo 2.6.20/series ;;
    *) [ ! "$(first_for "$1")" ] || echo series ;;
    esac
}

# first_patches FIRST: the files of that folder
first_patches()
{
    [ "$1" = - ] || printf '%s\n' "$top/patches/$1"/*.patch
}

# series_patches FIRST [SERIES]: these, and those of the series
series_patches()
{
    first_patches "$1"
    printf '%s\n' "$top/patches/${2-series}"/*.patch
}

# test_patches LINE TREE: the unit tests of the series, for a tree
test_patches()
{
    printf '%s\n' "$top"/patches/tests/series/*.patch
    [ ! "$1" ] || printf '%s\n' "$top/patches/$1tests"/*.patch
    # CMakeLists.txt came with 2.6.7
    [ ! -e "$2/CMakeLists.txt" ] || printf '%s\n' "$top"/patches/tests/cmake/*.patch
}

# follow_up_patches LINE: the follow-ups
follow_up_patches()
{
    printf '%s\n' "$top/patches/$1follow-up"/*.patch
}

# follow_up_test_patches: their unit tests, on each line the same
follow_up_test_patches()
{
    printf '%s\n' "$top"/patches/tests/follow-up/*.patch
}

# debian_sources deb|deb-src SUITE: the entries of SUITE for a sources.list,
# from the mirrors that apt knows on this machine, or DEBIAN_MIRROR
debian_sources()
{
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -e "$keyring" ] || die "no $keyring (package debian-archive-keyring)"
    {
        if [ "${DEBIAN_MIRROR-}" ]
        then
            echo "$DEBIAN_MIRROR Debian"
        else
            # shellcheck disable=SC2016 # apt's own variables
            apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' |
                sort -u
        fi
    } | while read -r uri label
    do
        case $label in
        Debian) echo "$1 [signed-by=$keyring] $uri $2 main" ;;
        Debian-Security) echo "$1 [signed-by=$keyring] $uri $2-security main" ;;
        esac
    done
}

# tests_checked_out: refuse a base tree that has another branch checked out
tests_checked_out()
{
    [ "$(in_base symbolic-ref -q --short HEAD)" = series-tests ] ||
        die "src/openvpn/$base has not the branch 'series-tests' checked out: git checkout series-tests"
    [ -z "$(in_base status --porcelain)" ] ||
        die "src/openvpn/$base has changes that are not committed"
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

# made_of: what the base tree is made of, in two words: the patches, and the
# sources
made_of()
{
    echo "$({
        # shellcheck disable=SC2046 # file names of ours, to be split
        cat $(series_patches "$base_first" "$base_series") $(test_patches "$base_line" "$base_dir") \
            $(follow_up_patches "$base_line") $(follow_up_test_patches)
    } | git hash-object --stdin) $(source_digest)"
}

# heads: those of all branches, in one word
heads()
{
    for branch in series series-tests follow-up follow-up-tests
    do
        in_base rev-parse -q --verify $branch || :
    done | tr '\n' -
}

# record_made_of: note it in the base tree, and the heads
record_made_of()
{
    echo "$(heads) $(made_of)" > "$base_dir/.git/materialised"
}
