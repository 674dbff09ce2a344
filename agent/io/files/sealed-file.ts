import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { AgentError } from '../../errors.ts';
import { wipe } from '../process/secure-memory.ts';
import { readEpochKey } from '../programme/epoch-key.ts';
import { fileFault, systemCode } from './file-fault.ts';
import { syncFolderNow } from './overwrite-file.ts';

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Puts `content` at `path`, whole or not at all and on the medium, sealed by AES-256-GCM under the key in
 * `keyFile` and bound to its name: with the key gone it is noise, wherever the file system left copies of it.
 * @throws KEY_INVALID: there is no key. STORE_FULL STORE_READ_ONLY STORE_FAILED
 */
export function writeSealedFile(path: string, content: Uint8Array, keyFile: string): void {
  const sealed = withKey(keyFile, (key) => {
    const nonce = randomFillSync(new Uint8Array(nonceBytes));
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(basename(path)));
    const text = Buffer.concat([cipher.update(content), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]);
  });
  if (!sealed) throw new AgentError('KEY_INVALID', `${keyFile}: there is no key to seal under`);
  const unfinished = `${path}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    const fd = openSync(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    try {
      for (let at = 0; at < sealed.length; ) at += writeSync(fd, sealed, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(unfinished, path);
    syncFolderNow(dirname(path));
  } catch (cause) {
    rmSync(unfinished, { force: true });
    throw fileFault(cause, path);
  }
}

/** Undefined: it is not there, or not what was sealed under this key and this name. @throws STORE_FAILED KEY_INVALID */
export function readSealedFile(path: string, keyFile: string): Uint8Array | undefined {
  let sealed: Buffer;
  try {
    sealed = readFileSync(path);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw fileFault(cause, path);
  }
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  return withKey(keyFile, (key) => {
    const nonce = sealed.subarray(0, nonceBytes);
    const opener = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    opener.setAAD(Buffer.from(basename(path)));
    opener.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
    const content = opener.update(sealed.subarray(nonceBytes + tagBytes));
    try {
      opener.final();
      return new Uint8Array(content);
    } catch {
      return undefined;
    } finally {
      content.fill(0);
    }
  });
}

function withKey<T>(keyFile: string, use: (key: Uint8Array) => T): T | undefined {
  const key = readEpochKey(keyFile);
  if (key.kind !== 'key') return undefined;
  try {
    return use(key.bytes);
  } finally {
    wipe(key.bytes);
  }
}
