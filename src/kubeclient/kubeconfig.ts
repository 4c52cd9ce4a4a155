import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock, type Clock } from '../base/clock.ts';
import {
  fileCredentials,
  fixedCredentials,
  type Connection,
  type CredentialFiles,
  type Credentials,
} from './connection.ts';

/** A kubeconfig or service account that cannot be used, and why. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

export interface LoadedKubeconfig extends Connection {
  /** Namespace of the context; "default" when it names none. */
  readonly namespace: string;
}

export interface KubeconfigOptions {
  /** Default: `current-context`. */
  readonly context?: string | undefined;
  /** Folder that relative file names start from. */
  readonly directory?: string | undefined;
  /** Honour `insecure-skip-tls-verify`; otherwise a kubeconfig that sets it is refused. */
  readonly allowInsecure?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a `v1` Config object. Of the ways to log in it takes client certificates and tokens, inline or as files.
 * @throws KubeconfigError naming what is missing, wrong or not supported (exec, auth-provider, passwords, impersonation, proxies).
 */
export function parseKubeconfig(config: unknown, options: KubeconfigOptions = {}): LoadedKubeconfig {
  if (!isFields(config)) throw new KubeconfigError('a kubeconfig must be an object');
  if (config['kind'] !== undefined && config['kind'] !== 'Config') {
    throw new KubeconfigError(`a kubeconfig must be of kind Config, not ${JSON.stringify(config['kind'])}`);
  }
  const contextName = options.context ?? text(config, 'current-context', 'the kubeconfig');
  if (contextName === undefined || contextName === '')
    throw new KubeconfigError('the kubeconfig names no current-context');
  const context = named(config, 'contexts', 'context', contextName);
  const clusterName = text(context, 'cluster', `context ${contextName}`) ?? '';
  const cluster = named(config, 'clusters', 'cluster', clusterName);
  const userName = text(context, 'user', `context ${contextName}`);
  const user = userName === undefined || userName === '' ? {} : named(config, 'users', 'user', userName);
  const directory = options.directory ?? '.';
  const inCluster = `cluster ${clusterName}`;
  const inUser = `user ${userName ?? ''}`;
  refuse(cluster, inCluster, ['proxy-url']);
  refuse(user, inUser, ['exec', 'auth-provider', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra']);

  const ca = material(cluster, 'certificate-authority', inCluster, directory);
  const certificate = material(user, 'client-certificate', inUser, directory);
  const key = material(user, 'client-key', inUser, directory);
  const tokenFile = text(user, 'tokenFile', inUser);
  const fixed: Credentials = {
    ca: ca.data,
    certificate: certificate.data,
    key: key.data,
    token: text(user, 'token', inUser),
  };
  const files: CredentialFiles = {
    ca: ca.file,
    certificate: certificate.file,
    key: key.file,
    token: tokenFile === undefined ? undefined : path.resolve(directory, tokenFile),
  };
  const present = (name: keyof Credentials): boolean => fixed[name] !== undefined || files[name] !== undefined;
  if (present('certificate') !== present('key')) {
    throw new KubeconfigError(`${inUser} needs both client-certificate and client-key, or neither`);
  }
  const insecure = cluster['insecure-skip-tls-verify'] === true;
  if (insecure && !options.allowInsecure) {
    throw new KubeconfigError(
      `${inCluster} sets insecure-skip-tls-verify, which is not allowed here: give its certificate-authority`,
    );
  }
  const server = serverUrl(text(cluster, 'server', inCluster), inCluster, present('token') || present('key'));
  const anyFile = Object.values(files).some((file) => file !== undefined);
  return {
    server,
    serverName: text(cluster, 'tls-server-name', inCluster),
    insecureSkipTlsVerify: insecure,
    credentials: anyFile ? fileCredentials(files, fixed, options.clock ?? systemClock) : fixedCredentials(fixed),
    namespace: text(context, 'namespace', `context ${contextName}`) ?? 'default',
  };
}

/** Reads a kubeconfig file, YAML or JSON. @throws KubeconfigError */
export async function loadKubeconfig(
  file: string,
  options: Omit<KubeconfigOptions, 'directory'> = {},
): Promise<LoadedKubeconfig> {
  const source = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new KubeconfigError(`cannot read the kubeconfig ${file}`, { cause: error });
  });
  // The YAML parser is loaded only where a file has to be read: in a cluster there is none.
  const { parse } = await import('yaml');
  let config: unknown;
  try {
    config = parse(source);
  } catch (error) {
    // The parser's message quotes the line, which may hold a key.
    const line = (error as { linePos?: readonly { line: number }[] }).linePos?.[0]?.line;
    throw new KubeconfigError(`${file} is not YAML${line === undefined ? '' : ` (line ${line})`}`);
  }
  return parseKubeconfig(config, { ...options, directory: path.dirname(file) });
}

const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface InClusterOptions {
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly directory?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** The connection that every pod has. Token and CA are read again as they are renewed. @throws KubeconfigError outside of a pod. */
export async function loadInCluster(options: InClusterOptions = {}): Promise<LoadedKubeconfig> {
  const environment = options.environment ?? process.env;
  const directory = options.directory ?? SERVICE_ACCOUNT_DIRECTORY;
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) {
    throw new KubeconfigError('not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set');
  }
  const files = { ca: path.join(directory, 'ca.crt'), token: path.join(directory, 'token') };
  const credentials = fileCredentials(files, {}, options.clock ?? systemClock);
  try {
    await credentials.current();
    const namespace = (await readFile(path.join(directory, 'namespace'), 'utf8')).trim();
    return { server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, credentials, namespace };
  } catch (error) {
    throw new KubeconfigError(`no service account in ${directory}`, { cause: error });
  }
}

function serverUrl(server: string | undefined, where: string, hasCredentials: boolean): string {
  if (server === undefined || server === '') throw new KubeconfigError(`${where} has no server`);
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.hostname === '') {
    throw new KubeconfigError(`${where}: server must be an http(s) URL`);
  }
  if (url.username !== '' || url.password !== '')
    throw new KubeconfigError(`${where}: server must not carry a password`);
  if (url.protocol === 'http:' && hasCredentials) {
    throw new KubeconfigError(`${where}: credentials are not sent over plain http`);
  }
  return server.replace(/\/+$/, '');
}

