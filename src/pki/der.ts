/**
 * DER (ITU-T X.690), as much as X.509 certificates need. Written here because the cryptography is Node's own and only the
 * envelope is missing: a general ASN.1 library costs 3 ms of CPU a certificate and 25 MB of memory.
 */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

function encode(tag: number, content: Buffer): Buffer {
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.concat([Buffer.of(tag, 0x80 | bytes.length, ...bytes), content]);
}

export function derSequence(...items: readonly Buffer[]): Buffer {
  return encode(TAG.sequence, Buffer.concat(items));
}

export function derSet(item: Buffer): Buffer {
  return encode(TAG.set, item);
}

/** Context-specific tag around whole elements. */
export function derExplicit(tag: number, content: Buffer): Buffer {
  return encode(0xa0 | tag, content);
}

/** Context-specific tag in place of a primitive's own. */
export function derImplicit(tag: number, content: Buffer): Buffer {
  return encode(0x80 | tag, content);
}

export function derBoolean(value: boolean): Buffer {
  return encode(TAG.boolean, Buffer.of(value ? 0xff : 0));
}

/** A non-negative integer from its big-endian bytes. */
export function derUnsigned(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  return encode(TAG.integer, (trimmed[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed);
}

export function derBitString(content: Buffer, unusedBits = 0): Buffer {
  return encode(TAG.bitString, Buffer.concat([Buffer.of(unusedBits), content]));
}

export function derOctetString(content: Buffer): Buffer {
  return encode(TAG.octetString, content);
}

export function derNull(): Buffer {
  return encode(TAG.null, Buffer.alloc(0));
}

/** Dotted notation, such as `2.5.4.3`. */
export function derObjectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const group = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) group.unshift(0x80 | (left & 0x7f));
    bytes.push(...group);
  }
  return encode(TAG.objectIdentifier, Buffer.from(bytes));
}

/** PrintableString where the text allows it, else UTF8String: the choice of Go's encoding/asn1. */
export function derText(text: string): Buffer {
  return /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text)
    ? encode(TAG.printableString, Buffer.from(text, 'latin1'))
    : encode(TAG.utf8String, Buffer.from(text, 'utf8'));
}

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
export function derTime(date: Date): Buffer {
  const digits = date
    .toISOString()
    .replaceAll(/[-:T]|\.\d+/g, '')
    .replace('Z', '');
  return date.getUTCFullYear() < 2050
    ? encode(TAG.utcTime, Buffer.from(`${digits.slice(2)}Z`, 'latin1'))
    : encode(TAG.generalizedTime, Buffer.from(`${digits}Z`, 'latin1'));
}

/** One element found in a buffer. */
export interface DerElement {
  readonly tag: number;
  /** Header and content. */
  readonly raw: Buffer;
  readonly content: Buffer;
}

/**
 * The elements that stand one after another in a buffer. Meant for what OpenSSL has accepted already: it throws a
 * RangeError on anything cut short, and does not check more.
 */
export function derElements(buffer: Buffer): readonly DerElement[] {
  const elements: DerElement[] = [];
  let offset = 0;
  while (offset < buffer.length) {
    const tag = buffer.readUInt8(offset);
    let length = buffer.readUInt8(offset + 1);
    let start = offset + 2;
    if (length & 0x80) {
      const size = length & 0x7f;
      length = buffer.readUIntBE(start, size);
      start += size;
    }
    const end = start + length;
    if (end > buffer.length) throw new RangeError('a DER element is longer than the buffer that holds it');
    elements.push({ tag, raw: buffer.subarray(offset, end), content: buffer.subarray(start, end) });
    offset = end;
  }
  return elements;
}
