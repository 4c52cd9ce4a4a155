import type { Path, PathElement } from './path-element.ts';
import { compareElements } from './path-element.ts';

/** The sets below an element. Standing here does not make the element a member. */
export interface ChildSet {
  readonly element: PathElement;
  readonly set: FieldSet;
}

/**
 * A set of paths as a tree, sorted at each level. sigs.k8s.io/structured-merge-diff/v6/fieldpath, set.go and element.go.
 * A set is changed only by `insert` and `descend`, by whoever makes it; results of operations share parts with their operands.
 */
export class FieldSet {
  readonly members: PathElement[];
  readonly children: ChildSet[];

  constructor(members: PathElement[] = [], children: ChildSet[] = []) {
    this.members = members;
    this.children = children;
  }

  static of(...paths: readonly Path[]): FieldSet {
    const set = new FieldSet();
    for (const path of paths) set.insert(path);
    return set;
  }

  /** Adds the path alone, not its parents. The empty path, the whole object, is nobody's. */
  insert(path: Path): void {
    this.#insertFrom(path, 0);
  }

  #insertFrom(path: Path, at: number): void {
    const element = path[at];
    if (element === undefined) return;
    if (at === path.length - 1) this.insertMember(element);
    else this.descend(element).#insertFrom(path, at + 1);
  }

  insertMember(element: PathElement): void {
    const at = findMember(this.members, element);
    if (at === this.members.length) this.members.push(element);
    else if (this.members[at]!.id !== element.id) this.members.splice(at, 0, element);
  }

  /** The set below an element, made when there is none. */
  descend(element: PathElement): FieldSet {
    const at = findChild(this.children, element);
    const child = this.children[at];
    if (child !== undefined && child.element.id === element.id) return child.set;
    const set = new FieldSet();
    this.children.splice(at, 0, { element, set });
    return set;
  }

  /** Puts a set below an element that has none yet. */
  attach(element: PathElement, set: FieldSet): void {
    this.children.splice(findChild(this.children, element), 0, { element, set });
  }

  hasMember(element: PathElement): boolean {
    const found = this.members[findMember(this.members, element)];
    return found !== undefined && found.id === element.id;
  }

  /** The set below an element, if any. */
  child(element: PathElement): FieldSet | undefined {
    const found = this.children[findChild(this.children, element)];
    return found !== undefined && found.element.id === element.id ? found.set : undefined;
  }

  has(path: Path): boolean {
    return this.#hasFrom(path, 0);
  }

  #hasFrom(path: Path, at: number): boolean {
    const element = path[at];
    if (element === undefined) return false;
    if (at === path.length - 1) return this.hasMember(element);
    const below = this.child(element);
    return below !== undefined && below.#hasFrom(path, at + 1);
  }

  get empty(): boolean {
    return this.members.length === 0 && this.children.every((child) => child.set.empty);
  }

  get size(): number {
    let size = this.members.length;
    for (const child of this.children) size += child.set.size;
    return size;
  }

  equals(other: FieldSet): boolean {
    return (
      this.members.length === other.members.length &&
      this.children.length === other.children.length &&
      this.members.every((member, at) => member.id === other.members[at]!.id) &&
      this.children.every((child, at) => {
        const twin = other.children[at]!;
        return child.element.id === twin.element.id && child.set.equals(twin.set);
      })
    );
  }

  union(other: FieldSet): FieldSet {
    if (other.members.length === 0 && other.children.length === 0) return this;
    if (this.members.length === 0 && this.children.length === 0) return other;
    return new FieldSet(unionMembers(this.members, other.members), unionChildren(this.children, other.children));
  }

  intersection(other: FieldSet): FieldSet {
    const children: ChildSet[] = [];
    forShared(this.children, other.children, (mine, theirs) => {
      const set = mine.set.intersection(theirs.set);
      if (!set.empty) children.push({ element: mine.element, set });
    });
    const members: PathElement[] = [];
    let j = 0;
    for (const member of this.members) {
      while (j < other.members.length && compareElements(other.members[j]!, member) < 0) j++;
      if (j < other.members.length && other.members[j]!.id === member.id) members.push(member);
    }
    return new FieldSet(members, children);
  }

  /** What is here and not there, path by path: a parent stays when a child is taken, and a child when its parent is. */
  difference(other: FieldSet): FieldSet {
    if (other.members.length === 0 && other.children.length === 0) return this;
    const children: ChildSet[] = [];
    forEachBeside(this.children, other.children, (mine, theirs) => {
      const set = theirs === undefined ? mine.set : mine.set.difference(theirs.set);
      // Upstream keeps a child that it did not have to look into, even an empty one.
      if (theirs === undefined) children.push(mine);
      else if (!set.empty) children.push({ element: mine.element, set });
    });
    return new FieldSet(differenceMembers(this.members, other.members), children);
  }

  /** As `difference`, but a path that is taken takes all below it. */
  recursiveDifference(other: FieldSet): FieldSet {
    const children: ChildSet[] = [];
    forEachBeside(this.children, other.children, (mine, theirs) => {
      if (other.hasMember(mine.element)) return;
      if (theirs === undefined) {
        children.push(mine);
        return;
      }
      const set = mine.set.recursiveDifference(theirs.set);
      if (!set.empty) children.push({ element: mine.element, set });
    });
    return new FieldSet(differenceMembers(this.members, other.members), children);
  }

  /** The members that have nothing below them. */
  leaves(): FieldSet {
    const parents = new Set(this.children.map((child) => child.element.id));
    return new FieldSet(
      this.members.filter((member) => !parents.has(member.id)),
      this.children.map((child) => ({ element: child.element, set: child.set.leaves() })),
    );
  }

  /** Every path, parents first; members of a level before what is below it. */
  *paths(prefix: Path = []): Generator<Path> {
    for (const member of this.members) yield [...prefix, member];
    for (const child of this.children) yield* child.set.paths([...prefix, child.element]);
  }
}

