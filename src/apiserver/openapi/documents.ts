import type { ResourceDefinition } from '../registry/definition.ts';
import type { Operation, QueryParameter } from './operations.ts';
import { bodyTypes, operationsOf, pathParameters, prettyParameter } from './operations.ts';
import { schemasV2, schemasV3 } from './schemas.ts';

/** Whole OpenAPI documents. */

/** Everything, for the merged `/openapi/v2` of the cluster. @throws Error for a definition that would break it */
export function openApiV2(definitions: readonly ResourceDefinition[], version: string): object {
  return {
    swagger: '2.0',
    info: { title: 'Aggregated API', version },
    paths: pathsOf(
      definitions,
      operationV2,
      (name, description) => ({
        name,
        in: 'path',
        description,
        required: true,
        type: 'string',
        uniqueItems: true,
      }),
      queryV2,
    ),
    definitions: schemasV2(definitions),
  };
}

/** One group and version. */
export function openApiV3(definitions: readonly ResourceDefinition[], version: string): object {
  return {
    openapi: '3.0.0',
    info: { title: 'Aggregated API', version },
    paths: pathsOf(
      definitions,
      operationV3,
      (name, description) => ({
        name,
        in: 'path',
        description,
        required: true,
        schema: { type: 'string', uniqueItems: true },
      }),
      queryV3,
    ),
    components: { schemas: schemasV3(definitions) },
  };
}

function pathsOf(
  definitions: readonly ResourceDefinition[],
  render: (operation: Operation, query: readonly QueryParameter[]) => object,
  pathParameter: (name: string, description: string) => Parameter,
  renderQuery: (parameter: QueryParameter) => Parameter,
): object {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const definition of definitions) {
    for (const [path, operations] of Map.groupBy(operationsOf(definition), (operation) => operation.path)) {
      const common = commonQuery(operations);
      const names = new Set(common.map(({ name }) => name));
      const item: Record<string, unknown> = {
        parameters: byName([
          ...pathParameters(definition, path).map(({ name, description }) => pathParameter(name, description)),
          ...[...common, prettyParameter].map(renderQuery),
        ]),
      };
      for (const operation of operations) {
        item[operation.method] = render(
          operation,
          operation.query.filter(({ name }) => !names.has(name)),
        );
      }
      paths[path] = item;
    }
  }
  return paths;
}

/** What all operations of a path take stands at the path. k8s.io/kube-openapi/pkg/builder3, findCommonParameters. */
function commonQuery([first, ...others]: readonly Operation[]): readonly QueryParameter[] {
  return (first?.query ?? []).filter((parameter) =>
    others.every(({ query }) => query.some(({ name }) => name === parameter.name)),
  );
}

function byName<T extends { readonly name: string }>(parameters: readonly T[]): readonly T[] {
  return [...parameters].sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Parameter {
  readonly name: string;
}

function queryV2({ name, type, description }: QueryParameter) {
  return { name, in: 'query', description, type, uniqueItems: true };
}

function queryV3({ name, type, description }: QueryParameter) {
  return { name, in: 'query', description, schema: { type, uniqueItems: true } };
}

/** An empty list is left out. */
function optional(parameters: readonly Parameter[]): object {
  return parameters.length === 0 ? {} : { parameters };
}

function sharedFields(operation: Operation): object {
  return { tags: [operation.tag], description: operation.description, operationId: operation.id };
}

function extensions(operation: Operation): object {
  return { 'x-kubernetes-action': operation.action, 'x-kubernetes-group-version-kind': operation.kind };
}

const unauthorized = { 401: { description: 'Unauthorized' } };
const answerWords: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

function operationV2(operation: Operation, query: readonly QueryParameter[]): object {
  const { body } = operation;
  const reference = (name: string): object => ({ $ref: `#/definitions/${name}` });
  const bodyParameter =
    body === undefined
      ? []
      : [{ name: 'body', in: 'body', ...(body.required ? { required: true } : {}), schema: reference(body.schema) }];
  return {
    ...sharedFields(operation),
    consumes: body?.mediaTypes ?? bodyTypes,
    produces: bodyTypes,
    schemes: ['https'],
    ...optional(byName([...bodyParameter, ...query.map(queryV2)])),
    responses: {
      ...mapAnswers(operation, (name) => ({ schema: reference(name) })),
      ...unauthorized,
    },
    ...extensions(operation),
  };
}

function operationV3(operation: Operation, query: readonly QueryParameter[]): object {
  const { body } = operation;
  const content = (name: string, mediaTypes: readonly string[]): object =>
    Object.fromEntries(mediaTypes.map((type) => [type, { schema: { $ref: `#/components/schemas/${name}` } }]));
  return {
    ...sharedFields(operation),
    ...optional(byName(query.map(queryV3))),
    ...(body === undefined
      ? {}
      : {
          requestBody: { content: content(body.schema, body.mediaTypes), ...(body.required ? { required: true } : {}) },
        }),
    responses: {
      ...mapAnswers(operation, (name) => ({ content: content(name, bodyTypes) })),
      ...unauthorized,
    },
    ...extensions(operation),
  };
}

function mapAnswers(operation: Operation, render: (schema: string) => object): object {
  return Object.fromEntries(
    Object.entries(operation.answers).map(([code, schema]) => [
      code,
      { description: answerWords[code] ?? 'OK', ...render(schema) },
    ]),
  );
}
