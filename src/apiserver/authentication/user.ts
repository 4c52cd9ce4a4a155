import type { UserInfo } from '../registry/definition.ts';

export const ANONYMOUS = 'system:anonymous';
export const AUTHENTICATED_GROUP = 'system:authenticated';
export const UNAUTHENTICATED_GROUP = 'system:unauthenticated';
export const MASTERS_GROUP = 'system:masters';

/**
 * Adds the group of all who are known. The aggregator sends its own requests without any group.
 * k8s.io/apiserver/pkg/authentication/group/authenticated_group_adder.go
 */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  const { name, groups } = user;
  if (name === ANONYMOUS || groups.includes(AUTHENTICATED_GROUP) || groups.includes(UNAUTHENTICATED_GROUP)) return user;
  return { ...user, groups: [...groups, AUTHENTICATED_GROUP] };
}