/** The first place whose member is not less. */
function findMember(members: readonly PathElement[], element: PathElement): number {
  let [low, high] = [0, members.length];
  // Most come in order.
  if (high > 0 && compareElements(members[high - 1]!, element) < 0) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareElements(members[middle]!, element) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function findChild(children: readonly ChildSet[], element: PathElement): number {
  let [low, high] = [0, children.length];
  if (high > 0 && compareElements(children[high - 1]!.element, element) < 0) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareElements(children[middle]!.element, element) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of equal members the right one stays, as upstream. */
function unionMembers(a: readonly PathElement[], b: readonly PathElement[]): PathElement[] {
  const out: PathElement[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const order = compareElements(a[i]!, b[j]!);
    out.push(order < 0 ? a[i]! : b[j]!);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  while (i < a.length) out.push(a[i++]!);
  while (j < b.length) out.push(b[j++]!);
  return out;
}

function unionChildren(a: readonly ChildSet[], b: readonly ChildSet[]): ChildSet[] {
  const out: ChildSet[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [left, right] = [a[i]!, b[j]!];
    const order = compareElements(left.element, right.element);
    if (order === 0) out.push({ element: left.element, set: left.set.union(right.set) });
    else out.push(order < 0 ? left : right);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  while (i < a.length) out.push(a[i++]!);
  while (j < b.length) out.push(b[j++]!);
  return out;
}

function differenceMembers(a: readonly PathElement[], b: readonly PathElement[]): PathElement[] {
  const out: PathElement[] = [];
  let j = 0;
  for (const member of a) {
    while (j < b.length && compareElements(b[j]!, member) < 0) j++;
    if (j >= b.length || b[j]!.id !== member.id) out.push(member);
  }
  return out;
}

function forShared(
  a: readonly ChildSet[],
  b: readonly ChildSet[],
  visit: (mine: ChildSet, theirs: ChildSet) => void,
): void {
  forEachBeside(a, b, (mine, theirs) => {
    if (theirs !== undefined) visit(mine, theirs);
  });
}

/** Each of `a` with its twin in `b`. */
function forEachBeside(
  a: readonly ChildSet[],
  b: readonly ChildSet[],
  visit: (mine: ChildSet, theirs: ChildSet | undefined) => void,
): void {
  let j = 0;
  for (const mine of a) {
    while (j < b.length && compareElements(b[j]!.element, mine.element) < 0) j++;
    const twin = b[j];
    visit(mine, twin !== undefined && twin.element.id === mine.element.id ? twin : undefined);
  }
}
