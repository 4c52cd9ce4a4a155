import { describe, expect, it } from 'vitest';
import type { ManagedFieldsEntry } from '../object.ts';
import { toParentFields, toScaleFields } from './scale-ownership.ts';

const paths = { 'g.io/v1': ['spec', 'size', 'replicas'], 'g.io/v2': undefined };
const base = { apiVersion: 'g.io/v1', fieldsType: 'FieldsV1', time: '2020-01-01T00:00:00Z' } as const;
const owner: ManagedFieldsEntry = {
  ...base,
  manager: 'alice',
  operation: 'Apply',
  fieldsV1: { 'f:spec': { 'f:a': {}, 'f:size': { 'f:replicas': {} } } },
};
const other: ManagedFieldsEntry = {
  ...base,
  manager: 'bob',
  operation: 'Update',
  fieldsV1: { 'f:spec': { 'f:b': {} } },
};
const scaled: ManagedFieldsEntry = {
  apiVersion: 'autoscaling/v1',
  fieldsType: 'FieldsV1',
  manager: 'hpa',
  operation: 'Update',
  subresource: 'scale',
  fieldsV1: { 'f:spec': { 'f:replicas': {} } },
};

describe('ownership through a scale', () => {
  it('shows the owners of the replicas, in the words of a Scale', () => {
    expect(toScaleFields([owner, other], paths)).toEqual([
      { ...owner, apiVersion: 'autoscaling/v1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
    ]);
  });

  it('takes the replicas from who is not among the owners of the Scale any more', () => {
    expect(toParentFields([owner, other], [scaled], 'g.io/v1', paths)).toEqual([
      { ...owner, fieldsV1: { 'f:spec': { 'f:a': {} } } },
      { ...scaled, apiVersion: 'g.io/v1', fieldsV1: { 'f:spec': { 'f:size': { 'f:replicas': {} } } } },
      other,
    ]);
  });

  it('keeps entries as they are where nothing was taken, and drops versions that are not known', () => {
    const unknown = { ...other, apiVersion: 'g.io/v9' };
    const silent = { ...other, apiVersion: 'g.io/v2' };
    expect(toParentFields([owner, unknown, silent], toScaleFields([owner], paths), 'g.io/v1', paths)).toEqual([
      owner,
      silent,
    ]);
  });
});
