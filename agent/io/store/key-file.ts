import { type ChildProcess, execFile } from 'node:child_process';
import { randomFillSync, randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AgentError } from '../../errors.ts';
import { rootKeyBytes } from '../../template/keys.ts';
import { systemCode } from '../files/file-fault.ts';
import { secureMemory, wipe } from '../process/secure-memory.ts';

/** Where the root key of the device comes from. */
export type KeySource =
  /** A file of its own, away from the database. `mayCreate`: no template depends on an older key. */
  | { readonly file: string; readonly mayCreate: boolean }
  /** A program and its arguments (no shell) that prints the 32 bytes and nothing else. */
  | { readonly command: readonly [string, ...string[]] };

export type RootKey = { readonly bytes: Uint8Array; wipe(): void };

const commandTimeoutMs = 10_000;

/**
 * The 32 bytes every template depends on, in secure memory; wipe them once the protectors are made. A key
 * file that others could read, or that is not what it should be, is not used: KEY_INVALID says why.
 */
export async function loadRootKey(source: KeySource): Promise<RootKey> {
  const bytes =
    'file' in source
      ? (readKey(source.file) ?? createKey(source))
      : await askProgram(source.command);
  return {
    bytes,
    wipe: () => wipe(bytes),
  };
}

/** Undefined: there is no such file. */
function readKey(file: string): Uint8Array | undefined {
  // Not through a link, which could lead anywhere; not blocking, should it be a pipe.
  const fd = openKey(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if (fd === undefined) return undefined;
  try {
    const { mode, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) refuse(file, 'is not a regular file');
    if (mode & 0o077)
      refuse(file, `has mode ${(mode & 0o777).toString(8)}, not 600: others can use it`);
    if (size !== rootKeyBytes) refuse(file, `has ${size} bytes, not ${rootKeyBytes}`);
    const bytes = secureMemory(rootKeyBytes);
    if (readSync(fd, bytes) !== rootKeyBytes) refuse(file, 'could not be read whole');
    return bytes;
  } finally {
    closeSync(fd);
  }
}

function openKey(file: string, flags: number): number | undefined {
  try {
    return openSync(file, flags);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    if (systemCode(cause) === 'ELOOP') refuse(file, 'is a symbolic link', cause);
    refuse(file, 'cannot be opened', cause);
  }
}

/**
 * Written and synced under another name, then linked to its own: a power cut leaves a whole key or none,
 * and of two processes that start at once the second takes the key of the first.
 */
function createKey({ file, mayCreate }: { file: string; mayCreate: boolean }): Uint8Array {
  if (!mayCreate) refuse(file, 'is missing, and the templates in the gallery need it');
  const unfinished = `${file}.${randomUUID()}.tmp`;
  const bytes = randomFillSync(secureMemory(rootKeyBytes));
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeSynced(unfinished, bytes);
    linkSync(unfinished, file);
  } catch (cause) {
    wipe(bytes);
    const other = systemCode(cause) === 'EEXIST' ? readKey(file) : undefined;
    return other ?? refuse(file, 'cannot be created', cause);
  } finally {
    rmSync(unfinished, { force: true });
  }
  syncFolder(dirname(file));
  return bytes;
}

function writeSynced(file: string, bytes: Uint8Array): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = openSync(file, flags, 0o600);
  try {
    writeSync(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What the program printed is copied and zeroed; its words on stderr are not repeated, they might hold the key. */
function askProgram([program, ...args]: readonly [string, ...string[]]): Promise<Uint8Array> {
  const options = {
    encoding: 'buffer',
    timeout: commandTimeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 1024,
  } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout) => {
      const fault = error ? failureOf(error) : sizeFault(stdout.length);
      const bytes = fault === undefined ? secureMemory(rootKeyBytes) : undefined;
      bytes?.set(stdout);
      wipe(stdout);
      chunks.forEach(wipe);
      if (bytes) return resolve(bytes);
      reject(new AgentError('KEY_INVALID', `the key program ${program} ${fault}`));
    });
    const chunks = chunksOf(child);
    child.stdin?.end();
  });
}

/** The pieces in which Node reads what the program prints. It joins copies of them, and forgets these. */
function chunksOf(child: ChildProcess): Buffer[] {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return chunks;
}

function failureOf(error: Error & { code?: string | number | null; killed?: boolean }): string {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'printed more than a key';
  if (error.killed) return `gave no key within ${commandTimeoutMs / 1000} seconds`;
  return typeof error.code === 'number'
    ? `ended with status ${error.code}`
    : `could not be run (${error.code ?? 'killed by a signal'})`;
}

function sizeFault(sizeBytes: number): string | undefined {
  if (sizeBytes === rootKeyBytes) return undefined;
  return `printed ${sizeBytes} bytes, not ${rootKeyBytes} raw ones (no hex, no line end)`;
}

function refuse(file: string, fault: string, cause?: unknown): never {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  throw new AgentError('KEY_INVALID', `the key file ${file} ${fault}${why}`, { cause });
}
