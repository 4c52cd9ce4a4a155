import { goQuote } from '../../apimachinery/go-format.ts';
import { newForbidden } from '../../apimachinery/status.ts';
import type { RequestContext } from '../request-context.ts';
import type { AuthorizationAttributes, AuthorizationDecision, Authorizer } from '../authorization/authorizer.ts';

/** What an authorizer is asked about a request; `changes` for questions beside the one that its URL poses. */
export function attributesOf(
  context: RequestContext,
  changes: Partial<AuthorizationAttributes> = {},
): AuthorizationAttributes {
  const { info, user } = context;
  const {
    isResourceRequest,
    path,
    verb,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    fieldSelector,
    labelSelector,
  } = info;
  return {
    user,
    verb,
    isResourceRequest,
    path,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...changes,
  };
}

/** `told` hears the decision, whatever it is. @throws StatusError (403) in the words of kube-apiserver (endpoints/handlers/responsewriters/errors.go) */
export async function ensureAuthorized(
  authorizer: Authorizer,
  context: RequestContext,
  changes: Partial<AuthorizationAttributes> = {},
  told: (decision: AuthorizationDecision) => void = () => undefined,
): Promise<void> {
  const attributes = attributesOf(context, changes);
  const decision = await authorizer.authorize(attributes, context.signal);
  told(decision);
  const { allowed, reason } = decision;
  if (allowed) return;
  const why = escapeMarkup(question(attributes));
  const resource = { group: attributes.group, resource: attributes.resource };
  throw newForbidden(resource, attributes.name, reason === '' ? why : `${why}: ${reason}`);
}

function question(attributes: AuthorizationAttributes): string {
  const { user, verb, isResourceRequest, path, group, namespace } = attributes;
  const who = `User ${goQuote(user.name)} cannot ${verb}`;
  if (!isResourceRequest) return `${who} path ${goQuote(path)}`;
  const resource =
    attributes.subresource === '' ? attributes.resource : `${attributes.resource}/${attributes.subresource}`;
  const what = `${who} resource ${goQuote(resource)} in API group ${goQuote(group)}`;
  return namespace === '' ? `${what} at the cluster scope` : `${what} in the namespace ${goQuote(namespace)}`;
}

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
