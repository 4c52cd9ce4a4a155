import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { KubeClient } from '../../kubeclient/client.ts';
import type { ConfigMap } from '../../kubeclient/kinds.ts';
import { runReflector } from '../../kubeclient/reflector.ts';
import { CONFIG_MAPS } from '../../kubeclient/resources.ts';
import type { HealthCheck } from '../health/checks.ts';
import { parseTrustBundle, type TrustBundle } from './client-certificate-verifier.ts';
import type { RequestHeaderConfig } from './request-header.ts';

const NAMESPACE = 'kube-system';
const NAME = 'extension-apiserver-authentication';

/** Whom kube-apiserver tells its extension servers to trust. */
export interface DelegatedSettings {
  /** Undefined: the cluster has no front proxy, or one that cannot be told from its users. */
  readonly requestHeader: RequestHeaderConfig | undefined;
  /** Signs the cluster's users. */
  readonly clientTrust: TrustBundle | undefined;
  /** What an operator should know; empty when all is well. */
  readonly problems: readonly string[];
}

export interface DelegatedConfig {
  /** Swapped as a whole; empty until the first read. */
  current(): DelegatedSettings;
  /** Fails while the front proxy is not known: nobody could come in through it. */
  readonly readyCheck: HealthCheck;
  /** Follows the cluster until `signal` aborts. What cannot be read, or makes no sense, leaves the last good state. */
  run(signal: AbortSignal): Promise<void>;
}

const EMPTY: DelegatedSettings = { requestHeader: undefined, clientTrust: undefined, problems: [] };

/**
 * Reads the ConfigMap kube-system/extension-apiserver-authentication and follows its changes, so that a rotated authority counts
 * from the next request on. k8s.io/apiserver/pkg/server/options/authentication_dynamic_request_header.go
 */
export function createDelegatedConfig(options: {
  readonly adminClient: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
}): DelegatedConfig {
  const { adminClient, clock } = options;
  const log = options.log.child({ configMap: `${NAMESPACE}/${NAME}` });
  let current = EMPTY;
  let applied: string | undefined;

  const apply = (configMap: ConfigMap): void => {
    const data = configMap.data ?? {};
    const content = JSON.stringify(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
    // The same content keeps the same trust bundles, and with them what is known of open connections.
    if (content === applied) return;
    try {
      current = parseDelegatedSettings(data);
      applied = content;
    } catch (error) {
      log.error('the configuration of the front proxy makes no sense; the last good one stays', { error });
      return;
    }
    for (const problem of current.problems) log.warn(problem);
    log.info('front proxy configuration applied', {
      frontProxyAuthorities: current.requestHeader?.trust.authorities.map(({ fingerprint256 }) => fingerprint256) ?? [],
      allowedNames: current.requestHeader?.allowedNames ?? [],
      clientAuthorities: current.clientTrust?.authorities.length ?? 0,
    });
  };

  return {
    current: () => current,
    readyCheck: {
      name: 'front-proxy-configuration',
      check: async () => {
        if (current.requestHeader !== undefined) return;
        throw new Error(
          `no front proxy is known: ${current.problems[0] ?? `${NAMESPACE}/${NAME} has not been read yet`}`,
        );
      },
    },
    run: (signal) =>
      runReflector<ConfigMap>(
        {
          client: adminClient,
          resource: CONFIG_MAPS,
          namespace: NAMESPACE,
          fieldSelector: `metadata.name=${NAME}`,
          clock,
          log,
        },
        {
          replace: (items) => {
            const found = items.find(({ metadata }) => metadata.name === NAME);
            if (found === undefined) log.warn('the ConfigMap is missing; waiting for it');
            else apply(found);
          },
          apply: (event) => {
            if (event.object.metadata.name !== NAME) return;
            if (event.type === 'DELETED') log.warn('the ConfigMap was deleted; what it said last stays in force');
            else apply(event.object);
          },
        },
        signal,
      ),
  };
}

/** @throws Error when a certificate is none or a list is no JSON list of texts */
export function parseDelegatedSettings(data: Readonly<Record<string, string>>): DelegatedSettings {
  const clientTrust = bundleOf(data['client-ca-file']);
  const trust = bundleOf(data['requestheader-client-ca-file']);
  const usernameHeaders = headerNames(data['requestheader-username-headers']);
  const allowedNames = textList(data['requestheader-allowed-names']);
  if (trust === undefined || usernameHeaders.length === 0) {
    return {
      requestHeader: undefined,
      clientTrust,
      problems: ['the cluster names no front proxy: kube-apiserver needs its --requestheader-* flags'],
    };
  }
  const shared = trust.authorities.some((authority) =>
    clientTrust?.authorities.some((other) => other.publicKey.equals(authority.publicKey)),
  );
  if (shared && allowedNames.length === 0) {
    const problem =
      'front proxy and users share an authority and no proxy names are given (--requestheader-allowed-names), so every user could pose as the proxy: its headers are not trusted';
    return { requestHeader: undefined, clientTrust, problems: [problem] };
  }
  const requestHeader: RequestHeaderConfig = {
    trust,
    allowedNames,
    usernameHeaders,
    uidHeaders: headerNames(data['requestheader-uid-headers']),
    groupHeaders: headerNames(data['requestheader-group-headers']),
    extraHeaderPrefixes: headerNames(data['requestheader-extra-headers-prefix']),
  };
  return { requestHeader, clientTrust, problems: [] };
}

function bundleOf(pem: string | undefined): TrustBundle | undefined {
  if (pem === undefined || pem.trim() === '') return undefined;
  const bundle = parseTrustBundle(pem);
  if (bundle.authorities.length === 0) throw new Error('an authority bundle holds no certificate');
  return bundle;
}

const headerNames = (json: string | undefined): readonly string[] =>
  textList(json).flatMap((name) => (name === '' ? [] : [name.toLowerCase()]));

function textList(json: string | undefined): readonly string[] {
  if (json === undefined || json.trim() === '') return [];
  const value: unknown = JSON.parse(json);
  // Go writes an empty list as null.
  if (value === null) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw new Error('not a JSON list of texts');
  return value;
}
