import type { ParityCase } from '../case.ts';
import { APPLY, JSON_PATCH, get, merge, parity, parityIn, post, put, remove, send, setup } from '../case.ts';
import { SAMPLE, SAMPLES, TENANTS, sample, tenant } from '../subjects.ts';

const MIB = 1024 * 1024;
const there = setup(post(SAMPLES, sample()));
const padded = (bytes: number): string => {
  const head = '{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME"},"spec":{"text":"';
  return `${head}${'x'.repeat(bytes)}"}}`;
};
const nested = (depth: number): string =>
  `{"apiVersion":"$R/v1","kind":"Sample","metadata":{"name":"$NAME"},"spec":{"free":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}}`;

export const cases: readonly ParityCase[] = [
  parity('limits: a body of more than 3 MiB', post(SAMPLES, padded(3 * MIB))),
  parity('limits: an update of more than 3 MiB', there, put(SAMPLE, padded(3 * MIB))),
  parity(
    'limits: a merge patch of more than 3 MiB',
    there,
    merge(SAMPLE, `{"spec":{"text":"${'x'.repeat(3 * MIB)}"}}`),
  ),
  parity(
    'limits: a JSON patch of more than 3 MiB',
    there,
    send('PATCH', SAMPLE, `[{"op":"add","path":"/spec/text","value":"${'x'.repeat(3 * MIB)}"}]`, {
      'Content-Type': JSON_PATCH,
    }),
  ),
  parity(
    'limits: an apply of more than 3 MiB',
    there,
    send('PATCH', `${SAMPLE}?fieldManager=a`, padded(3 * MIB), { 'Content-Type': APPLY }),
  ),
  parity('limits: a delete of more than 3 MiB', there, remove(SAMPLE, `{"foo":"${'x'.repeat(3 * MIB)}"}`)),
  parity('limits: an object of 1 MiB', post(SAMPLES, padded(MIB)), get(SAMPLE, { 'Accept-Encoding': 'gzip' })),
  parity('limits: nesting of 100', post(SAMPLES, nested(100))),
  parity('limits: nesting of 480', post(SAMPLES, nested(480))),
  parity('limits: nesting of 11000', post(SAMPLES, nested(11_000))),
  parity('limits: nesting of lists of 11000', post(SAMPLES, '['.repeat(11_000))),
  parity(
    'limits: a large answer is compressed when asked',
    setup(post(SAMPLES, padded(200 * 1024))),
    get(`${SAMPLE}?x=1`, { 'Accept-Encoding': 'gzip' }),
  ),
  parity('limits: a large answer is not compressed unasked', setup(post(SAMPLES, padded(200 * 1024))), get(SAMPLE)),
  parity(
    'limits: an answer just below the threshold',
    setup(post(SAMPLES, padded(100 * 1024))),
    get(SAMPLE, { 'Accept-Encoding': 'gzip' }),
  ),
  parity(
    'limits: gzip with weights',
    setup(post(SAMPLES, padded(200 * 1024))),
    get(SAMPLE, { 'Accept-Encoding': 'gzip;q=0.5, deflate' }),
  ),
  parity(
    'limits: gzip refused by weight',
    setup(post(SAMPLES, padded(200 * 1024))),
    get(SAMPLE, { 'Accept-Encoding': 'gzip;q=0' }),
  ),
  parity(
    'limits: another encoding',
    setup(post(SAMPLES, padded(200 * 1024))),
    get(SAMPLE, { 'Accept-Encoding': 'br' }),
  ),
  parity('limits: any encoding', setup(post(SAMPLES, padded(200 * 1024))), get(SAMPLE, { 'Accept-Encoding': '*' })),
  parityIn(
    'limits: a large list is compressed',
    setup(post(SAMPLES, padded(200 * 1024))),
    get(SAMPLES, { 'Accept-Encoding': 'gzip' }),
  ),
  parity('limits: a large create is compressed', post(SAMPLES, padded(200 * 1024), { 'Accept-Encoding': 'gzip' })),
  parity(
    'limits: a body that is compressed',
    post(SAMPLES, Buffer.from('1f8b08000000000000034bcb070021', 'hex'), { 'Content-Encoding': 'gzip' }),
  ),
  parity(
    'limits: 10000 labels',
    post(SAMPLES, sample({ labels: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`l${i}`, 'v'])) })),
    get(`${SAMPLES}?labelSelector=l9999%3Dv&limit=1&fieldSelector=metadata.name%3Dnone`),
  ),
  parity(
    'limits: 5000 items in a set',
    post(SAMPLES, sample({}, { set: Array.from({ length: 5_000 }, (_, i) => `i${i}`) })),
  ),
  parity(
    'limits: a URL of 8000 characters',
    get(`${SAMPLES}?labelSelector=${'a'.repeat(60)}%3Db&x=${'y'.repeat(8_000)}`),
  ),
  parity('limits: impersonation without permission', get(`${TENANTS}?limit=1`, { 'Impersonate-User': 'nobody' })),
  parity(
    'limits: forbidden create',
    post(TENANTS, tenant(), { 'Impersonate-User': 'nobody', 'Impersonate-Group': 'nobodies' }),
  ),
  parity('limits: forbidden subresource', get(`${TENANTS}/a/status`, { 'Impersonate-User': 'nobody' })),
];
