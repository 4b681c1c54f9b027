#!/usr/bin/env bash
# Runs a Linux x86-64 program on an emulated machine that has AVX-512, for hosts that have none:
#
#   scripts/emulate_avx512.sh PROGRAM [ARG...]
#
# Bochs boots a Debian kernel whose initial RAM disk holds PROGRAM and the shared libraries ldd names, nothing else.
# Output goes to standard output (the program's two streams arrive as one), notes of this script to standard error,
# and the program's exit status is the script's own. Variables ADASS_* reach the program; other files do not.
#
# The host needs the packages bochs, bochs-term and xorriso. The kernel, a shell and the boot loader are downloaded
# once and unpacked into the cache, without installing them.
#
#   ADASS_EMULATE_SECONDS  limit of a run, boot included (900)
#   ADASS_EMULATE_CACHE    the cache folder (${XDG_CACHE_HOME:-~/.cache}/adass/avx512)
#
# Status 2: the machine cannot be set up; 3: it ended without the program's status; 124: the time limit passed.
# The emulated clock is no measure of speed: it runs many times slower than the host's.
set -euo pipefail

# AVX-512 F, CD, BW, DQ and VL, and none of the later extensions.
readonly model=corei7_skylake_x
readonly limit=${ADASS_EMULATE_SECONDS:-900}
readonly cache=${ADASS_EMULATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/adass/avx512}
readonly boot=$cache/boot

note() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
fail() { note "$@"; exit 2; }

check_host() {
    local tool
    for tool in bochs xorriso script flock ldd; do
        command -v "$tool" >/dev/null || fail "$tool is missing: scripts/setup.sh --emulators"
    done
    local models
    models=$(bochs --help cpu 2>&1) || true
    grep -qx "$model" <<<"$models" ||
        fail "this bochs has no CPU model $model: version 2.7 or later, built with AVX-512, is needed"
}

