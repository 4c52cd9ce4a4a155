# shellcheck shell=bash
# Makes container images out of programs that are built already: OCI layouts in the cache, written by hand (one
# uncompressed layer, so that nothing spends time on gzip).

oci_dir() { echo "$(dirname "$(bin_dir)")/images/${1//[\/:]/_}"; }

# put_blob LAYOUT FILE: moves FILE in as a blob; prints "sha256:<hex> <size>".
put_blob() {
  local hex size
  hex=$(sha256sum "$2" | cut -d' ' -f1)
  size=$(stat -c %s "$2")
  mv "$2" "$1/blobs/sha256/$hex"
  echo "sha256:$hex $size"
}

# make_image REF ROOTFS CONFIG_JSON: CONFIG_JSON is the image's "config" object (Entrypoint, Env, User, ...).
make_image() {
  local ref=$1 rootfs=$2 config=$3 layout work layer layer_size config_digest config_size manifest manifest_size
  layout=$(oci_dir "$ref")
  rm -rf "$layout" "$layout.new"
  work=$layout.new
  mkdir -p "$work/blobs/sha256"
  tar -C "$rootfs" --numeric-owner --owner=0 --group=0 --sort=name --mtime=@0 -cf "$work/layer" .
  read -r layer layer_size < <(put_blob "$work" "$work/layer")
  printf '{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z","config":%s,"rootfs":{"type":"layers","diff_ids":["%s"]},"history":[{"created_by":"hack/up"}]}' \
    "$config" "$layer" >"$work/config"
  read -r config_digest config_size < <(put_blob "$work" "$work/config")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":%s}]}' \
    "$config_digest" "$config_size" "$layer" "$layer_size" >"$work/manifest"
  read -r manifest manifest_size < <(put_blob "$work" "$work/manifest")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"latest"}}]}' \
    "$manifest" "$manifest_size" >"$work/index.json"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$work/oci-layout"
  mv "$work" "$layout"
}

# new_rootfs: a folder with what every image has: users, /tmp, the machine's CA bundle, /etc/nsswitch.conf.
new_rootfs() {
  local rootfs
  rootfs=$(mktemp -d "$(dirname "$(bin_dir)")/rootfs.XXXXXX")
  chmod 755 "$rootfs"
  mkdir -p "$rootfs"/{etc/ssl/certs,usr/bin,usr/local/bin,bin,sbin,root,home/nonroot,var/run,var/lib}
  mkdir "$rootfs/tmp" && chmod 1777 "$rootfs/tmp"
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\nnonroot:x:65532:65532:nonroot:/home/nonroot:/bin/false\n' >"$rootfs/etc/passwd"
  printf 'root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n' >"$rootfs/etc/group"
  echo 'hosts: files dns' >"$rootfs/etc/nsswitch.conf"
  if [[ -r /etc/ssl/certs/ca-certificates.crt ]]; then cp -L /etc/ssl/certs/ca-certificates.crt "$rootfs/etc/ssl/certs/"; fi
  echo "$rootfs"
}

# copy_libraries ROOTFS FILE: every shared library that FILE is linked with, and the loader, at the same paths.
copy_libraries() {
  local library
  while read -r library; do
    [[ -e $1$library ]] && continue
    mkdir -p "$1$(dirname "$library")"
    cp -L "$library" "$1$library"
  done < <(ldd "$2" 2>/dev/null | grep -o '/[^ ]*' | grep -vFx "$2:")
}

# copy_program ROOTFS FILE...: programs or libraries of this machine with all that they are linked with.
copy_program() {
  local rootfs=$1 file
  shift
  for file in "$@"; do
    mkdir -p "$rootfs$(dirname "$file")"
    cp -L "$file" "$rootfs$file"
    copy_libraries "$rootfs" "$file"
  done
}

# add_busybox ROOTFS: a shell and the usual commands.
add_busybox() {
  local applet
  cp /bin/busybox "$1/bin/busybox"
  while read -r applet; do
    [[ $applet == busybox ]] || ln -sf /bin/busybox "$1/bin/$applet"
  done < <(/bin/busybox --list)
}
