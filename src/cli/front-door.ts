// Interim: replaced by src/apiserver/{authentication,authorization} as soon as they are there.
import { randomBytes, timingSafeEqual, X509Certificate } from 'node:crypto';
import type { Authenticator } from '../apiserver/authentication/authenticator.ts';
import type { Authorizer } from '../apiserver/authorization/authorizer.ts';
import type { HealthCheck } from '../apiserver/health/checks.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { KubeClient } from '../kubeclient/client.ts';
import { CONFIG_MAPS } from '../kubeclient/resources.ts';

export function createFrontDoor(options: { adminClient: KubeClient; clock: Clock; log: Logger; metrics: Metrics }) {
  const { adminClient, clock } = options;
  const loopbackToken = randomBytes(32).toString('base64url');
  let ca: X509Certificate[] = [];
  let names: string[] = [];
  const load = async (): Promise<void> => {
    const map = await adminClient.get(CONFIG_MAPS, 'kube-system', 'extension-apiserver-authentication');
    const data = (map as { data?: Record<string, string> }).data ?? {};
    ca = (data['requestheader-client-ca-file']?.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem));
    names = JSON.parse(data['requestheader-allowed-names'] ?? '[]') as string[];
  };
  const headers = (raw: readonly string[], name: string): string[] => {
    const found: string[] = [];
    for (let i = 0; i < raw.length; i += 2) if (raw[i]?.toLowerCase() === name) found.push(raw[i + 1] ?? '');
    return found;
  };
  const loopback: Authenticator = {
    authenticate(facts) {
      const token = headers(facts.rawHeaders, 'authorization')[0]?.replace(/^Bearer /, '') ?? '';
      const match = token.length === loopbackToken.length && timingSafeEqual(Buffer.from(token), Buffer.from(loopbackToken));
      return Promise.resolve(match ? { user: { name: 'system:kamaji:controllers', groups: ['system:authenticated'], extra: {} } } : undefined);
    },
  };
  const proxy: Authenticator = {
    authenticate(facts) {
      const cert = facts.peerCertificate;
      const name = headers(facts.rawHeaders, 'x-remote-user')[0];
      if (cert === undefined || name === undefined || !ca.some((c) => cert.verify(c.publicKey))) return Promise.resolve(undefined);
      const cn = /CN=([^\n]*)/.exec(cert.subject)?.[1] ?? '';
      if (names.length > 0 && !names.includes(cn)) return Promise.resolve(undefined);
      const groups = [...new Set([...headers(facts.rawHeaders, 'x-remote-group'), 'system:authenticated'])];
      return Promise.resolve({ user: { name, groups, extra: {} } });
    },
  };
  const authorizer: Authorizer = {
    async authorize(a, signal) {
      if (a.user.groups.includes('system:masters')) return { allowed: true, reason: '' };
      if (a.user.name === 'system:kamaji:controllers') return { allowed: a.group === 'kamaji.io', reason: '' };
      if (!a.isResourceRequest) return { allowed: true, reason: '' };
      const { body } = await adminClient.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        signal,
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: {
            user: a.user.name,
            groups: a.user.groups,
            resourceAttributes: { namespace: a.namespace, verb: a.verb, group: a.group, version: a.version, resource: a.resource, subresource: a.subresource, name: a.name },
          },
        },
      });
      const { status } = JSON.parse(body) as { status: { allowed: boolean; reason?: string } };
      return { allowed: status.allowed, reason: status.reason ?? '' };
    },
  };
  const readyCheck: HealthCheck = { name: 'front-proxy', check: () => (ca.length > 0 ? Promise.resolve() : Promise.reject(new Error('no CA'))) };
  return {
    authenticators: [loopback, proxy],
    authorizer,
    loopbackToken,
    readyCheck,
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await load().catch((error: unknown) => options.log.warn('x', { error }));
        await clock.sleep(10_000, signal).catch(() => undefined);
      }
    },
  };
}
