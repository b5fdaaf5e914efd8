#!/bin/sh
# Runs the Node that npm has installed, else (on macOS) the machine's own. It should be node_modules/.bin/node,
# but npm before 11.6 removes that link again along with the package for the other processor.
# It is looked for where Node would: in the program's own node_modules, then, when the program is itself a package in
# a node_modules, beside it, and in each node_modules further up. Of the path as it is given, without a `cd`.
here=${0%/*}
find_node() {
  modules=$here/../node_modules above=$here
  while :; do
    for node in "$modules"/node-linux-*/bin/node; do
      [ -x "$node" ] && return
    done
    case $above in
    */node_modules/*) above=${above%/node_modules/*} modules=$above/node_modules ;;
    *) break ;;
    esac
  done
  modules=$here/../node_modules node=
}
case $here in
/*) ;;
*) here=$PWD/$here ;;
esac
find_node
# What Node has compiled once it keeps beside it, if it may: that saves a third of a start, and a quarter of its memory.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE-$modules/.cache/newdt-auto}"
# What newdt does is over before any of the options below has paid: it takes a third more time with them.
case $1 in
*/cli/main.*) exec "${node:-node}" --disable-sigusr1 "$@" ;;
esac
# V8 is made for programs that work without a pause, and lets their memory grow for it; the agent works for a moment
# at a time. So what is young may have 4 MB, and what is old is looked at whenever it has grown by a fifth. What runs
# often is compiled once, and well, after a hundred calls instead of three thousand, with no compiler in between
# whose work would only stay in memory. One thread helps with both: more would take the processors from the jobs.
# Nothing is made old at once: V8 does so where much has survived, and what one job leaves would keep what the next
# makes.
# The names are those of the V8 in the very version of Node that is installed.
[ "$node" ] && exec "$node" --disable-sigusr1 --max-semi-space-size=4 --heap-growing-percent=20 --v8-pool-size=1 \
  --no-maglev --invocation-count-for-turbofan=100 --no-allocation-site-pretenuring "$@"
exec node --disable-sigusr1 --max-semi-space-size=4 "$@"
