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

# The first base of the table
default_base=$(awk '!/^(#|$)/ { print $1; exit }' "$top/src/openvpn/bases")

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

# usage_for ARGUMENT...: if one of them asks for help, print standard input, and out
usage_for()
{
    for argument
    do
        case $argument in
        -h|--help) cat; exit 0 ;;
        esac
    done
}

# no_options ARGUMENT...: refuse one that begins with a dash
no_options()
{
    case ${1-} in
    -*) usage_error "unknown option '$1'" ;;
    esac
}

# make_scratch: a folder of this process, as $scratch, which goes with it
make_scratch()
{
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# table: src/openvpn/bases in lines of "name kind first series id version writer has";
# a - is gone there, so that a field is empty: they are separated by |
table()
{
    awk '!/^(#|$)/ { version = $1 ~ /^v/ ? substr($1, 2) : $5
        sub(/-.*/, "", version)
        if (!($4 in writer)) writer[$4] = $1
        first = $3 == "-" ? "" : $3
        print $1 "|" $2 "|" first "|" $4 "|" $5 "|" version "|" writer[$4] "|" $6 }' "$top/src/openvpn/bases"
}

# base_names: the names of all bases
base_names()
{
    table | awk -F'|' '{ printf "%s%s", sep, $1; sep = " " }'
}

# writers: the bases whose commits patches/ is written from, one for each series
writers()
{
    table | awk -F'|' '$1 == $7 { print $1 }'
}

# versions, versions_of SERIES: which OpenVPNs the series are for, as "2.6.3 to 2.6.19"
versions()
{
    versions_of ''
}

versions_of()
{
    table | awk -F'|' -v series="$1" 'series == "" || $4 == series { print $6 }' | sort -V |
        sed -n '1p; $p' | uniq | sed 'N; s/\n/ to /'
}

# find_row LINE-OF-TABLE: set $base_first, $base_series, $base_writer and $base_has. $base_line is
# what is ahead of series/ and follow-up/ in patches/: nothing, or a folder and a slash
find_row()
{
    IFS='|' read -r row_name row_kind base_first base_series row_id row_version base_writer base_has <<EOF
$1
EOF
    base_line=${base_series%series}
}

# find_version VERSION: as find_row, for OpenVPN of that version, and set $known to
# yes; or to older, later (than all in the table, and of the same branch: the row is
# that of the newest), or no. Nothing else compares versions.
find_version()
{
    known=yes
    row=$(table | awk -F'|' -v version="$1" '$6 == version { print; exit }')
    if [ ! "$row" ]
    then
        newest=$(table | sort -t '|' -k 6,6V | tail -n 1)
        branch=$(echo "$newest" | cut -d '|' -f 6 | sed 's/\.[^.]*$//')
        oldest=$({ echo "$1"; table | cut -d '|' -f 6; } | sort -V | head -n 1)
        case $oldest:$1 in
        "$1:$1"|*:"$branch"_*) known=older ;;
        *:"$branch".*) known=later row=$newest ;;
        *) known=no ;;
        esac
    fi
    find_row "$row"
}

# find_base NAME: set $base, $base_kind, $base_id, $base_dir and what find_row sets. A name
# with a slash in it is a tree or a tarball of the user's: kind own.
find_base()
{
    case $1 in
    */*) find_own_base "$1"; return ;;
    esac
    base=$1
    find_row "$(table | awk -F'|' -v name="$1" '$1 == name')"
    [ "$row_name" ] || usage_error "no base '$base'; there are: $(base_names)"
    base_kind=$row_kind
    base_id=$row_id
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
    find_version "$version"
    [ $known = yes ] || usage_error "'$1' is OpenVPN $version; the series are for $(versions)"
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

# apt_of FOLDER deb|deb-src SUITE: apt's state of that suite alone, in FOLDER, an
# absolute path; it is used with APT_CONFIG=FOLDER/apt.conf
apt_of()
{
    mkdir -p "$1/lists/partial" "$1/archives/partial"
    debian_sources "$2" "$3" > "$1/sources.list"
    [ -s "$1/sources.list" ] || die "apt knows no Debian mirror: run 'apt-get update', or set DEBIAN_MIRROR"
    cat > "$1/apt.conf" <<EOF
Dir::Etc::SourceList "$1/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$1/lists";
Dir::State::status "/dev/null";
Dir::Cache "$1";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
EOF
}

# fetch_package SUITE PACKAGE FILE: Debian's package of that suite, as FILE, an
# absolute path
fetch_package()
{
    rm -rf "$3.apt"
    apt_of "$3.apt" deb "$1"
    (
        cd "$3.apt"
        export APT_CONFIG="$3.apt/apt.conf"
        apt-get -qq update && apt-get -qq download "$2"
    ) > "$3.apt/log" 2>&1 ||
        die "cannot fetch $2 of $1: $(grep -m 1 '^E: ' "$3.apt/log" || tail -n 1 "$3.apt/log")"
    mv "$3.apt"/*.deb "$3"
    rm -rf "$3.apt"
}
