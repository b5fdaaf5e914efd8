#!/bin/sh
# Runs the Node that `npm ci` installed, else (on macOS) the machine's own. It should be node_modules/.bin/node,
# but npm before 11.6 removes that link again along with the package for the other processor.
# What Node has compiled once it keeps beside it, if it may: that saves a third of a start, and a quarter of its memory.
modules=${0%/*}/../node_modules
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE-$modules/.cache/newdt-auto}"
# V8 is made for programs that work without a pause, and lets their memory grow for it; the agent works for a moment
# at a time. So what is young may have 4 MB, and what is old is looked at whenever it has grown by a fifth. What runs
# often is compiled once, and well, after a hundred calls instead of three thousand, with no compiler in between
# whose work would only stay in memory. One thread helps with both: more would take the processors from the jobs.
for node in "$modules"/node-linux-*/bin/node; do
  # The names are those of the V8 in this very version of Node.
  [ -x "$node" ] && exec "$node" --disable-sigusr1 --max-semi-space-size=4 --heap-growing-percent=20 --v8-pool-size=1 \
    --no-maglev --invocation-count-for-turbofan=100 "$@"
done
exec node --disable-sigusr1 --max-semi-space-size=4 "$@"
