import type { IncomingMessage, ServerResponse } from 'node:http';
import { contextOf } from '../request-context.ts';
import { sendText } from '../response.ts';

/** A named condition of health. The reason of a failure goes to the log, not to the caller. */
export interface HealthCheck {
  readonly name: string;
  /** @throws when unhealthy */
  check(): Promise<void>;
}

export interface HealthEndpoint {
  /** `livez`, `readyz` or `healthz`. */
  readonly name: string;
  readonly checks: readonly HealthCheck[];
}

interface Result {
  readonly name: string;
  readonly failed: boolean;
}

/** Answers `/<endpoint>[/<check>][?verbose][&exclude=...]`; false when the path is not this endpoint's. k8s.io/apiserver/pkg/server/healthz. */
export async function serveHealth(
  endpoint: HealthEndpoint,
  request: IncomingMessage,
  response: ServerResponse,
  onFailure: (check: string, error: unknown) => void,
): Promise<boolean> {
  const { info, query } = contextOf(request);
  const [root, one, ...more] = info.path.replace(/^\/+|\/+$/g, '').split('/');
  if (root !== endpoint.name || more.length > 0) return false;
  const excluded = new Set(query.getAll('exclude'));
  const wanted = endpoint.checks.filter((check) =>
    one === undefined ? !excluded.has(check.name) : check.name === one,
  );
  if (one !== undefined && wanted.length === 0) return false;
  const results = await Promise.all(wanted.map((check) => run(check, onFailure)));
  answer(response, endpoint, results, one === undefined ? excluded : new Set(), query.has('verbose'));
  return true;
}

async function run(check: HealthCheck, onFailure: (check: string, error: unknown) => void): Promise<Result> {
  try {
    await check.check();
    return { name: check.name, failed: false };
  } catch (error) {
    onFailure(check.name, error);
    return { name: check.name, failed: true };
  }
}

function answer(
  response: ServerResponse,
  endpoint: HealthEndpoint,
  results: readonly Result[],
  excluded: ReadonlySet<string>,
  verbose: boolean,
): void {
  const failed = results.some((result) => result.failed);
  if (!failed && !verbose) {
    sendText(response, 200, 'ok');
    return;
  }
  const lines = results.map(({ name, failed: bad }) => (bad ? `[-]${name} failed: reason withheld` : `[+]${name} ok`));
  for (const name of excluded) lines.push(`[+]${name} excluded: ok`);
  const verdict = failed ? `${endpoint.name} check failed` : `${endpoint.name} check passed`;
  sendText(response, failed ? 500 : 200, `${[...lines, verdict].join('\n')}\n`);
}
