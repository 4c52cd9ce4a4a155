import type { KubeObject } from '../../apimachinery/object.ts';
import { newNotAcceptableConversion } from '../../apimachinery/status.ts';
import { newPartialObject, newTable } from '../../apimachinery/table.ts';
import type { TableColumn, TableConverter, TableRow } from '../../apimachinery/table.ts';
import type { Conversion, FormRules, OutputForm } from '../negotiation.ts';
import { negotiateOutput } from '../negotiation.ts';
import type { IncludeObject } from '../options.ts';
import { parseIncludeObject } from '../options.ts';
import type { Stored } from '../registry/codec.ts';
import type { ListPage } from '../registry/lister.ts';
import type { Body } from '../response.ts';
import { sendBody } from '../response.ts';
import type { Exchange } from './exchange.ts';

/** Objects in the form that the client asked for. k8s.io/apiserver/pkg/endpoints/handlers/response.go. */

const objectForms: FormRules = { conversions: ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] };

/** How one answer is to look, found out before any work is done. */
export interface AnswerForm extends OutputForm {
  readonly includeObject: IncludeObject;
}

/** @throws StatusError (406; 400 for Table options that are none) */
export function negotiateAnswer(exchange: Exchange, shape: 'object' | 'list' | 'stream'): AnswerForm {
  const accept = exchange.request.headers.accept;
  const form = negotiateOutput(accept, shape === 'stream' ? { ...objectForms, streaming: true } : objectForms);
  const kind = form.convert?.kind;
  if (kind === 'PartialObjectMetadata' && shape === 'list') {
    throw newNotAcceptableConversion(
      'you requested PartialObjectMetadata, but the requested object is a list (*unstructured.UnstructuredList)',
    );
  }
  if (kind === 'PartialObjectMetadataList' && shape !== 'list') {
    throw newNotAcceptableConversion('you requested PartialObjectMetadataList, but the requested object is not a list');
  }
  const includeObject = kind === 'Table' ? parseIncludeObject(exchange.context.query) : 'Metadata';
  return { ...form, includeObject };
}

export async function sendObject(exchange: Exchange, form: AnswerForm, code: number, stored: Stored): Promise<void> {
  const body = formatObject(
    form.convert,
    form.includeObject,
    exchange.endpoint.resource.table,
    exchange.endpoint.clock.now(),
    stored,
  );
  await sendBody(exchange.request, exchange.response, code, form, body);
}

/** One object, also as it appears inside a watch event. */
export function formatObject(
  convert: Conversion | undefined,
  includeObject: IncludeObject,
  table: TableConverter,
  nowMs: number,
  stored: Stored,
  columns: readonly TableColumn[] | null = table.columns,
): Body {
  if (convert === undefined) return { text: stored.text };
  if (convert.kind !== 'Table') return { value: newPartialObject(convert.version, stored.metadata) };
  const { resourceVersion } = stored.metadata;
  const meta = resourceVersion === undefined ? {} : { resourceVersion };
  return { value: newTable(convert.version, meta, columns, [rowOf(convert, includeObject, table, nowMs, stored)]) };
}

function rowOf(
  convert: Conversion,
  includeObject: IncludeObject,
  table: TableConverter,
  nowMs: number,
  stored: Stored,
): TableRow {
  return { cells: table.cells(stored.object, nowMs), object: rowObject(convert, includeObject, stored.object) };
}

export function rowObject(convert: Conversion, includeObject: IncludeObject, object: KubeObject): object | null {
  if (includeObject === 'None') return null;
  return includeObject === 'Object' ? object : newPartialObject(convert.version, object.metadata);
}

interface ListMeta {
  readonly continue?: string;
  readonly resourceVersion: string;
  readonly remainingItemCount?: number;
}

export async function sendList(exchange: Exchange, form: AnswerForm, page: ListPage): Promise<void> {
  const { resource, clock } = exchange.endpoint;
  const metadata: ListMeta = {
    ...(page.continueToken === undefined ? {} : { continue: page.continueToken }),
    resourceVersion: String(page.revision),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  const body = formatList(form, page, metadata, resource.table, clock.now(), resource.apiVersion, resource.kind);
  await sendBody(exchange.request, exchange.response, 200, form, body);
}

function formatList(
  form: AnswerForm,
  page: ListPage,
  metadata: ListMeta,
  table: TableConverter,
  nowMs: number,
  apiVersion: string,
  kind: string,
): Body {
  const { convert } = form;
  if (convert === undefined) {
    // Stored texts are joined as they are: nothing is parsed and written again.
    // Lists of custom resources have `continue` on the last page too, empty.
    const head = JSON.stringify({ apiVersion, kind: `${kind}List`, metadata: { continue: '', ...metadata } }).slice(
      0,
      -1,
    );
    return { text: `${head},"items":[${page.items.map((item) => item.text).join(',')}]}` };
  }
  if (convert.kind === 'Table') {
    const rows = page.items.map((item) => rowOf(convert, form.includeObject, table, nowMs, item));
    return { value: newTable(convert.version, metadata, table.columns, rows) };
  }
  const items = page.items.map((item) => newPartialObject(convert.version, item.metadata));
  return {
    value: { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${convert.version}`, metadata, items },
  };
}

/** A Status or another object that no form changes. */
export async function sendPlain(exchange: Exchange, form: OutputForm, code: number, value: object): Promise<void> {
  await sendBody(exchange.request, exchange.response, code, { ...form, convert: undefined }, { value });
}
