import { setImmediate } from 'node:timers/promises';
import type { KubeObject } from '../../apimachinery/object.ts';
import { newNotAcceptableConversion } from '../../apimachinery/status.ts';
import { newPartialObject, newTable } from '../../apimachinery/table.ts';
import type { TableColumn, TableConverter } from '../../apimachinery/table.ts';
import type { Conversion, FormRules, OutputForm } from '../negotiation.ts';
import { negotiateOutput } from '../negotiation.ts';
import type { IncludeObject } from '../options.ts';
import { parseIncludeObject } from '../options.ts';
import type { Piece } from '../pieces.ts';
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
  // A watch is refused for what a list would be refused first, in its words (handlers/get.go, ListResource).
  const plainForm = negotiateOutput(accept, objectForms);
  const form = shape === 'stream' ? negotiateOutput(accept, { ...objectForms, streaming: true }) : plainForm;
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
  if (convert.kind !== 'Table') return { text: `${partialHead(convert.version)}${stored.metadataText}}` };
  const metadata = stored.revision === 0 ? {} : { resourceVersion: String(stored.revision) };
  return tableBody(convert, includeObject, table, nowMs, metadata, [stored], columns);
}

/** The texts of stored objects go into a table as they are; only the cells are looked up. */
function tableBody(
  convert: Conversion,
  includeObject: IncludeObject,
  table: TableConverter,
  nowMs: number,
  metadata: object,
  items: readonly Stored[],
  columns: readonly TableColumn[] | null,
): Body {
  const rows = items.map((item): readonly Piece[] => {
    const cells = JSON.stringify(table.finish(item.rawCells(table), nowMs));
    return [`{"cells":${cells},"object":`, ...rowPieces(convert, includeObject, item), '}'];
  });
  return withItems(newTable(convert.version, metadata, columns, []), 'rows', rows);
}

function rowPieces(convert: Conversion, includeObject: IncludeObject, stored: Stored): readonly Piece[] {
  if (includeObject === 'None') return ['null'];
  return includeObject === 'Object' ? stored.pieces : partialPieces(convert.version, stored);
}

function partialPieces(version: string, stored: Stored): readonly Piece[] {
  return [partialHead(version), ...stored.metadataPieces, '}'];
}

function partialHead(version: string): string {
  return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":`;
}

/** JSON of `head` with a list of ready texts as its last key. */
function withItems(head: object, key: string, items: Iterable<readonly Piece[]>): Body {
  const { [key]: _none, ...rest } = head as Readonly<Record<string, unknown>>;
  const begin = `${JSON.stringify(rest).slice(0, -1)},"${key}":[`;
  return { pieces: { [Symbol.iterator]: () => joinItems(begin, items) } };
}

function* joinItems(begin: string, items: Iterable<readonly Piece[]>): Generator<Piece, void, undefined> {
  // Texts that meet are put together: fewer and longer parts are cheaper.
  let text = begin;
  let separator = '';
  for (const item of items) {
    text += separator;
    separator = ',';
    for (const piece of item) {
      if (typeof piece === 'string') text += piece;
      else {
        if (text !== '') yield text;
        yield piece;
        text = '';
      }
    }
  }
  yield `${text}]}`;
}

/** What `of` makes of each item, made anew each time that they are gone through: of a long list only few are in memory. */
function mapped<T, R>(items: readonly T[], of: (item: T) => R): Iterable<R> {
  return {
    *[Symbol.iterator]() {
      for (const item of items) yield of(item);
    },
  };
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
  if (form.convert?.kind === 'Table') await lookUpCells(page.items, resource.table);
  const body = formatList(form, page, metadata, resource.table, clock.now(), resource.apiVersion, resource.kind);
  await sendBody(exchange.request, exchange.response, 200, form, body);
}

/** Cells that nobody has asked for yet take a tenth of a millisecond an object; others get turns in between. */
async function lookUpCells(items: readonly Stored[], table: TableConverter): Promise<void> {
  let looked = 0;
  for (const item of items) {
    if (item.hasCells) continue;
    item.rawCells(table);
    if (++looked % 50 === 0) await setImmediate();
  }
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
    const head = { apiVersion, kind: `${kind}List`, metadata: { continue: '', ...metadata } };
    const items = mapped(page.items, (item) => item.pieces);
    return withItems(head, 'items', items);
  }
  if (convert.kind === 'Table') {
    return tableBody(convert, form.includeObject, table, nowMs, metadata, page.items, table.columns);
  }
  const head = { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${convert.version}`, metadata };
  const items = mapped(page.items, (item) => partialPieces(convert.version, item));
  return withItems(head, 'items', items);
}

/** A Status or another object that no form changes. */
export async function sendPlain(exchange: Exchange, form: OutputForm, code: number, value: object): Promise<void> {
  await sendBody(exchange.request, exchange.response, code, { ...form, convert: undefined }, { value });
}
