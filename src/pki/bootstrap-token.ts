import { randomInt } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

export interface BootstrapToken {
  /** Public half, 6 characters; names the Secret `bootstrap-token-<id>`. */
  readonly id: string;
  /** 16 characters, some 82 bits. */
  readonly secret: string;
}

/** A token as kubeadm takes it, written `<id>.<secret>` (k8s.io/cluster-bootstrap token/util). */
export function createBootstrapToken(): BootstrapToken {
  return { id: randomText(6), secret: randomText(16) };
}

function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
