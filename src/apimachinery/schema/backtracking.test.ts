/** Strings that make careless expressions try every way to fail. */
import { expect, test } from 'vitest';
import { hasFormat } from './formats.ts';

const LENGTH = 100_000;
/** What an expression that looks at each character once needs a hundredth of. */
const LIMIT_MS = 250;

const pieces = [
  '0',
  '1',
  'a',
  'A',
  '.',
  '-',
  ':',
  'a.',
  'a-',
  '1.',
  '1:',
  '0:',
  'aa:',
  '0s',
  '1h',
  '%41',
  'a@',
  '<a>',
  ' ',
  '/',
  '=',
];
const endings = ['', '!', '\n', '\u0000', '@', '.', '-', 's'];

const hostile = pieces.flatMap((piece) =>
  endings.flatMap((ending) =>
    ['', '+', 'a:', '<'].map((start) => start + piece.repeat(LENGTH / piece.length) + ending),
  ),
);

test.each(['byte', 'cidr', 'date', 'date-time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'mac', 'uri', 'uuid'])(
  `format %s is judged quickly, whatever the text`,
  (format) => {
    let worst = { ms: 0, text: '' };
    for (const text of hostile) {
      const began = performance.now();
      hasFormat(format, text);
      const ms = performance.now() - began;
      if (ms > worst.ms) worst = { ms, text: `${text.slice(0, 6)}...${JSON.stringify(text.slice(-3))}` };
      if (ms > LIMIT_MS) break;
    }
    expect(worst.ms, worst.text).toBeLessThan(LIMIT_MS);
  },
);
