# shellcheck shell=bash
# Background processes: started with a pid file, stopped by exactly that pid. The file also holds the
# process's start time, so that a pid which the kernel gave to somebody else since then is never touched.

# start_time PID: clock ticks since boot, field 22 of stat; empty when there is no such process.
start_time() { sed -e 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# running_pid NAME: prints the pid when NAME runs, fails otherwise.
running_pid() {
  local pid ticks
  [[ -s $RUN_DIR/$1.pid ]] || return 1
  read -r pid ticks <"$RUN_DIR/$1.pid"
  [[ -n $ticks && $(start_time "$pid") == "$ticks" ]] || return 1
  # A zombie answers to its pid but does not run.
  [[ $(sed -e 's/^.*) //' "/proc/$pid/stat" 2>/dev/null) != Z* ]] || return 1
  echo "$pid"
}

# start_process NAME NETNS CMD...: does nothing when it already runs.
start_process() {
  local name=$1 netns=$2
  shift 2
  running_pid "$name" >/dev/null && return 0
  mkdir -p "$RUN_DIR" "$LOG_DIR"
  setsid nsenter --net="/run/netns/$netns" -- "$@" >>"$LOG_DIR/$name.log" 2>&1 </dev/null 8>&- 9>&- &
  local pid=$!
  echo "$pid $(start_time "$pid")" >"$RUN_DIR/$name.pid"
  disown "$pid"
}

# must_run NAME: for wait_until; gives up with the end of its log when it does not run any more.
must_run() {
  running_pid "$1" >/dev/null && return 0
  tail -n 15 "$LOG_DIR/$1.log" >&2 || true
  echo "$1 has stopped; whole log: $LOG_DIR/$1.log" >&2
  exit 77
}

# stop_process NAME [SIGNAL]: asks, waits up to 10 s, then kills.
stop_process() {
  local pid tick
  if pid=$(running_pid "$1"); then
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    for ((tick = 0; tick < 100; tick++)); do
      running_pid "$1" >/dev/null || break
      sleep 0.1
    done
    running_pid "$1" >/dev/null && kill -KILL "$pid" 2>/dev/null
    while running_pid "$1" >/dev/null; do sleep 0.05; done
  fi
  rm -f "$RUN_DIR/$1.pid"
}
