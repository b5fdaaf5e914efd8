#!/bin/sh
# Runs the Node that `npm ci` installed, else (on macOS) the machine's own. It should be node_modules/.bin/node,
# but npm before 11.6 removes that link again along with the package for the other processor.
# What Node has compiled once it keeps beside it, if it may: that saves a third of a start, and a quarter of its memory.
modules=${0%/*}/../node_modules
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE-$modules/.cache/newdt-auto}"
# By default V8 lets what is young grow to 100 MB and more before it looks at it, on a machine with much memory.
set -- --max-semi-space-size=4 "$@"
for node in "$modules"/node-linux-*/bin/node; do
  [ -x "$node" ] && exec "$node" "$@"
done
exec node "$@"
