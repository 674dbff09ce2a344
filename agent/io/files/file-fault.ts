import { AgentError, type ErrorCode } from '../../errors.ts';

/**
 * What the system said about a file on the data volume, as an AgentError that names the file:
 * STORE_FULL, STORE_READ_ONLY, otherwise STORE_FAILED. An AgentError stays what it is.
 */
export function fileFault(cause: unknown, file: string): AgentError {
  if (cause instanceof AgentError) return cause;
  const code = storeCodes[systemCode(cause) ?? ''] ?? 'STORE_FAILED';
  return new AgentError(code, `${file}: cannot be written (${reasonOf(cause)})`, { cause });
}

/** "ENOSPC", "ENOENT"; undefined for errors that are not the system's. */
export function systemCode(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** One line. */
export function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return systemCode(cause) ?? text.split('\n', 1)[0] ?? '';
}

const storeCodes: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'STORE_FULL',
  EDQUOT: 'STORE_FULL',
  // A limit on the size of files, of the process or of the file system.
  EFBIG: 'STORE_FULL',
  EROFS: 'STORE_READ_ONLY',
  EACCES: 'STORE_READ_ONLY',
  EPERM: 'STORE_READ_ONLY',
};
