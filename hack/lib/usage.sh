# shellcheck shell=bash disable=SC2034
# What every script of hack/ does the same way: usage from the header, progress lines, failing with a reason.

HACK="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
REPO="$(dirname "$HACK")"
# shellcheck source=../versions.sh
source "$HACK/versions.sh"

STARTED_AT=${STARTED_AT:-$(date +%s)}

# print_usage: the comment block at the top of the running script.
print_usage() { awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"; }

# elapsed [SINCE]: time since the script (or SINCE, in epoch seconds) started, as 1m05s.
elapsed() {
  local seconds=$(($(date +%s) - ${1:-$STARTED_AT}))
  if ((seconds >= 60)); then printf '%dm%02ds' $((seconds / 60)) $((seconds % 60)); else printf '%ds' "$seconds"; fi
}

say() { printf '[%6s] %s\n' "$(elapsed)" "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
# refuse MESSAGE: the caller's arguments are wrong; 2 as shells do.
refuse() {
  printf 'error: %s (see %s -h)\n' "$*" "$0" >&2
  exit 2
}

# wait_until SECONDS WHAT CMD...: runs CMD until it succeeds. Dies naming WHAT when the time is over, or at once
# when CMD exits with 77: it will never succeed.
wait_until() {
  local limit=$1 what=$2 begin answer code
  shift 2
  begin=$(date +%s)
  while true; do
    code=0
    answer=$( ("$@") 2>&1) || code=$?
    if ((code == 0)); then return 0; fi
    if ((code == 77)) || (($(date +%s) - begin >= limit)); then
      printf '%s\n' "$answer" >&2
      die "gave up after $(elapsed "$begin") waiting for $what"
    fi
    sleep 0.2
  done
}
