import { isJsonObject } from '../../apimachinery/json.ts';
import { DecodeError } from '../../apimachinery/json-text.ts';
import type { KubeObject } from '../../apimachinery/object.ts';
import { mapLimited } from '../../base/limiter.ts';
import { isStatusError, newBadRequest } from '../../apimachinery/status.ts';
import { readBody } from '../body.ts';
import { negotiateInput } from '../negotiation.ts';
import type { DeleteOptions } from '../options.ts';
import { deleteOptionsFromBody, deleteOptionsFromQuery, parseListOptions } from '../options.ts';
import { nameOfKey } from '../registry/keys.ts';
import { negotiateAnswer, sendList, sendObject, sendPlain } from './answer.ts';
import { decodeText, noObjectMessage } from './decode.ts';
import type { Exchange } from './exchange.ts';
import { admissionRequest } from './exchange.ts';
import { selectionOf } from './selection.ts';

/** DELETE of one object. k8s.io/apiserver/pkg/endpoints/handlers/delete.go. */
export async function handleDelete(exchange: Exchange): Promise<void> {
  const { context, endpoint } = exchange;
  const { namespace, name } = context.info;
  const form = negotiateAnswer(exchange, 'object');
  const options = await readOptions(exchange);
  const deletion = await endpoint.store.delete({
    namespace,
    name,
    options,
    signal: context.signal,
    admit: (old) => admitDelete(exchange, name, old, options),
  });
  if (deletion.done) await sendPlain(exchange, form, 200, deletion.status);
  else await sendObject(exchange, form, options.orphanDependents === false ? 202 : 200, deletion.object);
}

/** Objects of a collection deleted at once. */
const parallelDeletes = 16;

/** DELETE of a collection: what the selectors choose. Answers what was there. registry/generic/registry, Store.DeleteCollection. */
export async function handleDeleteCollection(exchange: Exchange): Promise<void> {
  const { context, endpoint } = exchange;
  const { resource, lister, store } = endpoint;
  const form = negotiateAnswer(exchange, 'list');
  const listOptions = parseListOptions(context.query);
  const selection = selectionOf(exchange);
  const options = await readOptions(exchange);
  const page = await lister.list(resource, selection, listOptions, context.signal);
  const { signal } = context;
  await mapLimited(page.items, parallelDeletes, async (item) => {
    signal.throwIfAborted();
    const { namespace, name } = nameOfKey(resource, item.key);
    try {
      await store.delete({
        namespace,
        name,
        options,
        signal,
        admit: (old) => admitDelete(exchange, name, old, options),
      });
    } catch (error) {
      // Somebody else deleted it meanwhile, which is what was asked for.
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  });
  await sendList(exchange, form, page);
}

async function admitDelete(exchange: Exchange, name: string, old: KubeObject, options: DeleteOptions): Promise<void> {
  const { admission } = exchange.endpoint;
  const request = admissionRequest(exchange, {
    operation: 'DELETE',
    name,
    object: undefined,
    old,
    dryRun: options.dryRun,
  });
  await admission.mutate(request);
  await admission.validate(request);
}

async function readOptions(exchange: Exchange): Promise<DeleteOptions> {
  const { request, context } = exchange;
  const body = await readBody(request, context.signal);
  if (body.length === 0) return deleteOptionsFromQuery(context.query);
  const encoding = negotiateInput(request.headers['content-type']);
  try {
    const { value } = decodeText(body.toString('utf8'), encoding);
    if (value === null) return deleteOptionsFromBody({});
    if (!isJsonObject(value)) throw newBadRequest(noObjectMessage(value));
    return deleteOptionsFromBody(value);
  } catch (error) {
    if (error instanceof DecodeError)
      throw newBadRequest(`couldn't get version/kind; json parse error: ${error.message}`);
    throw error;
  }
}
