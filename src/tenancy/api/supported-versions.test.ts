import { expect, test } from 'vitest';
import { compareVersions, formatVersion, versionFromText } from './supported-versions.ts';

test.each([
  ['v1.36.1', 'v1.36.1'],
  ['1.36.1', 'v1.36.1'],
  ['v1.36.0-rc.1', 'v1.36.0-rc.1'],
])('%s is version %s', (text, canonical) => {
  const version = versionFromText(text);
  expect(version && formatVersion(version)).toBe(canonical);
});

test.each([
  '',
  'v',
  'latest',
  '1.36',
  'v1.36',
  'V1.36.1',
  'v01.36.1',
  '1.36.1.1',
  'v1.36.1+k3s1',
  'v1.36.0-01',
  ' v1.36.1',
  'v1.36.1\n',
])('no version: %j', (text) => expect(versionFromText(text)).toBeUndefined());

test('versions are ordered as semver.org says', () => {
  const ordered = [
    '1.35.9',
    '1.36.0-1',
    '1.36.0-2',
    '1.36.0-alpha',
    '1.36.0-alpha.1',
    '1.36.0-alpha.beta',
    '1.36.0-beta',
    '1.36.0-rc.1',
    '1.36.0',
    '1.36.1',
    '1.36.10',
    '2.0.0',
  ].map((text) => versionFromText(text)!);
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) expect(Math.sign(compareVersions(a, b))).toBe(Math.sign(i - j));
  }
});
