import { newBadRequest } from '../../apimachinery/status.ts';
import { parseBool } from '../options.ts';
import { parseRevision } from '../registry/lister.ts';
import { negotiateAnswer, sendObject } from './answer.ts';
import type { Exchange } from './exchange.ts';

/** One object, never older than the last acknowledged write. Also serves GET of the status subresource. */
export async function handleGet(exchange: Exchange): Promise<void> {
  const { context, endpoint } = exchange;
  const form = negotiateAnswer(exchange, 'object');
  if (parseBool(context.query.get('export')) === true) {
    throw newBadRequest('the export parameter, deprecated since v1.14, is no longer supported');
  }
  const asked = context.query.get('resourceVersion') ?? '';
  const revision = parseRevision(asked);
  if (revision !== undefined) await endpoint.lister.reach(revision, asked, context.signal);
  await sendObject(exchange, form, 200, await endpoint.store.get(context.info.namespace, context.info.name));
}
