# The process inside a container that runs commands for the host, where the image has no python3.
#
# It serves the protocol of channel_server.py, whose docstring says it, with two differences: it
# does not count the bytes that it leaves out (-1), and of a command that prints more than it keeps
# and leaves a process behind that holds its output, it keeps the first bytes only. POSIX sh, with
# the tools of coreutils or busybox. A process costs about a millisecond here, so what the shell
# can do itself it does, by way of /proc.
#
# Descriptors: 3 what a command's supervisor says, 5 and 6 the first and last bytes that are kept,
# 7 and 8 the same to be read, 9 the command's input.

work=$1
head=1048576
tail=1048576
newline='
'
shell=bash
command -v bash >/dev/null || shell=sh
whole=
timeout 0.5 true 2>/dev/null || whole=1 # some take whole seconds only
kept=0
kernel_says=

temporary() { # sets file
  for folder in /tmp /dev/shm /var/tmp "$work"; do
    file=$(mktemp "$folder/.swerun.XXXXXX" 2>/dev/null) && return
  done
}

# Files that have no name any more: nobody finds them, and they are gone with this process.
fresh_files() {
  temporary && exec 5>"$file" 7<"$file" && rm -f "$file"
  temporary && exec 6>"$file" 8<"$file" && rm -f "$file"
  kept=0
}

now() { # sets now: milliseconds, in steps of ten
  read -r now _ </proc/uptime
  now=$((${now%.*} * 1000 + (1${now#*.} - 100) * 10))
}

position() { # sets at: how many bytes were ever written to descriptor $1
  read -r _ at <"/proc/$$/fdinfo/$1"
}

state() { # sets state and parent of process $1; false when there is none
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  stat=${stat##*) }
  state=${stat%% *}
  stat=${stat#* }
  parent=${stat%% *}
}

# The command's shell, and at its end its exit code. In parentheses and with `exec`, because what
# this shell says of a child that was killed (`Killed`) is not the command's output.
supervise() {
  cd "$work" 2>/dev/null || { echo "swerun: running in /: there is no $work"; cd /; }
  {
    echo 500 >/proc/self/oom_score_adj # out of memory, the kernel is to kill this, not the channel
    (
      export SWERUN_COMMAND="$mark"
      exec setsid timeout -s KILL "$limit" "$shell" -c "$command" 2>&1 3>&- 5>&- 6>&- 7<&- 8<&-
    )
    code=$?
    exec >/dev/null # the collector is to see the end before the code is read: tail prints only then
    echo "code $code" >&3
  } 2>/dev/null
}

# Takes what the command prints as long as anybody can print. dd neither collects nor holds back
# what it read, and ends in failure where the file would become too large. `exec`, because of
# any other redirection the shell remembers what it replaces, and so holds it open.
collect() {
  exec >/dev/null 3>&- 9<&-
  (trap '' XFSZ; ulimit -f "$blocks"; exec dd bs=65536 >&5 2>/dev/null) || exec tail -c "$tail" >&6
}

# Wait until process $1, a collect, has ended; false if it waits for more in vain. What reads a pipe
# sleeps only when that is empty, but it also sleeps for a slow disk, and for its turn on a busy
# machine: where the kernel does not say what for, it is believed after a while without a byte.
settle() {
  now; deadline=$((now + 2000)); since=$now; seen=
  while state "$1" && [ "$state" != Z ]; do
    [ "$now" -lt "$deadline" ] || return 1
    now
    position 5; written=$at; position 6
    [ "$at" = "$kept" ] || deadline=$((now + 2000)) # once it writes the last bytes, it ends
    [ "$written,$at" = "$seen" ] || since=$now
    seen=$written,$at
    reader=$1
    { read -r reader _ <"/proc/$1/task/$1/children"; } 2>/dev/null
    state "${reader:-$1}" || continue
    wait_channel=
    { read -r wait_channel <"/proc/${reader:-$1}/wchan"; } 2>/dev/null
    case $state,$wait_channel in
      S,*pipe_read*) return 1 ;;
      S, | S,0) [ "$kernel_says" ] || [ $((now - since)) -lt 300 ] || return 1 ;;
      S,*) kernel_says=1 since=$now ;;
      *) since=$now ;;
    esac
  done
}

run() {
  now; began=$now
  position 5; start=$at
  blocks=$(((start + head) / 512))
  [ "$milliseconds" -ge 10 ] || milliseconds=10 # to timeout, 0.00 is no limit at all
  limit=$((milliseconds / 1000)).$((milliseconds % 1000 / 100))$((milliseconds % 100 / 10))
  [ "$whole" ] && limit=$(((milliseconds + 999) / 1000))
  before=" $(echo /proc/[0-9]*) "
  said=$(
    exec 3>&1
    supervise 0</dev/null | collect &
    echo "collector $!"
  )
  said=" $(echo $said) "
  code=${said#* code }; code=${code%% *}
  collector=${said#* collector }; collector=${collector%% *}
  now
  late=0; stuck=
  case $code in
    124 | 137) if [ $((now - began + 20)) -ge "$milliseconds" ]; then late=1; code=124; fi ;;
    '' | *[!0-9]*) code=137 ;; # the supervisor was killed
  esac
  if [ "$late" = 1 ]; then end "$mark" "$before" || stuck=1; fi
  if settle "$collector"; then ended=1; else ended=; fi
  if [ "$stuck" ]; then echo "stuck $mark"; else answer; fi
  # what comes from this one later is to be in no other's output
  if [ ! "$ended" ] || [ "$at" -gt 4194304 ]; then fresh_files; fi
}

answer() {
  position 6; last=$((at - kept)); kept=$at
  position 5; first=$((at - start)); left_out=0
  [ "$at" -lt $((blocks * 512)) ] || left_out=-1
  echo "done $mark $code $late $((now - began)) $first $left_out $last"
  [ "$first" = 0 ] || head -c "$first" <&7
  [ "$last" = 0 ] || head -c "$last" <&8
}

belongs() { # whether process $1 was started by the command of this mark; as in the Python server
  ancestor=$1
  while [ "$ancestor" != 1 ] && [ "$ancestor" != $$ ]; do
    case $mine in *" /proc/$ancestor/environ "*) return 0 ;; esac
    case $marked in *" /proc/$ancestor/environ "*) return 1 ;; esac
    case $before in *" /proc/$ancestor "*) return 1 ;; esac
    state "$ancestor" || return 1
    [ "$parent" != 0 ] || return 1
    ancestor=$parent
  done
  [ "$before" ] && [ "$ancestor" = 1 ] && [ "$PPID" = 0 ]
}

