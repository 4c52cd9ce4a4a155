import { isJsonObject } from '../apimachinery/json.ts';
import type { JsonObject } from '../apimachinery/object.ts';
import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import { ApiError, ConnectionError } from '../kubeclient/api-error.ts';
import type { KubeClient } from '../kubeclient/client.ts';

/** k8s.io/apiserver/pkg/server/options, DelegatingAuthenticationOptions: the default of TokenRequestTimeout and its twin. */
const TIMEOUT_MS = 10_000;
const RETRY_PAUSES_MS = [100, 400];

/**
 * Creates a TokenReview or SubjectAccessReview and answers its `status`. Tries again when kube-apiserver did not answer or was
 * busy. @throws ApiError, ConnectionError, TypeError for an answer without a status
 */
export async function createReview(
  adminClient: KubeClient,
  clock: Clock,
  path: string,
  review: object,
): Promise<JsonObject> {
  const deadlineMs = clock.monotonic() + TIMEOUT_MS;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const timeoutMs = Math.max(1, deadlineMs - clock.monotonic());
      const { body } = await adminClient.request('POST', path, { body: review, timeoutMs });
      const answer: unknown = JSON.parse(body);
      const status = isJsonObject(answer) ? answer['status'] : undefined;
      if (!isJsonObject(status)) throw new TypeError(`${path} was answered without a status`);
      return status;
    } catch (error) {
      const pauseMs = RETRY_PAUSES_MS[attempt];
      if (pauseMs === undefined || !isPassing(error) || clock.monotonic() + pauseMs >= deadlineMs) throw error;
      await clock.sleep(pauseMs);
    }
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.code === 429 || error.code >= 500;
  return error instanceof ConnectionError && error.code !== 'TIMEOUT';
}

/** Counts what reviews came to; those answered from memory are not asked and not counted. */
export function countReviews(
  metrics: Metrics,
  review: 'token' | 'access',
): (result: 'allowed' | 'denied' | 'failed') => void {
  const counter = metrics.counter(
    'kamaji_delegated_reviews_total',
    'TokenReviews and SubjectAccessReviews asked of kube-apiserver.',
    ['review', 'result'],
  );
  return (result) => counter.inc({ review, result });
}
