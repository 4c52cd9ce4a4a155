/**
 * What readers of OpenAPI documents take for granted and no converter refuses. Every finding names the place; no finding is a
 * pass.
 */

type Node = Readonly<Record<string, unknown>>;

const typesV2 = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

const schemaKeys = new Set([
  '$ref',
  'additionalProperties',
  'default',
  'description',
  'enum',
  'format',
  'items',
  'maxItems',
  'maxLength',
  'maximum',
  'minItems',
  'minLength',
  'minimum',
  'pattern',
  'properties',
  'required',
  'type',
  'uniqueItems',
]);
/** What only v3 may say. */
const schemaKeysV3 = new Set(['allOf', 'anyOf', 'nullable', 'oneOf', 'not']);

export interface Schemas {
  readonly version: 'v2' | 'v3';
  readonly schemas: Readonly<Record<string, unknown>>;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Findings in the definitions (v2) or component schemas (v3) named by `names`. */
export function schemaFindings({ version, schemas }: Schemas, names: readonly string[]): readonly string[] {
  const findings: string[] = [];
  for (const name of names) {
    const schema = schemas[name];
    if (schema === undefined) findings.push(`${name} is missing`);
    else walk(schema, name, version, findings);
  }
  return findings;
}

function walk(schema: unknown, at: string, version: 'v2' | 'v3', findings: string[]): void {
  if (!isNode(schema)) {
    findings.push(`${at} is no schema`);
    return;
  }
  for (const key of Object.keys(schema)) {
    const isKnown = schemaKeys.has(key) || key.startsWith('x-') || (version === 'v3' && schemaKeysV3.has(key));
    if (!isKnown) findings.push(`${at} holds ${key}`);
  }
  const { type, items, properties, additionalProperties, required, allOf } = schema;
  if (version === 'v2' && 'default' in schema) findings.push(`${at} has a default, which old clients would send back`);
  if (type !== undefined && (typeof type !== 'string' || !typesV2.has(type)))
    findings.push(`${at} is of type ${JSON.stringify(type)}`);
  if (type === 'array' && items === undefined) findings.push(`${at} is an array without items`);
  if (items !== undefined && type !== 'array') findings.push(`${at} has items and is no array`);
  if (properties !== undefined && additionalProperties !== undefined)
    findings.push(`${at} has properties and additionalProperties`);
  if (Array.isArray(required) && isNode(properties)) {
    for (const field of required as readonly string[])
      if (properties[field] === undefined) findings.push(`${at} requires ${field}, which it does not have`);
  }
  if (!isTyped(schema)) findings.push(`${at} has no type`);
  if (isNode(properties))
    for (const [name, child] of Object.entries(properties)) walk(child, `${at}.${name}`, version, findings);
  if (items !== undefined) walk(items, `${at}[]`, version, findings);
  if (isNode(additionalProperties)) walk(additionalProperties, `${at}.*`, version, findings);
  if (Array.isArray(allOf) && (allOf.length !== 1 || !isNode(allOf[0]) || allOf[0]['$ref'] === undefined))
    findings.push(`${at} has an allOf that is more than a reference`);
}

/** Untyped are only the values that may be anything, or a number or a string. */
function isTyped(schema: Node): boolean {
  return (
    schema['type'] !== undefined ||
    schema['$ref'] !== undefined ||
    schema['allOf'] !== undefined ||
    schema['x-kubernetes-int-or-string'] === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true
  );
}

/** Every `$ref` of a document that leads nowhere. */
export function danglingReferences(document: unknown): readonly string[] {
  const dangling = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isNode(value)) return;
    const reference = value['$ref'];
    if (typeof reference === 'string' && !leadsSomewhere(document, reference)) dangling.add(reference);
    Object.values(value).forEach(visit);
  };
  visit(document);
  return [...dangling];
}

function leadsSomewhere(document: unknown, reference: string): boolean {
  if (!reference.startsWith('#/')) return false;
  let at: unknown = document;
  for (const part of reference.slice(2).split('/'))
    at = isNode(at) ? at[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  return isNode(at);
}

export interface DocumentedOperation {
  readonly path: string;
  readonly method: string;
  readonly operation: Node;
}

const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const;

/** The operations of a document whose path begins with `prefix`. */
export function operationsUnder(document: unknown, prefix: string): readonly DocumentedOperation[] {
  const { paths } = document as { readonly paths: Readonly<Record<string, Node>> };
  return Object.entries(paths)
    .filter(([path]) => path.startsWith(prefix))
    .flatMap(([path, item]) =>
      methods.flatMap((method) => {
        const operation = item[method];
        return isNode(operation) ? [{ path, method, operation }] : [];
      }),
    );
}

/** Ids that more than one operation of a document has. */
export function repeatedOperationIds(document: unknown): readonly string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { operation } of operationsUnder(document, '/')) {
    const id = String(operation['operationId']);
    if (seen.has(id)) repeated.add(id);
    seen.add(id);
  }
  return [...repeated];
}

/** Path parameters that a template has and nobody declares, or the other way round. */
export function pathParameterFindings(document: unknown, prefix: string): readonly string[] {
  const { paths } = document as { readonly paths: Readonly<Record<string, Node>> };
  const findings: string[] = [];
  for (const [path, item] of Object.entries(paths).filter(([candidate]) => candidate.startsWith(prefix))) {
    const declared = ((item['parameters'] ?? []) as readonly Node[])
      .filter((parameter) => parameter['in'] === 'path')
      .map((parameter) => String(parameter['name']));
    const used = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
    if (declared.toSorted().join() !== used.toSorted().join())
      findings.push(`${path} declares ${declared.join()} and uses ${used.join()}`);
  }
  return findings;
}
