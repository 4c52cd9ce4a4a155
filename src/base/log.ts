import type { Clock } from './clock.ts';
import { redact } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured log, one JSON object a line. Fields named like a credential are replaced, PEM keys and bearer tokens inside
 * texts too, and errors are written with name, code, stack and cause. Logging never throws.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
  /** To skip the making of costly fields. */
  enabled(level: LogLevel): boolean;
}

export interface LoggerOptions {
  readonly clock: Clock;
  /** Default info. */
  readonly level?: LogLevel;
  /** Takes one line with its newline; default stderr. */
  readonly write?: (line: string) => void;
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export function isLogLevel(value: string): value is LogLevel {
  return Object.hasOwn(RANK, value);
}

export function createLogger(options: LoggerOptions): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  return newLogger(options.clock, RANK[options.level ?? 'info'], write, {});
}

/** Swallows everything; for tests and tools. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
  enabled: () => false,
};

function newLogger(clock: Clock, minimum: number, write: (line: string) => void, bound: LogFields): Logger {
  const emit = (level: LogLevel, message: string, fields: LogFields | undefined): void => {
    if (RANK[level] < minimum) return;
    const time = new Date(clock.now()).toISOString();
    write(`${formatLine(time, level, message, fields ? { ...bound, ...fields } : bound)}\n`);
  };
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    child: (fields) => newLogger(clock, minimum, write, { ...bound, ...fields }),
    enabled: (level) => RANK[level] >= minimum,
  };
}

function formatLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  try {
    return JSON.stringify({ time, level, msg: redact(message), ...(redact(fields) as object) });
  } catch (error) {
    // A throwing getter or toJSON of a logged value must not take the caller down.
    return JSON.stringify({
      time,
      level,
      msg: message,
      logError: error instanceof Error ? error.message : String(error),
    });
  }
}
