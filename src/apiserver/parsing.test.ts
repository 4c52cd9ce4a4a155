import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { parseGoDuration } from './go-duration.ts';
import { negotiateInput, negotiateOutput, parseAccept, plainForms } from './negotiation.ts';
import { deleteOptionsFromBody, parseListOptions, parseWriteOptions } from './options.ts';
import { parseRequestInfo } from './request-info.ts';
import { Warnings } from './warnings.ts';

const info = (method: string, url: string) => {
  const { pathname, search } = new URL(url, 'https://x');
  return parseRequestInfo(method, pathname, new URLSearchParams(search));
};

describe('parseRequestInfo', () => {
  const base = {
    isResourceRequest: true,
    group: 'g',
    version: 'v1',
    namespace: '',
    resource: 'things',
    subresource: '',
    name: '',
  };

  test.each([
    ['GET', '/apis/g/v1/things', { verb: 'list' }],
    ['GET', '/apis/g/v1/things/', { verb: 'list' }],
    ['GET', '/apis/g/v1/things?watch=true', { verb: 'watch' }],
    ['GET', '/apis/g/v1/things?watch=1', { verb: 'watch' }],
    ['GET', '/apis/g/v1/things?watch', { verb: 'watch' }],
    ['GET', '/apis/g/v1/things?watch=false', { verb: 'list' }],
    ['GET', '/apis/g/v1/things?watch=0', { verb: 'list' }],
    ['GET', '/apis/g/v1/things/x?watch=true', { verb: 'get', name: 'x' }],
    ['GET', '/apis/g/v1/namespaces/n/things', { verb: 'list', namespace: 'n' }],
    ['POST', '/apis/g/v1/namespaces/n/things', { verb: 'create', namespace: 'n' }],
    [
      'PUT',
      '/apis/g/v1/namespaces/n/things/x/status',
      { verb: 'update', namespace: 'n', name: 'x', subresource: 'status' },
    ],
    ['PATCH', '/apis/g/v1/namespaces/n/things/x', { verb: 'patch', namespace: 'n', name: 'x' }],
    ['DELETE', '/apis/g/v1/namespaces/n/things/x', { verb: 'delete', namespace: 'n', name: 'x' }],
    ['DELETE', '/apis/g/v1/namespaces/n/things', { verb: 'deletecollection', namespace: 'n' }],
    ['OPTIONS', '/apis/g/v1/things', { verb: '' }],
    [
      'GET',
      '/apis/g/v1/things?fieldSelector=metadata.name%3Dx',
      { verb: 'list', name: 'x', fieldSelector: 'metadata.name=x' },
    ],
    [
      'GET',
      '/apis/g/v1/things?fieldSelector=%3D%3D%3D&labelSelector=a',
      { verb: 'list', fieldSelector: '===', labelSelector: 'a' },
    ],
    ['GET', '/apis/g/v1/namespaces', { verb: 'list', resource: 'namespaces' }],
    ['GET', '/apis/g/v1/namespaces/n', { verb: 'get', resource: 'namespaces', name: 'n' }],
    ['GET', '/apis/g/v1/things/a%2fb', { verb: 'get', name: 'a', subresource: 'b' }],
  ])('%s %s', (method, url, expected) => {
    expect(info(method, url)).toMatchObject({ ...base, ...expected });
  });

  test.each([
    '/',
    '/apis',
    '/apis/g',
    '/apis/g/v1',
    '/apis/g/v1/',
    '/healthz',
    '/api/v1/pods',
    '/openapi/v3/apis/g/v1',
  ])('%s is no resource', (path) => {
    expect(info('GET', path)).toMatchObject({ isResourceRequest: false, verb: 'get', resource: '' });
  });

  test('never throws anything but a refusal', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (path, query) => {
        try {
          parseRequestInfo('GET', `/${path}`, new URLSearchParams(query));
        } catch (error) {
          expect(error).toMatchObject({ name: 'StatusError', code: 400 });
        }
      }),
    );
  });
});

