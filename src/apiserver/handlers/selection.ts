import { parseFieldSelector } from '../../apimachinery/field-selector.ts';
import type { FieldSelector } from '../../apimachinery/field-selector.ts';
import { SelectorError, parseLabelSelector } from '../../apimachinery/label-selector.ts';
import type { LabelSelector } from '../../apimachinery/label-selector.ts';
import { newBadRequest } from '../../apimachinery/status.ts';
import type { Selection } from '../registry/selection.ts';
import type { Exchange } from './exchange.ts';

/** What the selectors of a request choose. @throws StatusError (400) */
export function selectionOf(exchange: Exchange): Selection {
  const { info, query } = exchange.context;
  return {
    namespace: info.namespace,
    labels: labelsOf(query.get('labelSelector') ?? ''),
    fields: fieldsOf(query.get('fieldSelector') ?? '', exchange.endpoint.resource.definition.namespaced),
  };
}

function labelsOf(text: string): LabelSelector {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) throw newBadRequest(error.message);
    throw error;
  }
}

function fieldsOf(text: string, namespaced: boolean): FieldSelector {
  let selector: FieldSelector;
  try {
    selector = parseFieldSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) throw newBadRequest(error.message);
    throw error;
  }
  for (const { field } of selector.terms) {
    if (field !== 'metadata.name' && !(field === 'metadata.namespace' && namespaced)) {
      throw newBadRequest(`field label not supported: ${field}`);
    }
  }
  return selector;
}
