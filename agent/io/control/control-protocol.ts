import { AgentError, type ErrorCode, errorTable } from '../../errors.ts';
import { either, isRecord, number, object, readShape, text } from '../../shape.ts';

/**
 * What passes over the control socket: lines of JSON in UTF-8. A request `{"id"?, "command", "arguments"?}` is
 * answered by any number of `{"chunk": base64}` and then one `{"done": …}` or `{"error": {code, message}}`, each
 * with the request's id where it had one.
 */
export type Request = {
  readonly id?: string | number;
  readonly command: string;
  /** To be checked by whoever the command is for. */
  readonly arguments: unknown;
};

export type Reply =
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array }
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: AgentError };

/** Of a request, and of a piece of an answer. The result of a command may take more: see `longestReplyBytes`. */
export const longestLineBytes = 64 * 1024;
/** No reply is longer, and more never waits for one client. */
export const longestReplyBytes = 1024 * 1024;
/** As base64 in its line it stays below `longestLineBytes`. */
export const chunkBytes = 45 * 1024;

/** @throws CONTROL_INVALID for anything else */
export function requestOf(line: Uint8Array): Request {
  const read = readShape(request, jsonOf(line));
  if ('faults' in read) throw new AgentError('CONTROL_INVALID', read.faults.slice(0, 3).join('; '));
  return { arguments: {}, ...read.value };
}

/** @throws CONTROL_INVALID where no agent could have written it */
export function replyOf(line: Uint8Array): Reply {
  const value = jsonOf(line);
  if (isRecord(value)) {
    const { chunk, error } = value;
    if (typeof chunk === 'string') return { kind: 'chunk', bytes: Buffer.from(chunk, 'base64') };
    if (isRecord(error)) return { kind: 'error', error: faultOf(error) };
    if ('done' in value) return { kind: 'done', value: value['done'] };
  }
  throw new AgentError('CONTROL_INVALID', 'what answers at the control socket is no agent');
}

export function requestLine(request: Request): string {
  return `${JSON.stringify(request)}\n`;
}

/** @throws TypeError for a result that is too long: it ought to go in chunks */
export function replyLine(id: Request['id'], reply: Reply): string {
  const line = `${JSON.stringify({ ...(id === undefined ? {} : { id }), ...bodyOf(reply) })}\n`;
  if (Buffer.byteLength(line) <= longestReplyBytes) return line;
  throw new TypeError('the result of a command is longer than a reply may be');
}

function bodyOf(reply: Reply): object {
  switch (reply.kind) {
    case 'chunk':
      return { chunk: Buffer.from(reply.bytes).toString('base64') };
    case 'done':
      return { done: reply.value ?? null };
    case 'error': {
      const { code, message } = reply.error;
      return { error: { code, message } };
    }
  }
}

/** The code of an agent of another version may be unknown here. */
function faultOf({ code, message }: Readonly<Record<string, unknown>>): AgentError {
  const told = typeof message === 'string' ? message : 'the agent gave no reason';
  return new AgentError(isErrorCode(code) ? code : 'INTERNAL', told);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code);
}

const anything = (value: unknown) => value;
const request = object(
  { command: text({ max: 64, pattern: /^[a-z][a-z.-]*$/, what: 'the name of a command' }) },
  {
    id: either(
      number(0, Number.MAX_SAFE_INTEGER),
      text({ max: 64, what: 'a number or a text of at most 64 characters' }),
    ),
    arguments: anything,
  },
);

const utf8 = new TextDecoder('utf-8', { fatal: true });

function jsonOf(line: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(line));
  } catch (cause) {
    throw new AgentError('CONTROL_INVALID', 'a line is not JSON', { cause });
  }
}
