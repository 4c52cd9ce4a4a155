import type { IncomingMessage } from 'node:http';
import { abandonOn } from '../base/deadline.ts';
import { newBadRequest, newRequestTooLarge } from '../apimachinery/status.ts';

/** k8s.io/apiserver/pkg/server/config.go, MaxRequestBodyBytes. */
export const maxBodyBytes = 3 * 1024 * 1024;
/**
 * So much of a body that is too large is read and thrown away before it is refused: a client that still writes when the connection
 * closes may never see the answer, and kube-apiserver's proxy then says 503.
 */
const maxDiscardedBytes = 16 * 1024 * 1024;

/** The whole body. @throws StatusError (400 when it breaks off, 413 when it is too large), the reason of `signal` */
export async function readBody(request: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxDiscardedBytes) throw tooLarge();
  return abandonOn(collect(request), signal);
}

async function collect(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxDiscardedBytes) throw tooLarge();
      if (size <= maxBodyBytes) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') throw newBadRequest('unexpected EOF');
    throw error;
  }
  // A stream of HTTP/2 that was reset looks like one that has ended.
  if (request.aborted) throw newBadRequest('unexpected EOF');
  if (size > maxBodyBytes) throw tooLarge();
  return Buffer.concat(chunks);
}

function tooLarge(): Error {
  return newRequestTooLarge(`limit is ${maxBodyBytes}`);
}
