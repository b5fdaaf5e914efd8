#!/bin/sh
# Runs the Node that `npm ci` installed, else (on macOS) the machine's own. It should be node_modules/.bin/node,
# but npm before 11.6 removes that link again along with the package for the other processor.
for node in "${0%/*}"/../node_modules/node-linux-*/bin/node; do
  [ -x "$node" ] && exec "$node" "$@"
done
exec node "$@"
