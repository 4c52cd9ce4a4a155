import { expect, it } from 'vitest';
import { createBootstrapToken } from './bootstrap-token.ts';

it('makes tokens of the form that kubeadm takes, never twice', () => {
  const tokens = Array.from({ length: 200 }, () => createBootstrapToken());
  for (const { id, secret } of tokens) expect(`${id}.${secret}`).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
  expect(new Set(tokens.map(({ secret }) => secret)).size).toBe(200);
});
