import { AUTHENTICATED_GROUP, MASTERS_GROUP } from '../authentication/user.ts';
import { isDiscoveryPath, isOpenPath } from '../filters/paths.ts';
import type { UserInfo } from '../registry/definition.ts';
import type { AuthorizationDecision, Authorizer } from './authorizer.ts';

export interface DelegatedAuthorizerOptions {
  /** Decides what is not decided here. */
  readonly review: Authorizer;
  /** Our own controllers: they may do anything with the kinds of `ownGroups`, and nothing else. */
  readonly isLoopback: (user: UserInfo) => boolean;
  readonly ownGroups: readonly string[];
}

const ALLOWED: AuthorizationDecision = { allowed: true, reason: '' };
const READS = new Set(['get', 'head']);

/** What needs no question, before the question: health for all, discovery for all who are known, everything for system:masters. */
export function createDelegatedAuthorizer({ review, isLoopback, ownGroups }: DelegatedAuthorizerOptions): Authorizer {
  return {
    authorize: async (attributes, signal) => {
      const { user, isResourceRequest, group, path, verb } = attributes;
      const reads = !isResourceRequest && READS.has(verb);
      if (reads && isOpenPath(path)) return ALLOWED;
      if (isLoopback(user)) {
        const allowed = isResourceRequest ? ownGroups.includes(group) : reads && isDiscoveryPath(path);
        return allowed ? ALLOWED : { allowed: false, reason: 'our own controllers need nothing else' };
      }
      if (user.groups.includes(MASTERS_GROUP)) return ALLOWED;
      if (reads && isDiscoveryPath(path) && user.groups.includes(AUTHENTICATED_GROUP)) return ALLOWED;
      return review.authorize(attributes, signal);
    },
  };
}