check_arguments() {
    (($# > 0)) || fail "usage: ${0##*/} PROGRAM [ARG...]"
    [[ -f $1 && -x $1 ]] || fail "$1 is not a program: build it first"
    [[ $limit =~ ^[1-9][0-9]*$ ]] || fail "ADASS_EMULATE_SECONDS is '$limit': give a whole number of seconds"
}

# The kernel, busybox and the boot loader, from the distribution's packages into $boot. Once for all runs.
fetch_boot() {
    mkdir -p "$cache" || fail "cannot create $cache: set ADASS_EMULATE_CACHE to a folder that can be written"
    local lock
    exec {lock}>"$cache/lock"
    flock "$lock"
    [[ -d $boot ]] || unpack_boot
    exec {lock}>&-
}

unpack_boot() {
    local tool kernel new=$cache/new
    for tool in apt-get apt-cache dpkg-deb; do
        command -v "$tool" >/dev/null || fail "$tool is missing: the kernel is taken from Debian's packages"
    done
    # The cloud kernel has fewer drivers than the general one and so boots sooner.
    kernel=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }')
    [[ $kernel ]] || fail "no package linux-image-cloud-amd64: run apt-get update (as root), with Debian's main archive"

    note "downloading $kernel, busybox-static, isolinux and syslinux-common into $cache"
    rm -rf "$new"
    mkdir -p "$new/boot"
    # As root apt would download as another user, who cannot write here.
    (cd "$new" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download \
        "$kernel" busybox-static isolinux syslinux-common >&2) ||
        fail "apt-get download failed: run apt-get update (as root) and try again"
    local package
    for package in "$new"/*.deb; do
        dpkg-deb -x "$package" "$new/root"
    done
    cp "$new"/root/boot/vmlinuz-* "$new/boot/linux"
    cp "$new/root/bin/busybox" "$new/root/usr/lib/ISOLINUX/isolinux.bin" \
        "$new/root/usr/lib/syslinux/modules/bios/ldlinux.c32" "$new/boot"
    mv "$new/boot" "$boot"
    rm -rf "$new"
}

# Every argument as one word of a POSIX shell.
quote() {
    local word
    for word in "$@"; do
        printf "'%s' " "${word//\'/\'\\\'\'}"
    done
}

# The files of a program's shared libraries, its loader among them; nothing for a static program.
libraries() {
    local list
    list=$(ldd "$1" 2>/dev/null) || return 0
    if [[ $list == *"not found"* ]]; then
        fail "$1 lacks shared libraries:" $(awk '/not found/ { print $1 }' <<<"$list") "- install them or set LD_LIBRARY_PATH"
    fi
    awk '$2 == "=>" && $3 ~ /^\// { print $3; next } $1 ~ /^\// { print $1 }' <<<"$list"
}

# $work/initrd: the program at its own path, its libraries at theirs, and an init that runs it in the same folder.
make_initrd() {
    local root=$work/root program library list folders='' environment=() name
    program=$(realpath "$1")
    shift
    mkdir -p "$root"/{bin,dev,proc,sys} "$root$PWD"
    mkdir -p -m 1777 "$root/tmp"
    install "$boot/busybox" "$root/bin/busybox"
    ln -s busybox "$root/bin/sh"
    install -D "$program" "$root$program"
    list=$(libraries "$program")
    for library in $list; do
        install -D "$library" "$root$library"
        [[ :$folders: == *":${library%/*}:"* ]] || folders+=${folders:+:}${library%/*}
    done
    for name in $(compgen -e ADASS_ || true); do
        environment+=("$name=${!name}")
    done

    # XSAVEC off: lazy binding saves vector registers with it, and Bochs 2.7 then refuses its own image (see below).
    cat >"$root/init" <<INIT
#!/bin/sh
busybox mount -t devtmpfs none /dev
busybox mount -t proc none /proc
busybox mount -t sysfs none /sys
busybox mkdir -m 1777 /dev/shm
busybox mount -t tmpfs none /dev/shm
exec </dev/null >/dev/ttyS0 2>&1
busybox stty -opost </dev/ttyS0
cd $(quote "$PWD")
echo $mark start
busybox env -i PATH=/bin HOME=/tmp LD_LIBRARY_PATH=$(quote "$folders") \\
    GLIBC_TUNABLES=glibc.cpu.hwcaps=-XSAVEC $(quote "${environment[@]}" "$program" "$@")
echo $mark status \$?
while :; do busybox sleep 1000; done
INIT
    chmod +x "$root/init"
    (cd "$root" && find . | "$boot/busybox" cpio -o -H newc) >"$work/initrd" 2>"$work/cpio.log" ||
        fail "no initial RAM disk: $(tail -n 1 "$work/cpio.log")"
}

make_medium() {
    local options=(
        console=ttyS0,115200 quiet loglevel=1   # panics only
        nokaslr mitigations=off                 # nothing to protect here
        cryptomgr.notests                       # half of the boot otherwise
        tsc=reliable
        # Bochs 2.7 reports the size of a compacted save area wrongly, whereupon the kernel gives up all of AVX.
        noxsaves clearcpuid=xsavec
        # A panic resets by triple fault, which ends Bochs instead of starting over.
        panic=-1 reboot=t
    )
    cat >"$work/isolinux.cfg" <<CONFIG
DEFAULT linux
APPEND initrd=initrd ${options[*]}
PROMPT 0
CONFIG
    xorriso -as mkisofs -quiet -o "$work/boot.iso" -b isolinux.bin -c boot.cat \
        -no-emul-boot -boot-load-size 4 -boot-info-table -graft-points \
        "initrd=$work/initrd" "isolinux.cfg=$work/isolinux.cfg" "linux=$boot/linux" \
        "isolinux.bin=$boot/isolinux.bin" "ldlinux.c32=$boot/ldlinux.c32" >"$work/iso.log" 2>&1 ||
        fail "xorriso made no boot medium: $(tail -n 1 "$work/iso.log")"
}

make_machine() {
    # ips ties the emulated clock to instructions executed. Low: a byte on the serial line costs few of them.
    cat >"$work/bochsrc" <<CONFIG
config_interface: textconfig
display_library: term
cpu: model=$model, count=1, ips=20000000, reset_on_triple_fault=0
memory: guest=1024, host=1024
romimage: file=\$BXSHARE/BIOS-bochs-latest
vgaromimage: file=\$BXSHARE/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$work/boot.iso, status=inserted
boot: cdrom
clock: sync=none
sound: driver=dummy
com1: enabled=1, mode=file, dev=/dev/tty
log: $work/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
CONFIG
}

# The machine's serial line as standard output. Bochs writes it through a buffer, flushed at the end of a line only
# for a terminal: hence the pseudo-terminal of script, with the screen of the machine sent elsewhere.
run_machine() {
    # c: a Bochs built with its debugger waits for this command. The CPU limit ends a machine this script lost.
    # shellcheck disable=SC2016
    env work="$work" limit="$limit" SHELL=/bin/sh TERM=vt100 script -qefc '
        stty -opost
        ulimit -t "$limit"
        echo $$ >"$work/pid"
        echo c >"$work/commands"
        exec bochs -q -f "$work/bochsrc" <"$work/commands" >"$work/screen" 2>"$work/bochs.err"
    ' /dev/null </dev/null
}

stop_machine() {
    # Bochs survives SIGTERM.
    if [[ -s $work/pid ]]; then
        kill -KILL "$(<"$work/pid")" 2>/dev/null || true
    fi
}

clean_up() {
    stop_machine
    rm -rf "$work"
}

# Copies the program's lines from the machine to standard output until its status comes; exits with that.
follow() {
    local line started='' result
    exec 3< <(run_machine)
    while true; do
        result=0
        IFS= read -r -t "$((limit > SECONDS ? limit - SECONDS : 1))" -u 3 line || result=$?
        if ((result > 128)); then
            [[ ! $started ]] || printf '%s' "$line"
            note "stopped after $limit s: a longer limit is ADASS_EMULATE_SECONDS=..."
            exit 124
        elif [[ $line == *"$mark status "* ]]; then
            printf '%s' "${line%"$mark status "*}"
            note "status ${line##* }; boot $started s, program $((SECONDS - started)) s"
            exit "${line##* }"
        elif [[ $line == *"$mark start"* ]]; then
            started=$SECONDS
        elif ((result > 0)); then
            [[ ! $started ]] || printf '%s' "$line"
            machine_ended
        elif [[ $started ]]; then
            printf '%s\n' "$line"
        else
            printf '%s\n' "$line" >>"$work/boot.log"
        fi
    done
}

machine_ended() {
    note "the machine ended without the program's status; its last words:"
    tail -n 5 "$work"/{boot.log,screen,bochs.err} >&2 2>/dev/null || true
    grep '>>PANIC<<' "$work/bochs.log" "$work/bochs.err" >&2 2>/dev/null || true
    note "if a plugin was not found: scripts/setup.sh --emulators"
    exit 3
}

check_arguments "$@"
check_host
fetch_boot

work=$(mktemp -d)
# A line no program prints by chance.
mark=adass-emulated-$$-$RANDOM$RANDOM
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

make_initrd "$@"
make_medium
make_machine
SECONDS=0
follow
