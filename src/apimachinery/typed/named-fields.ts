import { FieldSet } from '../fieldpath/field-set.ts';
import type { Atom } from './atom.ts';

/**
 * The set with every declared field on the way to its paths as a member too: `a.b.c` brings `a` where the schema has a field `a`,
 * but no keys of maps. fieldpath, set.go, EnsureNamedFieldsAreMembers.
 */
export function withNamedFields(set: FieldSet, atom: Atom | undefined): FieldSet {
  const members = new FieldSet([...set.members]);
  const children = set.children.map(({ element, set: below }) => {
    let type: Atom | undefined;
    if (element.kind === 'field' && atom?.map !== undefined) {
      const field = atom.map.field(element.name);
      if (field !== undefined) members.insertMember(element);
      type = field?.atom ?? atom.map.rest;
    } else if (element.kind === 'key') type = atom?.list?.item;
    return { element, set: withNamedFields(below, type) };
  });
  return new FieldSet(members.members, children);
}
