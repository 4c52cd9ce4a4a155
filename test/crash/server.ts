/**
 * The server that is killed: the real engine over the real storage, on a port of 127.0.0.1 and without an admin cluster.
 * `kamaji serve` itself needs one to start; what it adds to this is who may do what, not how anything is stored. (It is killed behind a
 * real kube-apiserver, ten times, in test/integration/api-crash.test.ts.)
 *
 *   node test/crash/server.ts '{"port": 1234, "key": "...", "cert": "...", "storage": "sqlite:///...", "etcd": {...}}'
 *
 * Prints its token once it serves.
 */
import { openStorage, type StorageDriverOptions } from '../../src/apiserver/storage/drivers.ts';
import type { TlsMaterial } from '../../src/apiserver/tls-source.ts';
import { startEngine } from '../storage/engine.ts';
import { ticketDefinition } from './kinds.ts';

export interface CrashServerOptions extends TlsMaterial, Pick<StorageDriverOptions, 'etcd'> {
  readonly port: number;
  readonly storage: string;
}

const options = JSON.parse(process.argv[2] ?? '') as CrashServerOptions;
const storage = await openStorage(options.storage, options.etcd === undefined ? {} : { etcd: options.etcd });
const engine = await startEngine(storage, [ticketDefinition], options, options.port);
process.stdout.write(`${engine.token}\n`);
