import type { AuditLogOptions, AuditSink } from '../apiserver/audit/audit-log.ts';
import { AuditLogFile, newAuditStream } from '../apiserver/audit/audit-log.ts';
import type { ServeFlags } from './serve-flags.ts';
import { UsageError } from './usage-error.ts';

/** Where the flags send audit events; undefined: nowhere. @throws UsageError for a file that cannot be written */
export async function openAuditSink(flags: ServeFlags, options: AuditLogOptions): Promise<AuditSink | undefined> {
  const { auditLogPath: path, auditLogMaxBytes: maxBytes, auditLogMaxBackups: maxBackups } = flags;
  if (path === undefined) return undefined;
  if (path === '-') return newAuditStream(process.stdout, options);
  try {
    return await AuditLogFile.open({ ...options, path, maxBytes, maxBackups });
  } catch (error) {
    throw new UsageError(`--audit-log-path: ${error instanceof Error ? error.message : String(error)}`);
  }
}
