import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import type { Call, Headers, NoReply, RequestFacts } from '../../upload/cloud-port.ts';
import { callLimitMs } from '../../upload/limited-call.ts';
import { sha256Hex } from '../files/digests.ts';
import { systemTimers } from '../process/clock.ts';
import { openSecure, type SecureOptions, type Trust, trustOf } from './secure-connection.ts';
import { ConnectionFault, transportFaultOf } from './transport-fault.ts';

export type HttpRequest = {
  readonly method: RequestFacts['method'];
  /** https only. */
  readonly url: URL;
  /** Names in small letters; exactly these travel, and host, connection, user-agent and content-length. */
  readonly headers: Headers;
  readonly body: Uint8Array | null;
  /** For the ledger. */
  readonly objectKey: string | null;
};

export type HttpAnswer = {
  readonly kind: 'answer';
  readonly status: number;
  /** Names in small letters; of one that came more than once, all values. */
  readonly headers: Headers;
  readonly body: Uint8Array;
};

/** To one kind of server, for one purpose. */
export type HttpClient = {
  /**
   * Rejects for nothing that the network or the other side can do; ends at once with the call's signal, and then
   * writes no byte more. Follows no redirect, keeps no cookie, repeats nothing. One after the other.
   */
  send(request: HttpRequest, call: Call): Promise<HttpAnswer | NoReply>;
  /** Ends what is open. */
  close(): Promise<void>;
};

export type HttpLimits = {
  /** For the name, the connection, a tunnel and the handshake together. */
  readonly connectMs: number;
  /** Longest silence before and within an answer. */
  readonly silenceMs: number;
  /** For all of it. */
  readonly wholeMs: number;
};

/** The whole as the uploader has it; the parts within it such that the cause can still be told. */
const presetLimits: HttpLimits = { connectMs: 10_000, silenceMs: 20_000, wholeMs: callLimitMs };

/** Says what it is and no more: no version, no device. */
const userAgent = 'doorkeep';

/** More than any answer of the contract; a message has at most 16 KiB. */
const mostReplyBytes = 64 * 1024;

/**
 * undici is loaded here, not before: 23 MB that only a night needs.
 * @throws CREDENTIALS_INVALID
 */
export async function createHttpClient(
  options: SecureOptions,
  limits: HttpLimits = presetLimits,
): Promise<HttpClient> {
  const trust = trustOf(options);
  const { Agent } = await import('undici');
  const sockets = openSockets();
  const dispatcher = new Agent({
    // Version 2 is on by default where a server offers it, and one connection then serves many streams.
    allowH2: false,
    connections: 1,
    pipelining: 1,
    headersTimeout: limits.silenceMs,
    bodyTimeout: limits.silenceMs,
    maxResponseSize: mostReplyBytes,
    // Between the steps of a night, not between nights, whatever the server offers.
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 4_000,
    connect: ({ hostname, port }, callback) => {
      const to = { hostname, port: port === '' ? 443 : Number(port) };
      openInTime(trust, to, limits.connectMs, sockets.add).then(
        (socket) => callback(null, socket),
        (cause: unknown) =>
          callback(cause instanceof Error ? cause : new Error(String(cause)), null),
      );
    },
  });
  let last: Promise<unknown> = Promise.resolve();

  async function exchange(request: HttpRequest, call: Call): Promise<HttpAnswer | NoReply> {
    if (call.signal.aborted) return { kind: 'no-reply', fault: 'aborted' };
    const stop = stopper(call.signal, limits.wholeMs, sockets.cut);
    let answer: HttpAnswer | NoReply | undefined;
    try {
      answer = await exchanged(dispatcher, request, stop);
      return answer;
    } finally {
      stop.end();
      call.onRequest(factsOf(request, answer));
    }
  }
  return {
    send(request, call) {
      // One that was given up may take a moment to end, and cuts whatever is open.
      const turn = last.then(() => exchange(request, call));
      last = turn.catch(() => {});
      return turn;
    },
    async close() {
      sockets.cut();
      await dispatcher.destroy();
    },
  };
}

async function exchanged(
  dispatcher: Dispatcher,
  { method, url, headers, body }: HttpRequest,
  stop: Stopper,
): Promise<HttpAnswer | NoReply> {
  if (url.protocol !== 'https:') throw new TypeError(`${url.protocol} is not https:`);
  try {
    const answer = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { 'user-agent': userAgent, ...headers },
      body,
      signal: stop.signal,
    });
    const bytes = await answer.body.bytes();
    return {
      kind: 'answer',
      status: answer.statusCode,
      headers: joined(answer.headers),
      body: bytes,
    };
  } catch (cause) {
    const fault = stop.why() ?? transportFaultOf(cause);
    if (fault === undefined) throw cause;
    return { kind: 'no-reply', fault };
  }
}

type Stopper = {
  readonly signal: AbortSignal;
  /** Undefined: it was not stopped. */
  why(): 'aborted' | 'timeout' | undefined;
  end(): void;
};

/** Stops a request when the call is given up, or when it has taken too long: `cut` first, so that nothing more leaves. */
function stopper(outer: AbortSignal, wholeMs: number, cut: () => void): Stopper {
  const controller = new AbortController();
  let why: 'aborted' | 'timeout' | undefined;
  const stop = (reason: 'aborted' | 'timeout') => {
    why ??= reason;
    // Reset, not closed: on a slow line the kernel would go on sending what it has been given.
    cut();
    controller.abort();
  };
  const onAbort = () => stop('aborted');
  const cancel = systemTimers.after(wholeMs, () => stop('timeout'));
  outer.addEventListener('abort', onAbort);
  return {
    signal: controller.signal,
    why: () => why,
    end() {
      cancel();
      outer.removeEventListener('abort', onAbort);
    },
  };
}

function openSockets() {
  const open = new Set<Socket>();
  return {
    add(socket: Socket): void {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      // Whoever waits for it hears of it in another way; without a listener it would end the process.
      socket.on('error', () => {});
    },
    cut(): void {
      for (const socket of open) {
        // What is not connected yet would be reset only when it is.
        if (socket.connecting) socket.destroy();
        else socket.resetAndDestroy();
      }
    },
  };
}

async function openInTime(
  trust: Trust,
  to: { readonly hostname: string; readonly port: number },
  limitMs: number,
  onSocket: (socket: Socket) => void,
) {
  const late = new AbortController();
  const cancel = systemTimers.after(limitMs, () => {
    late.abort(new ConnectionFault('connect-timeout', `no connection to ${to.hostname} in time`));
  });
  try {
    return await openSecure(trust, to, { signal: late.signal, onSocket });
  } finally {
    cancel();
  }
}

function factsOf(
  { method, url, body, objectKey }: HttpRequest,
  answer: HttpAnswer | NoReply | undefined,
): RequestFacts {
  return {
    method,
    host: url.host,
    objectKey,
    bodySha256: body === null ? null : sha256Hex(body),
    sizeBytes: body?.length ?? 0,
    status: answer?.kind === 'answer' ? answer.status : null,
  };
}

function joined(headers: Dispatcher.ResponseData['headers']): Headers {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  );
  return Object.fromEntries(entries);
}
