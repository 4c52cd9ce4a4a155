import { createPrivateKey, createPublicKey, generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { PkiError } from './pki-error.ts';

const generateKeyPairAsync = promisify(generateKeyPair);

/** The algorithms that we make keys with, named as kubeadm's `encryptionAlgorithm` names them. */
export const KEY_ALGORITHMS = ['ECDSA-P256', 'RSA-2048'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];
export const DEFAULT_KEY_ALGORITHM: KeyAlgorithm = 'ECDSA-P256';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** PEM texts of a pair used for signatures alone, without a certificate. */
export interface SigningKeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/**
 * Makes a key pair. P-256 takes some 30 microseconds and is made at once; RSA takes about 100 ms of CPU and is made on
 * the thread pool, so that the event loop goes on.
 */
export async function generateKeys(algorithm: KeyAlgorithm = DEFAULT_KEY_ALGORITHM): Promise<KeyPair> {
  return algorithm === 'RSA-2048'
    ? generateKeyPairAsync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Key pair for signing service account tokens: `sa.key` and `sa.pub`. ECDSA P-256 makes the apiserver sign with ES256. */
export async function createSigningKeyPair(algorithm?: KeyAlgorithm): Promise<SigningKeyPair> {
  const keys = await generateKeys(algorithm);
  return { privateKey: privateKeyToPem(keys.privateKey), publicKey: publicKeyToPem(keys.publicKey) };
}

/**
 * `EC PRIVATE KEY` (SEC 1) or `RSA PRIVATE KEY` (PKCS #1), which is what kubeadm writes (client-go
 * util/keyutil/key.go, MarshalPrivateKeyToPEM); keys of other types become PKCS #8.
 */
export function privateKeyToPem(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' });
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' });
    default:
      return key.export({ type: 'pkcs8', format: 'pem' });
  }
}

/** `PUBLIC KEY` (PKIX). */
export function publicKeyToPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' });
}

/** Throws PkiError UnparsableKey. */
export function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is left out: OpenSSL's text says nothing useful, and a key must not travel in an error.
    throw new PkiError('UnparsableKey', 'the private key is not valid PEM of an unencrypted private key');
  }
}

/** Throws PkiError UnparsableKey. */
export function parsePublicKey(pem: string): KeyObject {
  try {
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) throw new Error('private');
    return createPublicKey(pem);
  } catch {
    throw new PkiError('UnparsableKey', 'the public key is not valid PEM of a public key');
  }
}

/** Whether both halves belong together. Throws PkiError UnparsableKey. */
export function isSigningKeyPair(pair: SigningKeyPair): boolean {
  return createPublicKey(parsePrivateKey(pair.privateKey)).equals(parsePublicKey(pair.publicKey));
}

/** `ECDSA-P256`, `RSA-2048`, `RSA-4096`, `ECDSA-P384`, `ed25519`, ...: for comparison with what is wanted. */
export function keyAlgorithmOf(key: KeyObject): string {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'ec':
      return `ECDSA-${curveName(details?.namedCurve)}`;
    case 'rsa':
      return `RSA-${details?.modulusLength ?? 0}`;
    default:
      return key.asymmetricKeyType ?? 'unknown';
  }
}

function curveName(openSslName: string | undefined): string {
  switch (openSslName) {
    case 'prime256v1':
      return 'P256';
    case 'secp384r1':
      return 'P384';
    case 'secp521r1':
      return 'P521';
    default:
      return openSslName ?? 'unknown';
  }
}
