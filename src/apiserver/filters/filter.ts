import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** A request to a server always has these. */
export type Request = IncomingMessage & { readonly url: string; readonly method: string };
export type Response = ServerResponse;
/** Hands the request to the next filter. */
export type Next = () => void;

/** Looks at a request on its way in: hands it on with `next`, answers it, or throws what becomes the answer. */
export type Filter = (request: Request, response: Response, next: Next) => void | Promise<void>;

/** Answers with what a filter threw. */
export type ErrorFilter = (error: unknown, request: Request, response: Response) => Promise<void>;

/** One listener of filters that are asked in order. */
export function chain(filters: readonly Filter[], refuse: ErrorFilter): RequestListener {
  return (incoming, response) => {
    const request = incoming as Request;
    const fail = (thrown: unknown): void => {
      // When not even the error can be told, the client shall at least not wait for it.
      refuse(thrown, request, response).catch(() => void response.destroy());
    };
    const ask = (at: number): void => {
      const filter = filters[at];
      if (filter === undefined) return;
      try {
        const running = filter(request, response, () => ask(at + 1));
        if (running !== undefined) running.catch(fail);
      } catch (error) {
        fail(error);
      }
    };
    ask(0);
  };
}
