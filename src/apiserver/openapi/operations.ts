import type { ConnectSubresource, ResourceDefinition } from '../registry/definition.ts';
import { patchTypes } from '../handlers/patch.ts';
import { optionParameters } from './meta-definitions.generated.ts';

/** The operations of a resource, told once and written into both versions of OpenAPI. k8s.io/apiserver/pkg/endpoints/installer.go. */
export interface Operation {
  readonly path: string;
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'patch';
  readonly action: string;
  readonly id: string;
  readonly tag: string;
  readonly description: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly query: readonly QueryParameter[];
  readonly body: OperationBody | undefined;
  /** Code to schema name. */
  readonly answers: Readonly<Record<number, string>>;
}

export interface OperationBody {
  readonly required: boolean;
  readonly schema: string;
  readonly mediaTypes: readonly string[];
}

export interface QueryParameter {
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'integer';
  readonly description: string;
}

/** Parameters of a path: where they stand is the same for all of its operations. */
export interface PathParameter {
  readonly name: 'name' | 'namespace';
  readonly description: string;
}

export const bodyTypes = ['application/json', 'application/yaml'] as const;

/** `pretty` is a parameter of every path. */
export const prettyParameter: QueryParameter = {
  name: 'pretty',
  type: 'string',
  description:
    "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget).",
};

const { GetOptions, ListOptions, CreateOptions, UpdateOptions, PatchOptions, DeleteOptions } = optionParameters;
/** A collection is not watched while it is deleted; the rest is as kube-apiserver documents it for its own kinds. */
const deleteCollectionOptions: readonly QueryParameter[] = [
  ...ListOptions.filter(({ name }) => name !== 'watch' && name !== 'allowWatchBookmarks'),
  ...DeleteOptions,
].sort((a, b) => (a.name < b.name ? -1 : 1));

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
export const scaleName = 'io.k8s.api.autoscaling.v1.Scale';

/** `kamaji.io` to `io.kamaji`, as kube-apiserver names the definitions of custom resources. */
function reversed(group: string): string {
  return group.split('.').reverse().join('.');
}

export function schemaName(definition: ResourceDefinition, kind = definition.kind): string {
  return `${reversed(definition.group)}.${definition.version}.${kind}`;
}

function pascal(text: string): string {
  return text.replace(/(^|[^A-Za-z0-9])([A-Za-z0-9])/g, (_all, _separator: string, letter: string) =>
    letter.toUpperCase(),
  );
}

/** Name of the schema of a subresource's request body. */
export function requestName(definition: ResourceDefinition, subresource: ConnectSubresource): string {
  return schemaName(definition, `${definition.kind}${pascal(subresource.name)}Request`);
}

/** Name of the schema of a subresource's answer. */
export function answerName(definition: ResourceDefinition, subresource: ConnectSubresource): string {
  return schemaName(definition, `${definition.kind}${pascal(subresource.name)}`);
}

/** k8s.io/apiserver/pkg/endpoints/installer.go, GetArticleForNoun. */
function article(noun: string): 'a' | 'an' {
  return /^[aeiou]/i.test(noun) ? 'an' : 'a';
}

export function pathParameters(definition: ResourceDefinition, path: string): readonly PathParameter[] {
  return [
    ...(path.includes('{name}') ? [{ name: 'name', description: `name of the ${definition.kind}` } as const] : []),
    ...(path.includes('{namespace}')
      ? [{ name: 'namespace', description: 'object name and auth scope, such as for teams and projects' } as const]
      : []),
  ];
}

