# Run by a `sh` that is the job's process already, with the agent's own rights and an environment of the agent's making.
# Its standard error is a pipe to the agent: what it writes there is why the job cannot be started. Arguments: the
# cgroup.procs of each group to join; `--`; what the process is to become next.
while [ "$1" != -- ]; do
  echo 0 > "$1" || exit 125
  shift
done
shift
exec "$@"
