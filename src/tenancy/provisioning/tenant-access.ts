import { LRUCache } from 'lru-cache';
import type { Clock, Timer } from '../../base/clock.ts';
import type { KubeClient } from '../../kubeclient/client.ts';
import { SECRETS } from '../../kubeclient/resources.ts';
import type { CertificateAndKey } from '../../pki/certificate-and-key.ts';
import { issueCertificate, openAuthority } from '../../pki/issue.ts';
import type { TenantControlPlane } from '../api/tenant-control-plane.ts';
import { tenantObjectNames } from './names.ts';

/** Our certificate in a tenant lives so long, and is replaced when half of that is over. */
const CERTIFICATE_LIFETIME_MS = 60 * 60_000;
/** Clients of more tenants than this, or unused for longer than that, are closed. */
const MAX_CLIENTS = 256;
const IDLE_MS = 2 * 60_000;
/** A client that was replaced may still be in use: no call takes longer than this. */
const RETIRED_MS = 30_000;

export interface TenantClientOptions {
  readonly server: string;
  readonly serverName: string;
  readonly caCertificate: string;
  readonly client: CertificateAndKey;
}

export interface TenantAccessOptions {
  readonly adminClient: KubeClient;
  readonly clock: Clock;
  createClient(options: TenantClientOptions): KubeClient;
}

/** How we get into tenants: with a short-lived certificate signed by the tenant's own CA, over the tenant's Service. */
export interface TenantAccess {
  /** The tenant's CA, read live; undefined while there is none. */
  readAuthority(tenant: TenantControlPlane, signal?: AbortSignal): Promise<CertificateAndKey | undefined>;
  /** A client with all rights in the tenant; undefined while there is no CA. To be used at once: it is closed when it is old. */
  clientFor(tenant: TenantControlPlane, signal?: AbortSignal): Promise<KubeClient | undefined>;
  /** Closes the client of a tenant that is gone. */
  forget(uid: string): void;
  close(): void;
}

export function createTenantAccess(options: TenantAccessOptions): TenantAccess {
  const { adminClient, clock } = options;
  interface Entry {
    readonly client: KubeClient;
    readonly caCertificate: string;
    readonly server: string;
    readonly renewAtMs: number;
  }
  const retired = new Map<KubeClient, Timer>();
  const retire = (client: KubeClient): void => {
    const end = (): void => {
      retired.delete(client);
      client.close();
    };
    retired.set(client, clock.setTimer(RETIRED_MS, end));
  };
  const clients = new LRUCache<string, Entry>({
    max: MAX_CLIENTS,
    ttl: IDLE_MS,
    updateAgeOnGet: true,
    ttlResolution: 0,
    perf: { now: () => clock.monotonic() },
    // Deleted: the tenant is gone, or we stop.
    dispose: ({ client }, _uid, reason) => (reason === 'delete' ? client.close() : retire(client)),
  });
  /** Being made; whoever comes meanwhile gets the same one. */
  const making = new Map<string, Promise<KubeClient>>();

  const readAuthority = async (
    tenant: TenantControlPlane,
    signal?: AbortSignal,
  ): Promise<CertificateAndKey | undefined> => {
    const { name = '', namespace = '' } = tenant.metadata;
    const secret = await adminClient.find(SECRETS, namespace, tenantObjectNames(name).ca, signal ? { signal } : {});
    const certificate = decode(secret?.data?.['ca.crt']);
    const key = decode(secret?.data?.['ca.key']);
    // Never sign with a key that is not this tenant's: the Secret of that name may be somebody else's.
    const owned = secret?.metadata.ownerReferences?.some((owner) => owner.uid === tenant.metadata.uid) === true;
    return certificate === undefined || key === undefined || !owned ? undefined : { certificate, key };
  };

  const newClient = async (
    uid: string,
    authority: CertificateAndKey,
    address: Pick<TenantClientOptions, 'server' | 'serverName'>,
  ): Promise<KubeClient> => {
    const now = clock.now();
    const certificate = await issueCertificate(
      openAuthority(authority),
      {
        subject: { commonName: 'kamaji:controllers', organizations: ['system:masters'] },
        usages: ['client'],
        lifetimeMs: CERTIFICATE_LIFETIME_MS,
      },
      new Date(now),
    );
    const caCertificate = authority.certificate;
    const client = options.createClient({ ...address, caCertificate, client: certificate });
    const renewAtMs = now + CERTIFICATE_LIFETIME_MS / 2;
    clients.set(uid, { client, caCertificate, server: address.server, renewAtMs });
    return client;
  };

  return {
    readAuthority,
    async clientFor(tenant, signal) {
      const { uid = '', name = '', namespace = '' } = tenant.metadata;
      const authority = await readAuthority(tenant, signal);
      if (authority === undefined) return undefined;
      const serverName = `${tenantObjectNames(name).service}.${namespace}.svc`;
      const server = `https://${serverName}:${tenant.spec.networkProfile.port}`;
      clients.purgeStale();
      const known = clients.get(uid);
      if (known?.caCertificate === authority.certificate && known.server === server && clock.now() < known.renewAtMs) {
        return known.client;
      }
      const id = `${uid} ${server} ${authority.certificate}`;
      const pending = making.get(id) ?? newClient(uid, authority, { server, serverName });
      making.set(id, pending);
      return pending.finally(() => making.delete(id));
    },
    forget: (uid) => void clients.delete(uid),
    close() {
      clients.clear();
      for (const [client, timer] of retired) {
        timer.cancel();
        client.close();
      }
      retired.clear();
    },
  };
}

function decode(base64: string | undefined): string | undefined {
  return base64 === undefined || base64 === '' ? undefined : Buffer.from(base64, 'base64').toString('utf8');
}