export function operationsOf(definition: ResourceDefinition): readonly Operation[] {
  const { group, version, kind, plural, namespaced, subresources } = definition;
  const root = `/apis/${group}/${version}`;
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const object = `${collection}/{name}`;
  const scope = namespaced ? 'Namespaced' : '';
  const groupWords = pascal(group);
  const tag = `${groupWords.charAt(0).toLowerCase()}${groupWords.slice(1)}_${version}`;
  const name = schemaName(definition);
  const list = schemaName(definition, `${kind}List`);
  const base = { tag, kind: { group, version, kind } };
  const id = (verb: string, rest: string): string => `${verb}${groupWords}${pascal(version)}${rest}`;
  const written = { required: true, schema: name, mediaTypes: bodyTypes };
  const patchBody = { required: true, schema: `${meta}Patch`, mediaTypes: patchTypes };
  const deleteBody = { required: false, schema: `${meta}DeleteOptions`, mediaTypes: bodyTypes };
  const status = `${meta}Status`;

  const operations: Operation[] = [
    {
      ...base,
      path: collection,
      method: 'get',
      action: 'list',
      id: id('list', scope + kind),
      description: `list objects of kind ${kind}`,
      query: ListOptions,
      body: undefined,
      answers: { 200: list },
    },
    {
      ...base,
      path: collection,
      method: 'post',
      action: 'post',
      id: id('create', scope + kind),
      description: `create ${article(kind)} ${kind}`,
      query: CreateOptions,
      body: written,
      answers: { 200: name, 201: name, 202: name },
    },
    {
      ...base,
      path: collection,
      method: 'delete',
      action: 'deletecollection',
      id: id('delete', `Collection${scope}${kind}`),
      description: `delete collection of ${kind}`,
      query: deleteCollectionOptions,
      body: deleteBody,
      answers: { 200: status },
    },
    {
      ...base,
      path: object,
      method: 'get',
      action: 'get',
      id: id('read', scope + kind),
      description: `read the specified ${kind}`,
      query: GetOptions,
      body: undefined,
      answers: { 200: name },
    },
    {
      ...base,
      path: object,
      method: 'put',
      action: 'put',
      id: id('replace', scope + kind),
      description: `replace the specified ${kind}`,
      query: UpdateOptions,
      body: written,
      answers: { 200: name, 201: name },
    },
    {
      ...base,
      path: object,
      method: 'delete',
      action: 'delete',
      id: id('delete', scope + kind),
      description: `delete ${article(kind)} ${kind}`,
      query: DeleteOptions,
      body: deleteBody,
      answers: { 200: status, 202: status },
    },
    {
      ...base,
      path: object,
      method: 'patch',
      action: 'patch',
      id: id('patch', scope + kind),
      description: `partially update the specified ${kind}`,
      query: PatchOptions,
      body: patchBody,
      answers: { 200: name },
    },
  ];
  const addPart = (part: string, schema: string): void => {
    const at = { ...base, path: `${object}/${part}` };
    const rest = `${scope}${kind}${pascal(part)}`;
    operations.push(
      {
        ...at,
        method: 'get',
        action: 'get',
        id: id('read', rest),
        description: `read ${part} of the specified ${kind}`,
        query: GetOptions,
        body: undefined,
        answers: { 200: schema },
      },
      {
        ...at,
        method: 'put',
        action: 'put',
        id: id('replace', rest),
        description: `replace ${part} of the specified ${kind}`,
        query: UpdateOptions,
        body: { ...written, schema },
        answers: { 200: schema, 201: schema },
      },
      {
        ...at,
        method: 'patch',
        action: 'patch',
        id: id('patch', rest),
        description: `partially update ${part} of the specified ${kind}`,
        query: PatchOptions,
        body: patchBody,
        answers: { 200: schema },
      },
    );
  };
  if (subresources.status === true) addPart('status', name);
  if (subresources.scale !== undefined) addPart('scale', scaleName);
  for (const connect of subresources.connect ?? [])
    operations.push(
      ...connectOperations(definition, connect, { ...base, path: `${object}/${connect.name}` }, (verb) =>
        id(verb, `${scope}${kind}${pascal(connect.name)}`),
      ),
    );
  if (namespaced) {
    operations.push({
      ...base,
      path: `${root}/${plural}`,
      method: 'get',
      action: 'list',
      id: id('list', `${kind}ForAllNamespaces`),
      description: `list objects of kind ${kind}`,
      query: ListOptions,
      body: undefined,
      answers: { 200: list },
    });
  }
  return operations;
}

function connectOperations(
  definition: ResourceDefinition,
  connect: ConnectSubresource,
  base: Pick<Operation, 'tag' | 'path'>,
  id: (verb: string) => string,
): readonly Operation[] {
  const answer = answerName(definition, connect);
  const body =
    connect.requestSchema === undefined
      ? undefined
      : { required: false, schema: requestName(definition, connect), mediaTypes: bodyTypes };
  return connect.verbs.map((verb) => ({
    ...base,
    kind: connect.responseKind,
    method: verb === 'get' ? 'get' : 'post',
    action: verb === 'get' ? 'get' : 'post',
    id: id(verb === 'get' ? 'read' : 'create'),
    description:
      verb === 'get'
        ? `read ${connect.name} of the specified ${definition.kind}`
        : `create ${connect.name} of ${article(definition.kind)} ${definition.kind}`,
    query: verb === 'get' ? [] : CreateOptions,
    body: verb === 'get' ? undefined : body,
    answers: { [verb === 'get' ? 200 : 201]: answer },
  }));
}
