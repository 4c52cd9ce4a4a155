/** Health is told to everyone: probes carry no credentials. */
export function isOpenPath(path: string): boolean {
  return /^\/(healthz|livez|readyz)(\/|$)/.test(path);
}

/**
 * What an authenticated user may read without a question to the cluster. Discovery decides whether the whole API is considered
 * available, so it must not depend on anything but memory; the cluster's own default (system:discovery) allows it as well.
 */
export function isDiscoveryPath(path: string): boolean {
  return /^\/(apis(\/[^/]+){0,2}\/?|openapi\/v2\/?|openapi\/v3(\/.*)?|version\/?)?$/.test(path);
}
