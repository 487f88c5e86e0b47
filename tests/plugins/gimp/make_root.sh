#!/bin/bash
# make_root.sh DIR: make a Debian trixie root with GIMP 3 in it, for the tests of the plug-in.
# Needs root, mmdebstrap and a Debian mirror; takes about 4 minutes and 700 MB. What is half made is not kept.
set -euo pipefail
root=$1
packages=gimp,python3-gi,xvfb,xdotool,openbox
[ -e "$root/made" ] && [ "$(cat "$root/made")" = "$packages" ] && exit 0
[ "$(id -u)" = 0 ] || { echo "Making a Debian root needs root's rights." >&2; exit 1; }
command -v mmdebstrap >/dev/null || { echo "mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 1; }
echo "Making a Debian root with GIMP 3 in $root (about 4 minutes, once)." >&2
rm -rf --one-file-system "$root.part" "$root"
mkdir -p "$(dirname "$root")"
# In a mount namespace of its own, whatever is mounted meanwhile is gone afterwards, however this ends.
unshare --mount --propagation private mmdebstrap --quiet --mode=root --variant=apt --include="$packages" \
  --aptopt='Apt::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' trixie "$root.part"
# GIMP asks each of its plug-ins once what it can do, and remembers it: half a minute that no test then needs.
mkdir "$root.part/first"
unshare --mount --propagation private "$(dirname "$0")/in_root.sh" "$root.part" "$root.part/first" \
  gimp-console-3.0 --no-interface --no-data --no-fonts --quit >/dev/null 2>&1 </dev/null
mkdir "$root.part/profile"
mv "$root.part/first/profile/pluginrc" "$root.part/profile"
rm -rf --one-file-system "$root.part/first"
echo "$packages" >"$root.part/made"
mv "$root.part" "$root"
