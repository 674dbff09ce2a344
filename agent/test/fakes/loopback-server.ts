import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
export type LoopbackServer = {
  readonly origin: string;
  readonly requests: readonly IncomingMessage[];
  handler: Handler;
  /** Ends every connection at once. */
  cut(): void;
};

/** An http server on this machine until the test is over; `handler` may be exchanged at any time. */
export async function loopbackServer(handler: Handler): Promise<LoopbackServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    state.handler(request, response);
  });
  const state = { origin: '', requests, handler, cut: () => server.closeAllConnections() };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  state.origin = `http://127.0.0.1:${address.port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return state;
}

/** Serves `content` as a good server does: with a strong ETag, ranges, and If-Range. */
export function serveRanges(content: Uint8Array, etag = '"1"'): Handler {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const sameVersion = (request.headers['if-range'] ?? etag) === etag;
    if (from >= content.length) {
      response.writeHead(416).end();
    } else if (from > 0 && sameVersion) {
      const range = `bytes ${from}-${content.length - 1}/${content.length}`;
      response.writeHead(206, { etag, 'content-range': range });
      response.end(content.subarray(from));
    } else {
      response.writeHead(200, { etag, 'content-length': content.length }).end(content);
    }
  };
}

/** Sends the head, `sent` bytes of `content`, and then nothing more. */
export function serveHalf(content: Uint8Array, sent: number, etag = '"1"'): Handler {
  return (_request, response) => {
    response.writeHead(200, { etag, 'content-length': content.length });
    response.write(content.subarray(0, sent));
  };
}
