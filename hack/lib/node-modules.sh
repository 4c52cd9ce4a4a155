# shellcheck shell=bash
# The project's npm packages, exactly as package-lock.json pins them; among them the Node version that everything runs on.

# install_node_modules: does nothing when they are there and match the lock file. Puts the pinned Node first on the PATH.
install_node_modules() {
  local stamp=$REPO/node_modules/.kamaji-lock-checksum sum
  sum=$(sha256sum <"$REPO/package-lock.json")
  if [[ ! -f $stamp || $(cat "$stamp") != "$sum" ]]; then
    say "npm ci"
    (cd "$REPO" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || die "npm ci failed; is the npm registry reachable?"
    printf '%s' "$sum" >"$stamp"
  fi
  export PATH="$REPO/node_modules/.bin:$PATH"
}
