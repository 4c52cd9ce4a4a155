/** The API group and version of our kinds. */
export const GROUP = 'kamaji.io';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
