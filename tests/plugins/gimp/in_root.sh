#!/bin/bash
# in_root.sh ROOT WORK COMMAND...: run a command in the Debian root, with WORK as /home/gimp and as its home.
# Called through `unshare --mount --propagation private`: the mounts vanish with the process.
set -euo pipefail
root=$1 work=$2
shift 2
mkdir -p "$root/home/gimp" "$work/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$work" "$root/home/gimp"
mount --bind "$work/tmp" "$root/tmp"
exec chroot "$root" env -i HOME=/home/gimp PATH=/usr/bin:/bin LC_ALL="${LC_ALL:-C.UTF-8}" LANGUAGE="${LANGUAGE:-}" \
  XDG_RUNTIME_DIR=/tmp GIMP3_DIRECTORY=/home/gimp/profile NO_AT_BRIDGE=1 DISPLAY="${DISPLAY:-}" "$@"
