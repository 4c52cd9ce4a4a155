import type { IncomingMessage } from 'node:http';
import { abandonOn } from '../base/deadline.ts';
import { newBadRequest, newRequestTooLarge } from '../apimachinery/status.ts';

/** k8s.io/apiserver/pkg/server/config.go, MaxRequestBodyBytes. */
export const maxBodyBytes = 3 * 1024 * 1024;

/** The whole body. @throws StatusError (400 when it breaks off, 413 when it is too large), the reason of `signal` */
export async function readBody(request: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge();
  return abandonOn(collect(request), signal);
}

async function collect(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBodyBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') throw newBadRequest('unexpected EOF');
    throw error;
  }
  return Buffer.concat(chunks);
}

function tooLarge(): Error {
  return newRequestTooLarge(`limit is ${maxBodyBytes}`);
}
