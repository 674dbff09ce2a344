import { AgentError } from '../../errors.ts';
import { object, readShape, text } from '../../shape.ts';
import type { Credentials } from '../../upload/request-signature.ts';
import { readPrivateFile } from '../files/private-file.ts';

/**
 * The pair that a device signs with which has only a bucket: `{"accessKeyId", "secretAccessKey"}`, and of the token
 * service `"sessionToken"` and `"expiresAt"` (ISO 8601). Read anew every time, so that whoever renews it only
 * has to replace the file.
 *
 * @param nowMs by the store's clock
 * @throws CREDENTIALS_INVALID, which names the file and nothing in it
 */
export function readCredentials(file: string, nowMs: number): Credentials {
  const read = readShape(credentials, parsed(file));
  // The faults of a shape show the values.
  if ('faults' in read) refuse(file, 'is not as docs/cloud.md says');
  const { accessKeyId, secretAccessKey, sessionToken = null, expiresAt } = read.value;
  const expiresMs = expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
  // Not `<=`: of what is no date nobody knows whether it is over.
  if (!(nowMs < expiresMs)) refuse(file, `has expired (${expiresAt})`);
  return { accessKeyId, secretAccessKey, sessionToken };
}

/** No line feeds, which would end up in a header. */
const word = (max: number) => text({ max, pattern: /^[!-~]+$/, what: 'printable signs' });
const credentials = object(
  { accessKeyId: word(128), secretAccessKey: word(256) },
  { sessionToken: word(8192), expiresAt: text({ max: 40, pattern: /^[\dTZ:.+-]+$/ }) },
);
const mostBytes = 16 * 1024;

function parsed(file: string): unknown {
  const content = readPrivateFile(file, mostBytes);
  try {
    return JSON.parse(content);
  } catch {
    // Its message quotes what stands there.
    return refuse(file, 'is not JSON');
  }
}

function refuse(file: string, why: string): never {
  throw new AgentError('CREDENTIALS_INVALID', `${file}: ${why}`);
}
