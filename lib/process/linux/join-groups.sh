# Run by a `sh` that is the job's process already, with the agent's own rights. Arguments: the cgroup.procs of each group
# to join; `--`; what the process is to become next.
while [ "$1" != -- ]; do
  echo 0 > "$1" || exit 125
  shift
done
shift
exec "$@"
