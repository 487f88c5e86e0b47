#!/bin/sh
# A sheet of sprites for a game: each on a clear background, in cells of one size.
#
#     sh examples/sprites.sh sprites/
#
# The sheet is sprites/sheet.png, four columns wide; sprites/manifest.jsonl says what is where.
set -eu
out=${1:-sprites/}
horde generate --matrix --prompts - --post strip_background --size "${SIZE:-512x512}" \
    --out "$out" --format png --grid "$out/sheet.png" --columns 4 <<PROMPTS
a {red|blue} rocket
a {golden|silver} key
a {cat|fox|dog|bear}
PROMPTS
