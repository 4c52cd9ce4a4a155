# shellcheck shell=bash
# Finds what a cluster of this KAMAJI_STATE and KAMAJI_NETNS has left on the machine. Every finding is a line on stdout.

find_leaks() {
  leaked_processes
  leaked_namespaces
  leaked_mounts
  leaked_cgroups
  leaked_network_objects
  if [[ -e $KAMAJI_STATE ]]; then echo "folder: $KAMAJI_STATE"; fi
}

# leaked_processes: by command line, by mount namespace and by network namespace; not this script and its parents, which
# may have been called with the folder as an argument.
leaked_processes() {
  local stat pid line own=" "
  pid=$$
  while ((pid > 1)); do
    own+="$pid "
    pid=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status" 2>/dev/null || echo 1)
  done
  for stat in /proc/[0-9]*; do
    pid=${stat#/proc/}
    if [[ $own == *" $pid "* || $pid == "$BASHPID" ]]; then continue; fi
    line=$({ tr '\0' ' ' <"$stat/cmdline"; } 2>/dev/null) || continue # ended meanwhile
    if [[ "$line " == *"$KAMAJI_STATE"[/\ ]* || "$line " == *"/run/netns/$KAMAJI_NETNS"[.\ ]* ]] ||
      grep -qsF " $KAMAJI_STATE/" "$stat/mountinfo" || grep -qsE ":/$KAMAJI_NETNS\." "$stat/cgroup"; then
      echo "process: $pid ${line:0:120}"
    fi
  done
}

leaked_namespaces() {
  local file
  for file in "/run/netns/$KAMAJI_NETNS" "/run/netns/$KAMAJI_NETNS".*; do
    if [[ -e $file ]]; then echo "network namespace: $(basename "$file")"; fi
  done
}

leaked_mounts() { awk -v state="$KAMAJI_STATE" 'index($5 "/", state "/") == 1 || index($4 "/", state "/") == 1 { print "mount: " $5 }' /proc/self/mountinfo; }

leaked_cgroups() {
  local hierarchy
  while read -r hierarchy; do
    find "$hierarchy" -mindepth 1 -maxdepth 1 -name "$KAMAJI_NETNS.*" -printf 'cgroup: %p\n'
  done < <(cgroup_hierarchies)
}

# leaked_network_objects: nothing of ours is ever made in the machine's own network namespace.
leaked_network_objects() {
  local link
  for link in "$BRIDGE" cni0 carrier0; do
    if ip link show "$link" >/dev/null 2>&1; then echo "network device: $link"; fi
  done
  if command -v nft >/dev/null; then nft list tables 2>/dev/null | grep -E ' (kube-proxy|cni_)' | sed 's/^/nft: /' || true; fi
  ip -4 route show | grep -E "^${MACHINE_NET//./\\.}\." | sed 's/^/route: /' || true
}
