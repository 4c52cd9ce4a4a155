import { parse, stringify } from 'yaml';
import type { CertificateAndKey } from '../../pki/certificate-and-key.ts';

/** client-go's `v1` Config (tools/clientcmd/api/v1/types.go), the part of it that we write. Byte fields are base64. */
export interface Kubeconfig {
  readonly apiVersion: 'v1';
  readonly kind: 'Config';
  readonly clusters: readonly {
    readonly name: string;
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly contexts: readonly {
    readonly name: string;
    readonly context: { readonly cluster: string; readonly user: string };
  }[];
  readonly 'current-context': string;
  readonly preferences: Readonly<Record<string, never>>;
  readonly users: readonly {
    readonly name: string;
    readonly user:
      { readonly 'client-certificate-data': string; readonly 'client-key-data': string } | { readonly token: string };
  }[];
}

export interface KubeconfigParts {
  readonly clusterName: string;
  /** URL. */
  readonly server: string;
  /** PEM. */
  readonly caCertificate: string;
  readonly userName: string;
}

export type KubeconfigCredential = { readonly client: CertificateAndKey } | { readonly token: string };

/** One cluster, one user and the context `<user>@<cluster>`, as kubeadm names it (cmd/kubeadm/app/util/kubeconfig, CreateBasic). */
export function newKubeconfig(parts: KubeconfigParts & KubeconfigCredential): Kubeconfig {
  const { clusterName, userName } = parts;
  const contextName = `${userName}@${clusterName}`;
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: clusterName,
        cluster: { server: parts.server, 'certificate-authority-data': toBase64(parts.caCertificate) },
      },
    ],
    contexts: [{ name: contextName, context: { cluster: clusterName, user: userName } }],
    'current-context': contextName,
    preferences: {},
    users: [
      {
        name: userName,
        user:
          'client' in parts
            ? {
                'client-certificate-data': toBase64(parts.client.certificate),
                'client-key-data': toBase64(parts.client.key),
              }
            : { token: parts.token },
      },
    ],
  };
}

/** As a file: YAML 1.1, which is what client-go reads. */
export function kubeconfigText(config: Kubeconfig): string {
  return stringify(config, { lineWidth: 0, version: '1.1' });
}

/**
 * The client certificate of the first user of a kubeconfig file of any origin; undefined when it has none or the text is
 * not a kubeconfig. Whether it is a certificate is not looked at.
 */
export function kubeconfigClient(text: string): CertificateAndKey | undefined {
  const { certificate, key } = OWN_USER.exec(text)?.groups ?? parseUser(text);
  if (certificate === undefined || key === undefined) return undefined;
  return { certificate: fromBase64(certificate), key: fromBase64(key) };
}

/** The end of a file as `kubeconfigText` writes it; looked for first, as parsing YAML takes twenty times as long. */
const OWN_USER =
  /^users:\n {2}- name: [^\n]*\n {4}user:\n {6}client-certificate-data: (?<certificate>[\w+/=]+)\n {6}client-key-data: (?<key>[\w+/=]+)\n$/m;

function parseUser(text: string): { readonly certificate?: string; readonly key?: string } {
  let config: unknown;
  try {
    config = parse(text, { version: '1.1', logLevel: 'silent', maxAliasCount: 0 });
  } catch {
    // Unreadable means that it holds no certificate, which is what the caller has to know.
    return {};
  }
  const user = (config as { users?: { user?: Record<string, unknown> }[] } | null)?.users?.[0]?.user;
  const certificate = user?.['client-certificate-data'];
  const key = user?.['client-key-data'];
  return typeof certificate === 'string' && typeof key === 'string' ? { certificate, key } : {};
}

/** `https://host:port`, with brackets around an IPv6 address. */
export function serverUrl(host: string, port: number): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
