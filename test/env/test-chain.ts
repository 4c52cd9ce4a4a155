// oxlint-disable-next-line import/no-unassigned-import -- the certificate library needs it loaded first
import 'reflect-metadata';
import { webcrypto, type X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;

export interface LinkOptions {
  /** X.500 name, such as `CN=a,O=b`. */
  readonly name: string;
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** Object identifiers; undefined: no such extension. */
  readonly usages?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly extensions?: readonly x509.Extension[];
}

export const CLIENT_AUTH = x509.ExtendedKeyUsage.clientAuth;
export const SERVER_AUTH = x509.ExtendedKeyUsage.serverAuth;

/** An extension by its object identifier; `value` is DER. */
export function anyExtension(id: string, critical: boolean, value: readonly number[]): x509.Extension {
  return new x509.Extension(id, critical, new Uint8Array(value));
}

/** A certificate of any shape, and the next one signed by it: for judging what we do with certificates that our own code would not make. */
export class ChainLink {
  readonly certificate: string;
  readonly key: string;
  readonly #name: string;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: string, key: string, name: string, keys: webcrypto.CryptoKeyPair) {
    this.certificate = certificate;
    this.key = key;
    this.#name = name;
    this.#keys = keys;
  }

  static root(options: LinkOptions): Promise<ChainLink> {
    return ChainLink.#make({ ca: true, ...options }, undefined);
  }

  issue(options: LinkOptions): Promise<ChainLink> {
    return ChainLink.#make(options, this);
  }

  static async #make(options: LinkOptions, issuer: ChainLink | undefined): Promise<ChainLink> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      subject: options.name,
      issuer: issuer === undefined ? options.name : issuer.#name,
      publicKey: keys.publicKey,
      signingKey: (issuer === undefined ? keys : issuer.#keys).privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: options.notBefore ?? new Date(Date.now() - HOUR_MS),
      notAfter: options.notAfter ?? new Date(Date.now() + HOUR_MS),
      extensions: [
        ...(options.ca === true ? [new x509.BasicConstraintsExtension(true, options.pathLength, true)] : []),
        ...(options.usages === undefined ? [] : [new x509.ExtendedKeyUsageExtension([...options.usages])]),
        ...(options.extensions ?? []),
      ],
    });
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
    return new ChainLink(`${certificate.toString('pem')}\n`, key, options.name, keys);
  }
}

/** What a server sees of a client that shows these certificates (leaf first) in a real handshake. */
export async function showToServer(...chain: readonly [ChainLink, ...ChainLink[]]): Promise<X509Certificate> {
  const own = await ChainLink.root({ name: 'CN=localhost' });
  const server = createServer({ key: own.key, cert: own.certificate, requestCert: true, rejectUnauthorized: false });
  const seen = new Promise<X509Certificate>((resolve, reject) => {
    server.once('tlsClientError', reject);
    server.once('secureConnection', (socket: TLSSocket) => {
      const certificate = socket.getPeerX509Certificate();
      socket.end();
      if (certificate === undefined) reject(new Error('the client showed no certificate'));
      else resolve(certificate);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    key: chain[0].key,
    cert: chain.map((link) => link.certificate).join(''),
    rejectUnauthorized: false,
  });
  client.on('error', () => undefined);
  client.resume();
  try {
    return await seen;
  } finally {
    client.destroy();
    server.close();
  }
}
