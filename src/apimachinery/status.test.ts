import { describe, expect, test } from 'vitest';
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  requiredValue,
  tooLongValue,
  tooManyValues,
  unsupportedValue,
} from './field-error.ts';
import { goQuote } from './go-format.ts';
import {
  isStatusError,
  newAlreadyExists,
  newConflict,
  newExpired,
  newForbidden,
  newInvalid,
  newMethodNotSupported,
  newNotFound,
  newResourceVersionTooLarge,
} from './status.ts';

const widgets = { group: 'example.com', resource: 'widgets' };

test('goQuote quotes like strconv.Quote', () => {
  expect(goQuote('a"b\\c\n\t\u0001é\u200b😀')).toBe('"a\\"b\\\\c\\n\\t\\x01é\\u200b😀"');
  expect(goQuote('\ud800')).toBe('"\ufffd"');
});

describe('field errors print like apimachinery', () => {
  test.each([
    [invalidValue('a', 'x', 'bad'), 'Invalid value: "x": bad'],
    [invalidValue('a', 5, 'bad'), 'Invalid value: 5: bad'],
    [invalidValue('a', { b: 1 }, 'bad'), 'Invalid value: {"b":1}: bad'],
    [invalidValue('a', null, 'bad'), 'Invalid value: null: bad'],
    [requiredValue('a'), 'Required value'],
    [requiredValue('a', 'why'), 'Required value: why'],
    [duplicateValue('a', 'x'), 'Duplicate value: "x"'],
    [unsupportedValue('a', 'x', ['y', 'z']), 'Unsupported value: "x": supported values: "y", "z"'],
    [forbiddenValue('a', 'no'), 'Forbidden: no'],
    [tooLongValue('a', 128), 'Too long: may not be more than 128 bytes'],
    [tooManyValues('a', 3, 1), 'Too many: 3: must have at most 1 item'],
  ])('%j', (error, message) => {
    expect(error.message).toBe(message);
  });
});

describe('wire errors', () => {
  test('have code, reason, details and words of kube-apiserver', () => {
    expect(newNotFound(widgets, 'x').status).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'widgets.example.com "x" not found',
      reason: 'NotFound',
      details: { name: 'x', group: 'example.com', kind: 'widgets' },
      code: 404,
    });
    expect(newAlreadyExists(widgets, 'x', true).message).toBe(
      'object is being deleted: widgets.example.com "x" already exists',
    );
    expect(newConflict(widgets, 'x', 'why').message).toBe(
      'Operation cannot be fulfilled on widgets.example.com "x": why',
    );
    expect(newForbidden(widgets, '', 'why').message).toBe('widgets.example.com is forbidden: why');
    expect(newForbidden({ group: '', resource: '' }, '', 'why').message).toBe('forbidden: why');
    expect(newMethodNotSupported(widgets, 'list').code).toBe(405);
    expect(newExpired('old', 'token').status.metadata).toEqual({ continue: 'token' });
    expect(newResourceVersionTooLarge(9, 5).status).toMatchObject({
      code: 504,
      reason: 'Timeout',
      message: 'Timeout: Too large resource version: 9, current: 5',
      details: { retryAfterSeconds: 1, causes: [{ reason: 'ResourceVersionTooLarge' }] },
    });
  });

  test('of a million findings a hundred are told, and of a huge value its beginning', () => {
    const errors = Array.from({ length: 1_000 }, (_, index) => invalidValue(`a[${index}]`, 'x'.repeat(100_000), 'bad'));
    const { status } = newInvalid({ group: 'example.com', kind: 'Widget' }, 'x', errors);
    expect(status.details?.causes).toHaveLength(100);
    expect(status.message).toMatch(/, and more\]$/);
    expect(JSON.stringify(status).length).toBeLessThan(3_000_000);
  });

  test('an invalid object names each finding once', () => {
    const one = newInvalid({ group: 'example.com', kind: 'Widget' }, 'x', [requiredValue('a')]);
    expect(one.message).toBe('Widget.example.com "x" is invalid: a: Required value');
    const two = newInvalid({ group: 'example.com', kind: 'Widget' }, 'x', [
      requiredValue('a'),
      requiredValue('b'),
      requiredValue('a'),
    ]);
    expect(two.message).toBe('Widget.example.com "x" is invalid: [a: Required value, b: Required value]');
    expect(two.status.details?.causes).toHaveLength(3);
    expect(isStatusError(two, 'Invalid')).toBe(true);
    expect(isStatusError(two, 'NotFound')).toBe(false);
    expect(isStatusError(new Error('x'))).toBe(false);
  });
});
