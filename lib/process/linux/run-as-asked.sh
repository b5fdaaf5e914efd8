# Run by a `sh` that is the job's process already, before it becomes the job's program. Its standard error is a pipe to
# the agent: what it writes there is why the job cannot be started. Descriptor 3 is the job's own standard error.
#
# Arguments: the numbers of the variables NEWDT_AUTO_SETUP_<number>, each of which holds `NAME=value` for the job (they get
# their names only here, where they can do no more than the job itself); the directory to enter, and another one should
# that fail, each "" for none; the directory that this one must be, or ""; the script, or ""; the cgroup.procs of each
# group to join; `--`; the program and its arguments.

fail() {
  printf '%s\n' "$1" >&2
  exit 125
}

variables=$1 directory=$2 otherwise=$3 here=$4 script=$5
shift 5
while [ "$1" != -- ]; do
  echo 0 > "$1" || exit 125
  shift
done
shift

if [ -n "$here" ]; then
  [ "$here" -ef . ] && cd -P . || fail "chdir $here: permission denied"
elif [ -n "$directory" ]; then
  cd -P -- "$directory" 2> /dev/null || { [ -n "$otherwise" ] && cd -P -- "$otherwise"; } || {
    why=$(LC_ALL=C ls -d -- "$directory/." 2>&1)
    case $why in
      ls:*) fail "chdir $directory: ${why##*: }" ;;
      *) fail "chdir $directory: Permission denied" ;;
    esac
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

# Names that no request may set: what it sets becomes a variable of this shell.
for NEWDT_AUTO_NUMBER in $variables; do
  eval "set -- \"\$NEWDT_AUTO_SETUP_$NEWDT_AUTO_NUMBER\" \"\$@\"; unset NEWDT_AUTO_SETUP_$NEWDT_AUTO_NUMBER"
  export "$1" || exit 125
  shift
done
exec 2>&3 3>&-
exec "$@"
