#!/bin/bash
# windowed.sh: GIMP with its windows on a screen of its own. Runs inside the Debian root; everything ends with it.
set -eu
exec 3<>/home/gimp/display
Xvfb -displayfd 3 -screen 0 1200x800x24 -nolisten tcp &
until [ -s /home/gimp/display ]; do sleep 0.05; done
DISPLAY=:$(head -1 /home/gimp/display)
export DISPLAY
openbox &
exec gimp-3.0 --no-data --no-splash --new-instance
