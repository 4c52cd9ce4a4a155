import { post, setup } from '../case.ts';
import type { RequestStep } from '../case.ts';
import { STORES, store } from '../subjects.ts';

/** What both sides hold before the first case: the DataStore that the tenants name. */
export const preparation: readonly RequestStep[] = [setup(post(STORES, store({ name: 'default' })))];
