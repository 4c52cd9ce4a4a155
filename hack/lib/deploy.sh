# shellcheck shell=bash
# Puts the product into a cluster: etcd for tenants, the program, the DataStore and a sample tenant.

# apply_product IMAGE: the overlay with that image in the place of its own.
apply_product() {
  local dir name=$1 change
  case "$1" in
    *@*) name=${1%@*} change="digest: ${1#*@}" ;;
    *) name=${1%:*} change="newTag: ${1##*:}" ;;
  esac
  dir=$(mktemp -d)
  cat >"$dir/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: ["$(realpath --relative-to="$(realpath "$dir")" "$REPO/manifests/overlays/single")"]
images:
  - name: $IMAGE_REPOSITORY
    newName: $name
    $change
YAML
  if ! kubectl_target apply -k "$dir" >"$dir/log" 2>&1; then
    cat "$dir/log" >&2
    rm -rf "$dir"
    die "the manifests could not be applied"
  fi
  rm -rf "$dir"
}

# check_image_reference IMAGE: with a tag or digest, as kustomize needs them apart.
check_image_reference() {
  [[ $1 =~ ^[a-z0-9]([a-zA-Z0-9._:/-]*[a-zA-Z0-9])?(@sha256:[0-9a-f]{64})?$ && ($1 == *@* || ${1##*/} == *:*) ]] ||
    refuse "--image must be NAME:TAG or NAME@sha256:..., not '$1'"
}

api_available() {
  kubectl_target get apiservice v1alpha1.kamaji.io -o 'jsonpath={.status.conditions[?(@.type=="Available")].status} {.status.conditions[?(@.type=="Available")].message}' | tee /dev/stderr | grep -q '^True'
}

# deploy_product IMAGE WITH_TENANT
deploy_product() {
  say "deploying etcd for tenants"
  start_datastore_etcd
  say "deploying $1"
  apply_product "$1"
  wait_or_explain 180 "etcd" etcd_is_ready
  wait_or_explain 180 "the API v1alpha1.kamaji.io to be Available" api_available
  wait_or_explain 60 "DataStore default to be accepted" kubectl_target apply -f "$REPO/manifests/samples/datastore.yaml"
  if [[ -n $2 ]]; then
    say "creating the sample tenant"
    sample_tenant | kubectl_target apply -f - >/dev/null || die "the sample tenant was refused"
    wait_or_explain 300 "tenant tenant-00 to be Ready" kubectl_target wait tenantcontrolplane/tenant-00 --namespace default --for=condition=Ready --timeout=20s
  fi
}

# sample_tenant: on a cluster that is not ours, with the address of one of its nodes.
sample_tenant() {
  local address=$ADMIN_IP
  if [[ -n ${TARGET_KUBECONFIG:-} ]]; then
    address=$(kubectl_target get nodes -o 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}')
    address=${address%% *}
    [[ -n $address ]] || die "no node of the cluster has an InternalIP for the sample tenant; use --no-tenant"
  fi
  sed "s/address: $ADMIN_IP/address: $address/" "$REPO/manifests/samples/tenant.yaml"
}

# wait_or_explain SECONDS WHAT CMD...: like wait_until, but shows what the pods are doing when it gives up.
wait_or_explain() {
  say "waiting for $2"
  if ! (wait_until "$@"); then
    {
      echo '--- pods'
      kubectl_target get pods -A -o wide | grep -v ' Completed ' || true
      echo '--- our log'
      kubectl_target -n "$SYSTEM_NAMESPACE" logs -l app.kubernetes.io/name=kamaji --tail=25 --all-containers 2>&1 || true
      echo '--- warnings'
      kubectl_target get events -A --field-selector type=Warning --sort-by=.lastTimestamp 2>&1 | tail -n 15 || true
      echo '--- tenants'
      kubectl_target get tenantcontrolplanes -A -o 'jsonpath={range .items[*]}{.metadata.name}{range .status.conditions[*]}{"\n  "}{.type}={.status} {.reason}: {.message}{end}{"\n"}{end}' 2>&1 | head -n 20 || true
    } >&2
    exit 1
  fi
}

# print_next KUBECTL WITH_TENANT WITH_WORKER
print_next() {
  printf '\nWhat to type next:\n'
  if [[ -z $2 ]]; then
    printf '  %s apply -f manifests/samples/tenant.yaml\n' "$1"
  fi
  cat <<TEXT
  $1 get tcp
  $1 describe tcp tenant-00
  $1 get tcp tenant-00 --subresource=kubeconfig -o yaml > k
  $1 --kubeconfig k get namespaces
  $1 get tcp tenant-00 --subresource=join-token -o yaml
TEXT
  if [[ -n $3 ]]; then
    cat <<TEXT
  hack/worker add worker-1 --tenant tenant-00
  $1 --kubeconfig k get nodes
  hack/down
TEXT
  fi
}
