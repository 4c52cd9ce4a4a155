import type { X509Certificate } from 'node:crypto';
import { derElements, type DerElement } from '../../pki/der.ts';

/** What node's X509Certificate does not tell without ambiguity, read from the certificate itself. */
export interface CertificateFacts {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly extensions: readonly CertificateExtension[];
}

export interface CertificateExtension {
  /** Object identifier as hex of its DER content, such as `551d13` for basicConstraints. */
  readonly id: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

const COMMON_NAME = '550403';
const ORGANIZATION = '55040a';
const EXPLICIT_VERSION = 0xa0;
const EXPLICIT_EXTENSIONS = 0xa3;
const BOOLEAN = 0x01;

/**
 * Reads subject and extensions. A subject printed as text mixes up values with separators; this does not. As in Go's
 * crypto/x509/pkix (FillFromRDNSequence) the last common name counts. @throws RangeError for a certificate cut short
 */
export function readCertificateFacts(certificate: X509Certificate): CertificateFacts {
  const fields = children(children(derElements(certificate.raw)[0])[0]);
  // TBSCertificate: version (absent in v1), serialNumber, signature, issuer, validity, subject, ...
  const subject = fields[(fields[0]?.tag === EXPLICIT_VERSION ? 1 : 0) + 4];
  let commonName = '';
  const organizations: string[] = [];
  for (const attribute of children(subject).flatMap((set) => children(set))) {
    const [type, value] = children(attribute);
    const id = type?.content.toString('hex');
    if (id === COMMON_NAME) commonName = textOf(value);
    else if (id === ORGANIZATION) organizations.push(textOf(value));
  }
  const extensions = children(children(fields.find(({ tag }) => tag === EXPLICIT_EXTENSIONS))[0]).map((extension) => {
    const parts = children(extension);
    const [id, second] = parts;
    const critical = second?.tag === BOOLEAN && second.content[0] !== 0;
    return { id: id?.content.toString('hex') ?? '', critical, value: parts.at(-1)?.content ?? Buffer.alloc(0) };
  });
  return { commonName, organizations, extensions };
}

/** How many more authorities may follow below this one; undefined: any number. */
export function pathLengthOf(facts: CertificateFacts): number | undefined {
  const constraints = facts.extensions.find(({ id }) => id === '551d13');
  const length = constraints && children(derElements(constraints.value)[0]).find(({ tag }) => tag !== BOOLEAN);
  return length && Number.parseInt(length.content.toString('hex') || '0', 16);
}

function children(element: DerElement | undefined): readonly DerElement[] {
  return element === undefined ? [] : derElements(element.content);
}

const BMP_STRING = 0x1e;
const UTF8_STRING = 0x0c;

function textOf(value: DerElement | undefined): string {
  if (value === undefined) return '';
  if (value.tag === BMP_STRING) return Buffer.from(value.content).swap16().toString('utf16le');
  return value.content.toString(value.tag === UTF8_STRING ? 'utf8' : 'latin1');
}
