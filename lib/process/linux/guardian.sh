# Evaluated by a `sh` that has: the label of the mark in /proc/<pid>/limits, the pid of the agent (for whoever reads ps),
# the directories of the jobs' control groups. For dash, bash and busybox. The end of its input means that the agent is gone; then descriptor 3 tells which jobs
# were running, a line each: "+ <mark> <pid of its leader, or 0> <script file>" (others are to be skipped). Every
# process of theirs is killed: what bears the mark, what is in its control groups, what is of its session, and what
# descends from any of these. Then the groups are removed.
label=$1
shift 2
# One a line; no directory of a control group has a line feed in it.
bases=$(for base; do echo "$base"; done)
trap '' HUP INT TERM

while read -r _; do :; done

marks=' '
leaders=' '
while read -r state mark pid script; do
  [ "$state" = + ] || continue
  marks="$marks$mark "
  [ "$pid" = 0 ] || leaders="$leaders$pid "
  eval "script_$mark=\$script"
done <&3
exec 3<&-
[ "$marks" = ' ' ] && exit

# Sets `limit` to the process's mark or whatever else the limit is; read by the shell itself, it takes no time.
set -- $label
label_words=$#
read_limit() {
  limit=
  while read -r line; do
    case $line in
      "$label "*)
        set -- $line
        shift $label_words
        limit=$1
        return
        ;;
    esac
  done < "/proc/$1/limits"
}

# Prints the directory of each control group of a job that is there.
list_groups() {
  for mark in $marks; do
    while read -r base; do
      [ -n "$base" ] && [ -d "$base/job-$mark" ] && echo "$base/job-$mark"
    done <<BASES
$bases
BASES
  done
}

# Prints the pids of all that bear one of the marks, or are in a group of one, zombies too.
find_marked() {
  list_groups | while read -r group; do cat "$group/cgroup.procs"; done 2> /dev/null
  for limits in $(grep -lsE "^$label +($any) " /proc/[0-9]*/limits); do
    pid=${limits#/proc/}
    echo "${pid%/limits}"
  done
}

# Those that bear a mark were looked at a moment ago; of the others each is looked at again: it must bear none.
signal_all() {
  [ -z "$marked" ] || kill -s "$1" $marked
  for pid in $related; do
    read_limit "$pid"
    [ "${#limit}" -ne 16 ] && kill -s "$1" "$pid"
  done
}

# Prints "pid state parent session threads" of every process; a command's name may hold anything but a newline.
list() {
  cat /proc/[0-9]*/stat |
    sed -n 's/^\([0-9]*\) (.*) \(.\) \([0-9]*\) [0-9-]* \([0-9-]*\)\( [0-9-]*\)\{13\} \([0-9]*\) .*/\1 \2 \3 \4 \6/p'
}

# Reads the marked and the leaders, a line each, then what list prints. Prints "m <pid>" for each living process that is
# marked, "r <pid>" for each that is not, but is of a leader's session or descends from one of all these.
relate() {
  awk -v self=$$ '
    NR == 1 { for (i = 1; i <= NF; i++) marked[$i] = 1; next }
    NR == 2 { for (i = 1; i <= NF; i++) leader[$i] = 1; next }
    # One whose first thread has ended looks like a zombie, and lives.
    $2 == "Z" && $5 <= 1 || $1 == self { next }
    {
      if ($1 in marked) print "m", $1
      else if ($4 in leader) print "r", $1
      if ($1 in marked || $4 in leader) { found[$1] = 1; queue[++last] = $1 }
      children[$3] = children[$3] " " $1
    }
    END {
      for (first = 1; first <= last; first++) {
        count = split(children[queue[first]], of, " ")
        for (i = 1; i <= count; i++) if (!(of[i] in found)) {
          found[of[i]] = 1
          queue[++last] = of[i]
          print "r", of[i]
        }
      }
    }'
}

any=$(echo $marks | tr ' ' '|')
rounds=0
empty=0
stopped=
# Files vanish under the search, so what counts is what is found; two rounds that find nothing are the end.
while [ $empty -lt 2 ] && [ $rounds -lt 100 ]; do
  rounds=$((rounds + 1))
  empty=$((empty + 1))
  [ $rounds -gt 20 ] && sleep 1
  marked=$(find_marked)
  # First all are stopped, until a round finds no new one: what has no mark is only found through its parents.
  related=
  signal_all STOP
  found=$({ echo $marked; echo $leaders; list; } | relate)
  marked=
  while read -r kind pid; do
    case $kind in
      m) marked="$marked $pid" ;;
      r) related="$related $pid" ;;
    esac
  done <<FOUND
$found
FOUND
  [ -z "$marked$related" ] && continue
  empty=0
  if [ "$marked,$related" = "$stopped" ]; then
    signal_all KILL
    stopped=
  else
    stopped="$marked,$related"
    marked=
    signal_all STOP
  fi
done

for mark in $marks; do
  eval "script=\$script_$mark"
  [ -n "$script" ] && rm -f -- "$script"
done

# A process that was killed is in its group until its parent has reaped it. What is not empty then stays for the next agent.
tries=0
while [ $tries -lt 10 ] && [ -n "$(list_groups)" ]; do
  [ $tries -gt 0 ] && sleep 1
  tries=$((tries + 1))
  list_groups | while read -r group; do rmdir "$group"; done
done
while read -r base; do
  # The next agent makes it again; but not what version 2 needs in `jobs`, which it has made ready already.
  case $base in */newdt-auto*) rmdir "$base" ;; esac
done <<BASES
$bases
BASES
