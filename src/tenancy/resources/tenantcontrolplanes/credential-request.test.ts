import { describe, expect, it } from 'vitest';
import { tenantFixture } from '../../../../test/env/tenant.ts';
import { applyDefaults } from '../../../apimachinery/schema/defaulting.ts';
import { validate } from '../../../apimachinery/schema/validation.ts';
import type { ConnectRequest } from '../../../apiserver/registry/definition.ts';
import {
  credentialRequestSchema,
  newNotProvisioned,
  requestedLifetimeMs,
  requireEndpoint,
} from './credential-request.ts';

const lifetime = (body: object | undefined): number =>
  requestedLifetimeMs({ body } as unknown as ConnectRequest, 'KubeconfigRequest', 't1');

describe('a request for a credential', () => {
  it.each<[object | undefined, number]>([
    [undefined, 3_600_000],
    [{}, 3_600_000],
    [{ spec: {} }, 3_600_000],
    [{ spec: { expirationSeconds: 600 } }, 600_000],
    [{ spec: { expirationSeconds: 86_400 } }, 86_400_000],
  ])('%j lasts %d ms', (body, ms) => {
    expect(lifetime(body)).toBe(ms);
  });

  it.each([599, 86_401, 0, -600, Number.MAX_SAFE_INTEGER, 1e300, Number.NaN, 700.5])(
    'may not last %d seconds',
    (seconds) => {
      expect(() => lifetime({ spec: { expirationSeconds: seconds } })).toThrow(
        /KubeconfigRequest.*"t1" is invalid: spec.expirationSeconds: Invalid value: .*must be between 600 and 86400/,
      );
    },
  );

  it('has one field', () => {
    expect(applyDefaults(credentialRequestSchema, {})).toEqual({});
    expect(validate(credentialRequestSchema, { spec: { expirationSeconds: 700 } })).toEqual([]);
    expect(validate(credentialRequestSchema, { spec: { expirationSeconds: '700' } })).not.toEqual([]);
  });
});

describe('a tenant that is not far enough', () => {
  it('is one without an address', () => {
    const tenant = tenantFixture();
    expect(() => requireEndpoint(tenant)).toThrow('not provisioned yet');
    expect(() => requireEndpoint({ ...tenant, status: { controlPlaneEndpoint: '' } })).toThrow('not provisioned yet');
    expect(requireEndpoint({ ...tenant, status: { controlPlaneEndpoint: 'a:1' } })).toBe('a:1');
  });

  it('is worth another try', () => {
    expect(newNotProvisioned(tenantFixture())).toMatchObject({
      status: { code: 503, details: { retryAfterSeconds: 1 } },
    });
  });
});
