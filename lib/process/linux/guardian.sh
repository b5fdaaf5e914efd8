# Evaluated by a `sh` that has: the label of the mark in /proc/<pid>/limits, the pid of the agent (for whoever reads ps).
# For dash, bash and busybox. The end of its input means that the agent is gone; then descriptor 3 tells which jobs
# were running, a line each: "+ <mark> <pid of its leader, or 0> <script file>" (others are to be skipped). Every
# process of theirs is killed: what bears the mark, what is of its session, and what descends from either.
label=$1
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

# Whether a process may be signaled: it bears one of the marks, or none at all and descends from one that does.
belongs() {
  read_limit "$1"
  case $marks in *" $limit "*) return 0 ;; esac
  case $related in *" $1 "*) [ "${#limit}" -ne 16 ] ;; *) return 1 ;; esac
}

signal_all() {
  for pid in $targets; do
    belongs "$pid" && kill -s "$1" "$pid" && empty=0
  done
}

# Prints "pid state parent session threads" of every process; a command's name may hold anything but a newline.
list() {
  cat /proc/[0-9]*/stat |
    sed -n 's/^\([0-9]*\) (.*) \(.\) \([0-9]*\) [0-9-]* \([0-9-]*\)\( [0-9-]*\)\{13\} \([0-9]*\) .*/\1 \2 \3 \4 \6/p'
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
  living=$(list)
  marked=' '
  for limits in $(grep -lsE "^$label +($any) " /proc/[0-9]*/limits); do
    pid=${limits#/proc/}
    marked="$marked${pid%/limits} "
  done
  targets=' '
  related=' '
  before=-
  while [ "$before" != "$targets" ]; do
    before=$targets
    while read -r pid state parent session threads; do
      # One whose first thread has ended looks like a zombie, and lives.
      [ "$state" = Z ] && [ "$threads" -le 1 ] && continue
      [ "$pid" = $$ ] && continue
      case $targets in *" $pid "*) continue ;; esac
      case $marked in *" $pid "*) targets="$targets$pid " && continue ;; esac
      case $leaders in
        *" $session "*) ;;
        *) case $targets in *" $parent "*) ;; *) continue ;; esac ;;
      esac
      targets="$targets$pid "
      related="$related$pid "
    done <<LIVING
$living
LIVING
  done
  # First all are stopped, until a round finds no new one: what has no mark is only found through its parents.
  signal_all STOP
  if [ "$targets" = "$stopped" ]; then
    signal_all KILL
    stopped=
  else
    stopped=$targets
  fi
done

for mark in $marks; do
  eval "script=\$script_$mark"
  [ -n "$script" ] && rm -f -- "$script"
done
