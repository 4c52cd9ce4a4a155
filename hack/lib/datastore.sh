# shellcheck shell=bash
# The certificates of the etcd in manifests/components/etcd, and that etcd itself.

SYSTEM_NAMESPACE=kamaji-system

# kubectl_target ARGS: against the cluster that is deployed to: our own, or the one of --kubeconfig.
kubectl_target() {
  if [[ -n ${TARGET_KUBECONFIG:-} ]]; then
    "$TARGET_KUBECTL" --kubeconfig="$TARGET_KUBECONFIG" "$@"
  else
    kubectl_admin "$@"
  fi
}

# sign FOLDER NAME CN EXTENSIONS: a P-256 key and a certificate of FOLDER's CA.
sign() {
  local dir=$1 name=$2
  openssl ecparam -name prime256v1 -genkey -noout -out "$dir/$name.key" &&
    openssl req -new -key "$dir/$name.key" -subj "/CN=$3" -out "$dir/$name.csr" &&
    openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days 3650 \
      -extfile <(printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n%s\n' "$4") -out "$dir/$name.crt"
}

# make_etcd_secrets: once; a CA that is replaced would lock every tenant out.
make_etcd_secrets() {
  local dir service=etcd.$SYSTEM_NAMESPACE.svc member="*.etcd-headless.$SYSTEM_NAMESPACE.svc"
  kubectl_target get namespace "$SYSTEM_NAMESPACE" >/dev/null 2>&1 || kubectl_target create namespace "$SYSTEM_NAMESPACE" >/dev/null
  if kubectl_target -n "$SYSTEM_NAMESPACE" get secret etcd-certs etcd-root-client >/dev/null 2>&1; then return 0; fi
  dir=$(mktemp -d)
  {
    openssl ecparam -name prime256v1 -genkey -noout -out "$dir/ca.key" &&
      openssl req -x509 -new -key "$dir/ca.key" -subj "/CN=kamaji-etcd" -days 3650 -out "$dir/ca.crt" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign,digitalSignature" &&
      sign "$dir" server etcd "extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:etcd,DNS:$service,DNS:$service.cluster.local,DNS:$member,DNS:$member.cluster.local,DNS:localhost,IP:127.0.0.1" &&
      sign "$dir" root root "extendedKeyUsage=clientAuth"
  } >"$dir/log" 2>&1 || {
    tail "$dir/log" >&2
    rm -rf "$dir"
    die "openssl could not make etcd's certificates"
  }
  kubectl_target -n "$SYSTEM_NAMESPACE" delete secret etcd-certs etcd-root-client --ignore-not-found >/dev/null
  kubectl_target -n "$SYSTEM_NAMESPACE" create secret generic etcd-certs --from-file=ca.crt="$dir/ca.crt" \
    --from-file=server.crt="$dir/server.crt" --from-file=server.key="$dir/server.key" >/dev/null
  kubectl_target -n "$SYSTEM_NAMESPACE" create secret generic etcd-root-client --from-file=ca.crt="$dir/ca.crt" \
    --from-file=ca.key="$dir/ca.key" --from-file=tls.crt="$dir/root.crt" --from-file=tls.key="$dir/root.key" >/dev/null
  rm -rf "$dir"
}

start_datastore_etcd() {
  make_etcd_secrets
  kubectl_target apply -k "$REPO/manifests/components/etcd" >/dev/null
}

etcd_is_ready() { kubectl_target -n "$SYSTEM_NAMESPACE" rollout status statefulset/etcd --timeout=10s; }
