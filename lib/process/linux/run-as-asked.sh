# Run by a `sh` that is the job's process already, as the job's user and in its groups, before it becomes the job's
# program. Its standard error is a pipe to the agent: the line `ready` says that the program comes next, anything else is
# why the job cannot be started. Descriptor 3 is the job's own standard error.
#
# Arguments: the numbers of the variables _<number>, each of which holds `NAME=value` for the job (they get their names
# only here, where they can do no more than the job itself, and nothing to what comes before); the directory to enter, and
# another one should that fail, each "" for none; the directory that this one must be, or ""; the script, or ""; the
# program and its arguments. A name of the program without a slash is looked for in PATH.

fail() {
  printf '%s\n' "$1" >&2
  exit 125
}

variables=$1 directory=$2 otherwise=$3 here=$4 script=$5
shift 5

if [ -n "$here" ]; then
  [ "$here" -ef . ] && cd -P . || fail "chdir $here: permission denied"
elif [ -n "$directory" ]; then
  cd -P -- "$directory" 2> /dev/null || { [ -n "$otherwise" ] && cd -P -- "$otherwise"; } || {
    # No program is run for this: there may be no process left for it.
    nearest=$directory
    while [ ! -e "$nearest" ] && [ -n "$nearest" ]; do nearest=${nearest%/*}; done
    if [ "$nearest" = "$directory" ]; then
      [ -d "$directory" ] && fail "chdir $directory: permission denied"
      fail "chdir $directory: not a directory"
    fi
    [ -d "${nearest:-/}" ] || fail "chdir $directory: not a directory"
    [ -x "${nearest:-/}" ] || fail "chdir $directory: permission denied"
    fail "chdir $directory: no such file or directory"
  }
fi
# Where the agent was is nobody's business.
unset OLDPWD
# Looked for here, where only what the user may execute is found.
case $1 in
  */*) ;;
  *)
    set -f
    IFS=:
    for place in $PATH; do
      [ -f "$place/$1" ] && [ -x "$place/$1" ] && break
      place=
    done
    set +f
    unset IFS
    [ -n "$place" ] || fail "exec: \"$1\": executable file not found in \$PATH"
    program=$place/$1
    shift
    set -- "$program" "$@"
    ;;
esac
[ -x "$1" ] || fail "fork/exec $1: permission denied"
[ -z "$script" ] || [ -r "$script" ] || fail "open $script: permission denied"

# What a shell thinks of a variable (a locale that is not installed) is not for the agent.
exec 4>&2 2> /dev/null
# It was for the words of the system.
unset LC_ALL
# A name that no request may set: what it sets becomes a variable of this shell.
for NEWDT_AUTO_NUMBER in $variables; do
  eval "export \"\$_$NEWDT_AUTO_NUMBER\"" || fail "env: a variable that the shell does not take" 2>&4
  unset "_$NEWDT_AUTO_NUMBER"
done
echo ready >&4
exec 2>&3 3>&- 4>&-
exec "$@"
