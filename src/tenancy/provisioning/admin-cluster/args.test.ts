import { describe, expect, it } from 'vitest';
import { hasFlag, mergeArguments, type ArgumentRules } from './args.ts';

describe('mergeArguments', () => {
  it.each<[string, ArgumentRules, readonly string[]]>([
    ['ours are sorted', { managed: { b: '2', c: '3' }, defaults: { a: '1' } }, ['--a=1', '--b=2', '--c=3']],
    ['undefined is absent', { managed: { a: undefined, b: '' } }, ['--b=']],
    ['a list is the same flag several times', { managed: { a: ['1', '2'] } }, ['--a=1', '--a=2']],
    ['managed beats the user', { managed: { a: '1' }, extra: ['--a=2', '--b=3'] }, ['--a=1', '--b=3']],
    [
      'managed beats a value of its own item',
      { managed: { a: '1' }, extra: ['--a', '2', '--b', '3'] },
      ['--a=1', '--b', '3'],
    ],
    ['managed beats a bare flag', { managed: { a: 'false' }, extra: ['--a', '--b'] }, ['--a=false', '--b']],
    [
      'managed beats the other spelling',
      { managed: { 'secure-port': '1' }, extra: ['--secure_port=2'] },
      ['--secure-port=1'],
    ],
    [
      'managed is not beaten by a prefix',
      { managed: { etcd: '1' }, extra: ['--etcd-servers=x'] },
      ['--etcd=1', '--etcd-servers=x'],
    ],
    ['the user beats a default', { defaults: { a: '1', b: '2' }, extra: ['--a=3'] }, ['--b=2', '--a=3']],
    [
      'the user beats a default by the other spelling',
      { defaults: { 'a-b': '1' }, extra: ['--a_b', '3'] },
      ['--a_b', '3'],
    ],
    [
      'repeated flags of the user stay, in their order',
      { defaults: { z: '0' }, extra: ['--y=1', '--feature-gates=A=true', '--x', '--feature-gates=B=false'] },
      ['--z=0', '--y=1', '--feature-gates=A=true', '--x', '--feature-gates=B=false'],
    ],
    ['values with = and spaces stay whole', { extra: ['--a=b=c d', '--e=--f'] }, ['--a=b=c d', '--e=--f']],
    [
      'short flags and what follows them stay',
      { managed: { v: '1' }, extra: ['-v=4', '-v', '5'] },
      ['--v=1', '-v=4', '-v', '5'],
    ],
    [
      'a value after --flag=value is not dropped with it',
      { managed: { a: '1' }, extra: ['--a=2', 'stray'] },
      ['--a=1', 'stray'],
    ],
    ['nothing at all', {}, []],
  ])('%s', (_name, rules, expected) => {
    expect(mergeArguments(rules)).toEqual(expected);
  });

  it('finds flags in every spelling', () => {
    for (const extra of [['--a-b'], ['--a_b=1'], ['--x=1', '--a-b', '1']]) expect(hasFlag(extra, 'a-b')).toBe(true);
    for (const extra of [undefined, [], ['--a-b-c=1'], ['--x', 'a-b'], ['-a-b']])
      expect(hasFlag(extra, 'a-b')).toBe(false);
  });
});
