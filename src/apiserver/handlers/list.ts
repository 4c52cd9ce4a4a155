import { parseListOptions } from '../options.ts';
import { negotiateAnswer, sendList } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { selectionOf } from './selection.ts';

/** A collection, whole or by pages. */
export async function handleList(exchange: Exchange): Promise<void> {
  const form = negotiateAnswer(exchange, 'list');
  const options = parseListOptions(exchange.context.query);
  const selection = selectionOf(exchange);
  const { lister, resource } = exchange.endpoint;
  await sendList(exchange, form, await lister.list(resource, selection, options, exchange.context.signal));
}