function named(config: Fields, list: string, field: string, name: string): Fields {
  const entries = config[list];
  const entry = Array.isArray(entries)
    ? (entries as unknown[]).find((item) => isFields(item) && item['name'] === name)
    : undefined;
  const value = isFields(entry) ? entry[field] : undefined;
  if (!isFields(value)) throw new KubeconfigError(`the kubeconfig has no ${field} named "${name}"`);
  return value;
}

/** `<name>-data` in base64 goes before the file `<name>`, as in client-go. */
function material(
  fields: Fields,
  name: string,
  where: string,
  directory: string,
): { readonly data?: string; readonly file?: string } {
  const encoded = text(fields, `${name}-data`, where);
  if (encoded !== undefined && encoded !== '') {
    const data = Buffer.from(encoded, 'base64').toString('utf8');
    if (!data.includes('-----BEGIN ')) throw new KubeconfigError(`${where}: ${name}-data is not PEM in base64`);
    return { data };
  }
  const file = text(fields, name, where);
  return file === undefined || file === '' ? {} : { file: path.resolve(directory, file) };
}

function refuse(fields: Fields, where: string, names: readonly string[]): void {
  for (const name of names) {
    const value = fields[name];
    if (value !== undefined && value !== null && value !== '') {
      throw new KubeconfigError(`${where} uses ${name}, which is not supported: use a client certificate or a token`);
    }
  }
}

function text(fields: Fields, name: string, where: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new KubeconfigError(`${where}: ${name} must be a string`);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