describe('negotiation', () => {
  const forms = { conversions: ['Table', 'PartialObjectMetadata'] } as const;

  test.each([
    [undefined, 'application/json', undefined],
    ['', 'application/json', undefined],
    ['*/*', 'application/json', undefined],
    ['application/*', 'application/json', undefined],
    ['application/yaml', 'application/yaml', undefined],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'application/json', 'Table'],
    ['application/json;as=Table;v=v1beta1;g=meta.k8s.io', 'application/json', 'Table'],
    ['application/json;as=Table;v=v2;g=meta.k8s.io,application/json', 'application/json', undefined],
    ['application/json;as=Other;v=v1;g=meta.k8s.io,application/yaml', 'application/yaml', undefined],
    ['application/json;stream=watch', 'application/json', undefined],
    ['application/json;charset=utf-8', 'application/json', undefined],
    ['text/html;q=0.9, application/yaml;q=0.1', 'application/yaml', undefined],
  ])('%s', (accept, contentType, kind) => {
    const form = negotiateOutput(accept, forms);
    expect([form.contentType, form.convert?.kind]).toEqual([contentType, kind]);
  });

  test.each([
    'text/plain',
    'application/json;as=Table;v=v1;g=meta.k8s.io',
    'application/json;stream=other',
    ';;;',
    ',',
    'application',
  ])('%s is not acceptable', (accept) => {
    expect(() => negotiateOutput(accept, plainForms)).toThrow(
      'only the following media types are accepted: application/json, application/yaml',
    );
  });

  test('prefers what is more specific', () => {
    expect(
      parseAccept('*/*, application/*, application/json').map(({ type, subtype }) => `${type}/${subtype}`),
    ).toEqual(['application/json', 'application/*', '*/*']);
  });

  test('reads bodies by their type', () => {
    expect(negotiateInput(undefined)).toBe('json');
    expect(negotiateInput('application/json; charset=utf-8')).toBe('json');
    expect(negotiateInput('Application/YAML')).toBe('yaml');
    expect(() => negotiateInput('application/vnd.kubernetes.protobuf')).toThrow(
      'the body of the request was in an unknown format',
    );
  });
});

describe('options', () => {
  test('of writes', () => {
    const options = parseWriteOptions(
      'CreateOptions',
      new URLSearchParams('dryRun=All&fieldManager=me&fieldValidation=Strict'),
    );
    expect(options).toEqual({ dryRun: true, fieldManager: 'me', fieldValidation: 'Strict' });
    expect(parseWriteOptions('CreateOptions', new URLSearchParams('')).fieldValidation).toBe('Warn');
    expect(() => parseWriteOptions('UpdateOptions', new URLSearchParams('fieldManager=a%07b'))).toThrow(
      'invalid character U+0007 (at position 1)',
    );
    expect(() => parseWriteOptions('CreateOptions', new URLSearchParams('dryRun=All&dryRun=x'))).toThrow(
      'CreateOptions.meta.k8s.io',
    );
  });

  test('of lists and watches', () => {
    const parse = (query: string) => parseListOptions(new URLSearchParams(query));
    expect(parse('limit=-5').limit).toBe(0);
    expect(parse('watch=true')).toMatchObject({ sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' });
    expect(parse('watch=true&resourceVersion=0').sendInitialEvents).toBe(true);
    expect(parse('watch=true&resourceVersion=5').sendInitialEvents).toBeUndefined();
    expect(() => parse('limit=1e3')).toThrow('invalid syntax');
    expect(() => parse('limit=99999999999999999999')).toThrow('value out of range');
    expect(() => parse('resourceVersion=1&resourceVersionMatch=Exact&continue=x')).toThrow(
      'forbidden when continue is provided',
    );
  });

  test('of deletes', () => {
    expect(deleteOptionsFromBody({ propagationPolicy: 'Foreground', dryRun: ['All'], gracePeriodSeconds: -1 })).toEqual(
      {
        dryRun: true,
        propagationPolicy: 'Foreground',
      },
    );
    expect(
      deleteOptionsFromBody({ kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'x' } }).preconditions,
    ).toEqual({ uid: 'x' });
    for (const body of [
      { dryRun: 'All' },
      { dryRun: [1] },
      { preconditions: [] },
      { preconditions: { uid: 1 } },
      { gracePeriodSeconds: 'x' },
    ]) {
      expect(() => deleteOptionsFromBody(body)).toThrow('json: cannot unmarshal');
    }
  });

  test.each([
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['-1s', -1_000],
    ['0', 0],
    ['250ms', 250],
    ['30', undefined],
    ['s', undefined],
    ['', undefined],
    ['1s '.repeat(50), undefined],
  ])('duration %j', (text, ms) => {
    expect(parseGoDuration(text)).toBe(ms);
  });
});

describe('warnings', () => {
  test('are quoted, single, and bounded; a text with control characters is none', () => {
    const warnings = new Warnings();
    warnings.add('unknown field "spec.x"');
    warnings.add('unknown field "spec.x"');
    warnings.add('line\nbreak\r\nInjected: header');
    warnings.add('ü');
    expect(warnings.headers()).toEqual([
      '299 - "unknown field \\"spec.x\\""',
      `299 - "${Buffer.from('ü').toString('latin1')}"`,
    ]);
    const many = new Warnings();
    for (let i = 0; i < 100; i++) many.add(`${i} ${'x'.repeat(1000)}`);
    const headers = many.headers();
    // Cut to 256 characters, until 4,096 are passed.
    expect(headers.map((header) => header.length)).toEqual(Array.from({ length: 16 }, () => '299 - ""'.length + 256));
  });
});
