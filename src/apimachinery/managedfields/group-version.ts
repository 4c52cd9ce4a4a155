export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** `v1`, `apps/v1`; group and version both empty: the empty string. k8s.io/apimachinery/pkg/runtime/schema, GroupVersion.String. */
export function groupVersion({ group, version }: GroupVersion): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Undefined for more than one slash. schema.ParseGroupVersion. */
export function parseGroupVersion(apiVersion: string): GroupVersion | undefined {
  if (apiVersion === '' || apiVersion === '/') return { group: '', version: '' };
  const parts = apiVersion.split('/');
  if (parts.length === 1) return { group: '', version: apiVersion };
  return parts.length === 2 ? { group: parts[0]!, version: parts[1]! } : undefined;
}

/** schema.GroupVersionKind.String of what an object says it is: `apps/v1, Kind=Deployment`, for the core group `/v1, Kind=Pod`. */
export function formatGroupVersionKind(object: { readonly apiVersion?: unknown; readonly kind?: unknown }): string {
  const parsed = parseGroupVersion(typeof object.apiVersion === 'string' ? object.apiVersion : '');
  if (parsed === undefined) return '/, Kind=';
  return `${parsed.group}/${parsed.version}, Kind=${typeof object.kind === 'string' ? object.kind : ''}`;
}
