# Given to `sh -c` with: the label of the mark in /proc/<pid>/limits, the pid of the agent (for whoever reads ps).
# For dash, bash and busybox. Input: "+ <mark> <script file>" when a job starts, "- <mark>" when it has ended.
# End of file means that the agent is gone: then all that bears the mark of a running job is killed.
label=$1
trap '' HUP INT TERM

marks=' '
while read -r op mark script; do
  case $marks in
    *" $mark "*) marks="${marks%% $mark *} ${marks#* $mark }" ;;
  esac
  unset "script_$mark"
  if [ "$op" = + ]; then
    marks="$marks$mark "
    eval "script_$mark=\$script"
  fi
done
[ "$marks" = ' ' ] && exit

set -- $label
label_words=$#

# Whether a process bears one of the marks, read by the shell itself, right before it is signaled.
bears_mark() {
  while read -r line; do
    case $line in
      "$label "*)
        set -- $line
        shift $label_words
        case $marks in *" $1 "*) return 0 ;; esac
        return 1
        ;;
    esac
  done < "/proc/$1/limits"
  return 1
}

any=$(echo $marks | tr ' ' '|')
rounds=0
empty=0
# Files vanish under the search, so what counts is what is found; two rounds that find nothing are the end.
while [ $empty -lt 2 ] && [ $rounds -lt 100 ]; do
  rounds=$((rounds + 1))
  empty=$((empty + 1))
  [ $rounds -gt 20 ] && sleep 1
  for limits in $(grep -lsE "^$label +($any) " /proc/[0-9]*/limits); do
    pid=${limits#/proc/}
    pid=${pid%/limits}
    read -r stat < "/proc/$pid/stat" || continue
    case ${stat##*) } in [ZX]*) continue ;; esac
    bears_mark "$pid" || continue
    empty=0
    kill -s STOP "$pid"
    kill -s KILL "$pid"
  done
done

for mark in $marks; do
  eval "script=\$script_$mark"
  [ -n "$script" ] && rm -f -- "$script"
done
