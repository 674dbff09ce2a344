import type { Reply } from '../../upload/cloud-port.ts';
import { readProblem, readStoreError } from './cloud-messages.ts';
import type { HttpAnswer } from './http-client.ts';

/** What a store answered, with the code and message of its error, if it is one. */
export function storeReply({ status, headers, body }: HttpAnswer): Reply {
  // 203: stored, but something else went wrong.
  const error = status >= 203 ? readStoreError(body, headers) : { code: null, message: null };
  return { kind: 'reply', status, headers, ...error };
}

/** What the vendor's cloud answered, with the last part of its problem's type, if it is one. */
export function vendorReply({ status, headers, body }: HttpAnswer): Reply {
  const code = status >= 300 ? readProblem(body) : null;
  return { kind: 'reply', status, headers, code, message: null };
}
