import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isJsonObject } from '../../apimachinery/json.ts';
import type { JsonObject } from '../../apimachinery/object.ts';
import { newServiceUnavailable, newTooManyRequests, newUnauthorized } from '../../apimachinery/status.ts';
import type { Clock } from '../../base/clock.ts';
import { abandonOn } from '../../base/deadline.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { KubeClient } from '../../kubeclient/client.ts';
import type { UserInfo } from '../registry/definition.ts';
import { countReviews, createReview } from '../review.ts';
import type { Authenticator } from './authenticator.ts';
import { bearerToken } from './raw-headers.ts';
import { toRecord } from './request-header.ts';
import { withAuthenticatedGroup } from './user.ts';

export interface TokenReviewOptions {
  readonly adminClient: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';
const KNOWN_MS = 10_000;
const UNKNOWN_MS = 2_000;
/** Longer ones are no tokens of any issuer. */
const MAX_TOKEN_CHARACTERS = 64 * 1024;
/** Anybody may send a token; so much of kube-apiserver's time is theirs at once. */
const MAX_CONCURRENT = 100;

/**
 * Asks kube-apiserver whose token it is, and remembers the answer for some seconds under the token's hash. A kube-apiserver that
 * does not answer lets nobody in. k8s.io/apiserver/plugin/pkg/authenticator/token/webhook
 */
export function createTokenReviewAuthenticator(options: TokenReviewOptions): Authenticator {
  const { adminClient, clock, log, metrics } = options;
  const reviews = countReviews(metrics, 'token');
  // To lru-cache a time of 0 means none.
  const time = { perf: { now: () => clock.monotonic() + 1 } };
  const known = new LRUCache<string, UserInfo>({ max: 4096, ttl: KNOWN_MS, ttlResolution: 0, ...time });
  // Apart, so that guesses never push out those who are known.
  const unknown = new LRUCache<string, true>({ max: 4096, ttl: UNKNOWN_MS, ttlResolution: 0, ...time });
  const asking = new Map<string, Promise<UserInfo | undefined>>();

  const ask = (token: string, key: string): Promise<UserInfo | undefined> => {
    const running = asking.get(key);
    if (running !== undefined) return running;
    if (asking.size >= MAX_CONCURRENT)
      throw newTooManyRequests('too many tokens are being checked, please try again later', 1);
    const answer = createReview(adminClient, clock, PATH, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token },
    })
      .then((status) => {
        const user = readUser(status);
        reviews(user === undefined ? 'denied' : 'allowed');
        if (user === undefined) unknown.set(key, true);
        else known.set(key, user);
        return user;
      })
      .catch((error: unknown) => {
        reviews('failed');
        log.warn('a token could not be reviewed', { error });
        throw newServiceUnavailable('the token could not be checked, please try again later', 1);
      })
      .finally(() => asking.delete(key));
    asking.set(key, answer);
    return answer;
  };

  return {
    authenticate: async ({ rawHeaders, signal }) => {
      const token = bearerToken(rawHeaders);
      if (token === undefined) return undefined;
      if (token.length > MAX_TOKEN_CHARACTERS) throw newUnauthorized();
      const key = createHash('sha256').update(token).digest('base64');
      const user = known.get(key) ?? (unknown.has(key) ? undefined : await abandonOn(ask(token, key), signal));
      if (user === undefined) throw newUnauthorized();
      return { user };
    },
  };
}

/** Undefined: nobody's token. @throws TypeError for an answer that says neither */
function readUser(status: JsonObject): UserInfo | undefined {
  if (status['authenticated'] !== true) return undefined;
  const user = status['user'];
  if (!isJsonObject(user) || typeof user['username'] !== 'string' || user['username'] === '') {
    throw new TypeError('the TokenReview was answered without a user');
  }
  const extra = isJsonObject(user['extra']) ? Object.entries(user['extra']) : [];
  return withAuthenticatedGroup({
    name: user['username'],
    groups: texts(user['groups']),
    extra: toRecord(extra.map(([key, values]) => [key, texts(values)])),
    ...(typeof user['uid'] === 'string' && user['uid'] !== '' && { uid: user['uid'] }),
  });
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