signal_all() { # as in the Python server
  [ "$PPID" != 0 ] || kill "-$1" -1 2>/dev/null
}

# Kill what carries mark $1, and what it started; $2: all processes that were there before, if
# that is known. False if something would not die.
end() {
  before=$2
  now; deadline=$((now + 5000)); clean=0
  while [ "$clean" -lt 2 ] && [ "$now" -lt "$deadline" ]; do
    signal_all STOP
    marked=" $(echo $(grep -lF SWERUN_COMMAND= /proc/[0-9]*/environ 2>/dev/null)) "
    mine=" $(echo $(grep -lF "SWERUN_COMMAND=$1" /proc/[0-9]*/environ 2>/dev/null)) "
    doomed=
    for folder in /proc/[0-9]*; do
      pid=${folder#/proc/}
      [ "$pid" != 1 ] && [ "$pid" != $$ ] && state "$pid" || continue
      case $state in Z | X) continue ;; esac
      belongs "$pid" && doomed="$doomed $pid"
    done
    if [ "$doomed" ]; then
      clean=0
      kill -STOP $doomed 2>/dev/null
      kill -KILL $doomed 2>/dev/null
    else
      clean=$((clean + 1))
    fi
    now
  done
  signal_all CONT
  [ "$clean" = 2 ]
}

take_command() { # sets command; a shell reads a pipe byte by byte, so nothing is read too much
  command=
  while [ "$lines" -gt 0 ]; do
    IFS= read -r line
    command=$command$line$newline
    lines=$((lines - 1))
  done
}

take_input() {
  temporary
  head -c "$given" >"$file"
  exec 9<"$file"
  rm -f "$file"
}

fresh_files
echo "ready sh $shell"
while read -r kind mark milliseconds lines length given; do
  case $kind in
    end) if end "$mark" ''; then echo "done $mark 0 0 0 0 0 0"; else echo "stuck $mark"; fi ;;
    run)
      take_command
      if [ "$given" -gt 0 ]; then take_input; else exec 9</dev/null; fi
      run
      exec 9<&-
      ;;
  esac
done
