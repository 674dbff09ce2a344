import {
  createCipheriv,
  createDecipheriv,
  randomBytes,
  type ScryptOptions,
  scrypt,
} from 'node:crypto';
import { open } from 'node:fs/promises';
import { AgentError } from '../../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { reasonOf } from '../files/file-fault.ts';
import { secureMemory, wipe } from '../process/secure-memory.ts';
import { type BackupContent, decodeBackup, encodeBackup } from './backup-content.ts';

/** "doorkeep", format, log2 N, r, p, salt, nonce; authenticated with the rest. */
const magic = Buffer.from('doorkeep');
const format = 1;
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = magic.length + 4 + saltBytes + nonceBytes;
/** A million templates; a larger file is no backup, and is not read into memory. */
const fileBytesMost = 640 * 2 ** 20;

/**
 * scrypt (RFC 7914) with 32 MiB and three passes: of the settings that OWASP's password storage cheat sheet
 * names equally strong, the one that the smallest device has the memory for.
 */
const scryptNow = { log2N: 15, r: 8, p: 3 };
/** What another doorkeep may have chosen: worth its name, and no more than a small device can work off. */
const scryptLeast = { log2N: 15, r: 8, p: 1 };
const scryptMost = { log2N: 18, r: 16, p: 8, memoryBytes: 256 * 2 ** 20 };

/**
 * Whole or not at all, for its owner only; the content is encrypted (AES-256-GCM) under a key of the
 * passphrase. @throws STORE_…
 */
export async function writeBackup(
  file: string,
  content: BackupContent,
  passphrase: Uint8Array,
): Promise<void> {
  const { log2N, r, p } = scryptNow;
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const header = Buffer.concat([magic, Buffer.of(format, log2N, r, p), salt, nonce]);
  const key = await keyOf(passphrase, salt, scryptNow);
  const plain = encodeBackup(content);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(header);
  const sealed = cipher.update(plain);
  cipher.final();
  wipe(plain);
  wipe(key);
  await writeFileAtomic(file, Buffer.concat([header, sealed, cipher.getAuthTag()]), 0o600);
}

/**
 * What was written, or BACKUP_INVALID: another passphrase, or one byte of it is not what was written; which of
 * them cannot be told. `wipe` zeroes its keys and codes. @throws BACKUP_INVALID BACKUP_NEWER INPUT_MISSING
 */
export async function readBackup(
  file: string,
  passphrase: Uint8Array,
): Promise<{ readonly content: BackupContent; wipe(): void }> {
  const bytes = await readAll(file);
  const invalid = (fault: string) => new AgentError('BACKUP_INVALID', `${file} ${fault}`);
  if (!bytes.subarray(0, magic.length).equals(magic)) throw invalid('is no backup of doorkeep');
  const [found = 0, log2N = 0, r = 0, p = 0] = bytes.subarray(magic.length);
  if (found > format) {
    throw new AgentError(
      'BACKUP_NEWER',
      `${file} has format ${found}, this doorkeep knows ${format}`,
    );
  }
  if (bytes.length <= headerBytes + tagBytes) throw invalid('is cut off');
  const cost = { log2N, r, p };
  if (found !== format || !isBearable(cost)) throw invalid('has a damaged beginning');
  const header = bytes.subarray(0, headerBytes);
  const salt = header.subarray(magic.length + 4, magic.length + 4 + saltBytes);
  const nonce = header.subarray(-nonceBytes);
  const key = await keyOf(passphrase, salt, cost);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  wipe(key);
  decipher.setAAD(header);
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  const decrypted = decipher.update(bytes.subarray(headerBytes, -tagBytes));
  const plain = secureMemory(decrypted.length);
  plain.set(decrypted);
  decrypted.fill(0);
  try {
    decipher.final();
    return { content: decodeBackup(plain, file), wipe: () => wipe(plain) };
  } catch (cause) {
    wipe(plain);
    if (cause instanceof AgentError) throw cause;
    throw invalid('does not open: another passphrase, or the file is damaged');
  }
}

type Cost = { readonly log2N: number; readonly r: number; readonly p: number };

function isBearable({ log2N, r, p }: Cost): boolean {
  const { log2N: most, memoryBytes } = scryptMost;
  const isStrong = log2N >= scryptLeast.log2N && r >= scryptLeast.r && p >= scryptLeast.p;
  const isSmall = log2N <= most && r <= scryptMost.r && p <= scryptMost.p;
  return isStrong && isSmall && 128 * 2 ** log2N * r <= memoryBytes;
}

/** Off the main thread; the caller wipes it. */
async function keyOf(passphrase: Uint8Array, salt: Uint8Array, cost: Cost): Promise<Uint8Array> {
  const N = 2 ** cost.log2N;
  const options: ScryptOptions = { N, r: cost.r, p: cost.p, maxmem: 129 * N * cost.r + 2 ** 20 };
  const derived = await new Promise<Buffer>((resolve, reject) => {
    scrypt(passphrase, salt, 32, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
  const key = secureMemory(derived.length);
  key.set(derived);
  derived.fill(0);
  return key;
}

async function readAll(file: string): Promise<Buffer> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      if (size > fileBytesMost) {
        throw new AgentError('BACKUP_INVALID', `${file} has ${size} bytes: too many for a backup`);
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw new AgentError('INPUT_MISSING', `${file}: cannot be read (${reasonOf(cause)})`, {
      cause,
    });
  }
}
