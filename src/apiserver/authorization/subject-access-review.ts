import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { newInternalError } from '../../apimachinery/status.ts';
import type { Clock } from '../../base/clock.ts';
import { abandonOn } from '../../base/deadline.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import { isInvalid } from '../../kubeclient/api-error.ts';
import type { KubeClient } from '../../kubeclient/client.ts';
import { countReviews, createReview } from '../review.ts';
import type { AuthorizationAttributes, AuthorizationDecision, Authorizer } from './authorizer.ts';

export interface SubjectAccessReviewOptions {
  readonly adminClient: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const PATH = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
/** k8s.io/apiserver/pkg/server/options/authorization.go: both of its defaults. */
const REMEMBER_MS = 10_000;

/**
 * Asks kube-apiserver, and remembers what it said for ten seconds. Equal questions at the same time are asked once. No answer is
 * never a yes: then it throws. k8s.io/apiserver/plugin/pkg/authorizer/webhook
 */
export function createSubjectAccessReviewAuthorizer(options: SubjectAccessReviewOptions): Authorizer {
  const { adminClient, clock, log, metrics } = options;
  const reviews = countReviews(metrics, 'access');
  const decisions = new LRUCache<string, AuthorizationDecision>({
    max: 8192,
    ttl: REMEMBER_MS,
    ttlResolution: 0,
    // To lru-cache a time of 0 means none.
    perf: { now: () => clock.monotonic() + 1 },
  });
  const asking = new Map<string, Promise<AuthorizationDecision>>();

  const review = async (attributes: AuthorizationAttributes): Promise<AuthorizationDecision> => {
    try {
      return await ask(attributes, true);
    } catch (error) {
      // A selector that kube-apiserver cannot read: without it the question is the wider one, so a yes stays true.
      if (isInvalid(error) && hasSelector(attributes)) return ask(attributes, false);
      throw error;
    }
  };
  const ask = async (attributes: AuthorizationAttributes, withSelectors: boolean): Promise<AuthorizationDecision> => {
    const status = await createReview(adminClient, clock, PATH, newReview(attributes, withSelectors));
    const allowed = status['allowed'] === true && status['denied'] !== true;
    const reason = typeof status['reason'] === 'string' ? status['reason'] : '';
    const { evaluationError } = status;
    if (typeof evaluationError === 'string' && evaluationError !== '') {
      log.warn('kube-apiserver had trouble deciding', { evaluationError, allowed });
    }
    return { allowed, reason };
  };

  return {
    authorize: async (attributes, signal) => {
      const key = keyOf(attributes);
      const remembered = decisions.get(key);
      if (remembered !== undefined) return remembered;
      let answer = asking.get(key);
      if (answer === undefined) {
        answer = review(attributes)
          .then((decision) => {
            reviews(decision.allowed ? 'allowed' : 'denied');
            decisions.set(key, decision);
            return decision;
          })
          .catch((error: unknown) => {
            reviews('failed');
            log.warn('a request could not be authorized', {
              error,
              verb: attributes.verb,
              resource: attributes.resource,
            });
            throw newInternalError('the request could not be authorized: no answer from kube-apiserver');
          })
          .finally(() => asking.delete(key));
        asking.set(key, answer);
      }
      // The question outlives the one who asked first: others may wait for the answer too.
      return abandonOn(answer, signal);
    },
  };
}

function newReview(attributes: AuthorizationAttributes, withSelectors: boolean): object {
  const { user, verb, isResourceRequest, path, group, version, resource, subresource, namespace, name } = attributes;
  const { fieldSelector, labelSelector } = attributes;
  const selectors = {
    ...(fieldSelector && { fieldSelector: { rawSelector: fieldSelector } }),
    ...(labelSelector && { labelSelector: { rawSelector: labelSelector } }),
  };
  const what = isResourceRequest
    ? {
        resourceAttributes: {
          namespace,
          verb,
          group,
          version,
          resource,
          subresource,
          name,
          ...(withSelectors && selectors),
        },
      }
    : { nonResourceAttributes: { path, verb } };
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: user.name, uid: user.uid ?? '', groups: user.groups, extra: user.extra, ...what },
  };
}

const hasSelector = ({ fieldSelector, labelSelector }: AuthorizationAttributes): boolean =>
  Boolean(fieldSelector) || Boolean(labelSelector);

/** All that the answer may depend on. Hashed, since users bring long lists of groups. */
function keyOf(attributes: AuthorizationAttributes): string {
  const { user, verb, isResourceRequest, path, group, version, resource, subresource, namespace, name } = attributes;
  const who = [user.name, user.uid ?? null, user.groups, Object.entries(user.extra)];
  const what = isResourceRequest
    ? [
        group,
        version,
        resource,
        subresource,
        namespace,
        name,
        attributes.fieldSelector ?? '',
        attributes.labelSelector ?? '',
      ]
    : [path];
  return createHash('sha256')
    .update(JSON.stringify([who, verb, isResourceRequest, what]))
    .digest('base64');
}
