import { createCipheriv, scryptSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { type BackupContent, decodeBackup, encodeBackup } from './backup-content.ts';
import { readBackup, writeBackup } from './backup-file.ts';

const passphrase = Buffer.from('correct horse battery staple');
const code = (n: number) => Uint8Array.from({ length: 512 }, (_, i) => (i * 31 + n) & 255);
const matchKey = Uint8Array.from({ length: 32 }, (_, i) => 200 - i);
const content: BackupContent = {
  createdAt: 1_790_000_000_000,
  generations: [{ modelSha256: 'a'.repeat(64), version: 4, isRetiring: true, matchKey }],
  residents: [
    {
      id: 'R-1',
      label: 'Grandma 😀',
      enrolledAt: 5,
      templates: [
        { generation: 0, label: 'glasses', createdAt: 6, code: code(1) },
        { generation: 0, label: null, createdAt: 7, code: code(2) },
      ],
    },
    { id: 'R-2', label: null, enrolledAt: 8, templates: [] },
  ],
};
let whole: Buffer;

beforeAll(() => {
  whole = sealed(encodeBackup(content));
});

test('S2-20 what was backed up is read again as it was', async () => {
  const file = join(temporaryFolder(), 'gallery.backup');
  await writeBackup(file, content, passphrase);
  const backup = await readBackup(file, passphrase);
  expect(plain(backup.content)).toEqual(plain(content));
  const [kept] = backup.content.generations;
  backup.wipe();
  expect(kept?.matchKey.every((byte) => byte === 0)).toBe(true);
});

test('S2-20 the file is for its owner alone, nothing beside it, and nothing in it can be read', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'gallery.backup');
  await writeBackup(file, content, passphrase);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['gallery.backup']);
  const bytes = readFileSync(file);
  for (const secret of [
    'R-1',
    'Grandma',
    'glasses',
    passphrase,
    matchKey,
    code(1).subarray(0, 16),
  ]) {
    expect(bytes.includes(Buffer.from(secret))).toBe(false);
  }
});

test('two backups of one gallery have nothing in common but the first bytes', async () => {
  const folder = temporaryFolder();
  const [a, b] = ['a', 'b'].map((name) => join(folder, name));
  if (!a || !b) throw new Error('no names');
  for (const file of [a, b]) await writeBackup(file, content, passphrase);
  const [first, second] = [readFileSync(a), readFileSync(b)];
  expect(first.length).toBe(second.length);
  expect(first.subarray(0, 12)).toEqual(second.subarray(0, 12));
  const equal = first.subarray(12).filter((byte, i) => byte === second[12 + i]);
  expect(equal.length).toBeLessThan(first.length / 32);
});

test('another passphrase opens nothing', async () => {
  await refused(
    whole,
    'BACKUP_INVALID',
    'another passphrase, or the file is damaged',
    'correct horse',
  );
});

describe('a file that is not what was written', () => {
  test('is refused wherever a byte is changed', async () => {
    const places = [0, 8, 9, 10, 11, 12, 39, 40, 500, whole.length - 16, whole.length - 1];
    for (const at of places) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await refused(changed, /^BACKUP_(INVALID|NEWER)$/, '');
    }
  });

  test('is refused wherever it is cut off, or goes on', async () => {
    for (const size of [0, 5, 8, 12, 39, 40, 55, 56, 57, whole.length - 1]) {
      await refused(whole.subarray(0, size), 'BACKUP_INVALID', '');
    }
    await refused(Buffer.concat([whole, Buffer.of(0)]), 'BACKUP_INVALID', '');
  });

  test('is told from one of a newer doorkeep', async () => {
    const newer = Buffer.from(whole);
    newer[8] = 2;
    await refused(newer, 'BACKUP_NEWER', 'has format 2, this doorkeep knows 1');
  });

  test.each([
    ['a memory of a terabyte', 30, 8, 1],
    ['half a gigabyte by way of r', 18, 16, 1],
    ['a week of work', 15, 8, 255],
    ['a work that is too little to be safe', 10, 8, 1],
    ['none at all', 0, 0, 0],
  ])('cannot ask for %s', async (_, log2N, r, p) => {
    const greedy = Buffer.from(whole);
    greedy.set([log2N, r, p], 9);
    await refused(greedy, 'BACKUP_INVALID', 'damaged beginning');
  });

  test('is refused with the right passphrase too, where its content is none', async () => {
    const withId = (id: string) => ({
      ...content,
      residents: [{ id, label: null, enrolledAt: 1, templates: [] }],
    });
    const forged: [Uint8Array, string][] = [
      [encodeBackup(withId('../etc/passwd')), 'residents[0].id'],
      [
        encodeBackup({ ...content, residents: [...content.residents, ...content.residents] }),
        'twice',
      ],
      [encodeBackup({ ...content, generations: [] }), 'no generation'],
      [encodeBackup(content).subarray(0, -1), 'has not the length'],
      [Uint8Array.of(255, 255, 255, 255, 1), 'is cut off'],
      [Uint8Array.of(0, 0, 0, 2, 123, 34), 'holds what is no gallery'],
      [Uint8Array.of(0, 0), 'is cut off'],
    ];
    for (const [bytes, fault] of forged) await refused(sealed(bytes), 'BACKUP_INVALID', fault);
  });

  test('that is missing, or a folder, is named', async () => {
    const folder = temporaryFolder();
    for (const path of [join(folder, 'none'), folder]) {
      await expect(readBackup(path, passphrase)).rejects.toMatchObject({
        code: 'INPUT_MISSING',
        message: expect.stringContaining(path),
      });
    }
  });
});

test('where it cannot be put in its place, nothing of it is left', async () => {
  const folder = temporaryFolder();
  const taken = join(folder, 'taken');
  mkdirSync(taken);
  await expect(writeBackup(taken, content, passphrase)).rejects.toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringContaining(taken),
  });
  expect(readdirSync(folder)).toEqual(['taken']);
  const under = join(folder, 'file', 'b');
  writeFileSync(join(folder, 'file'), '');
  const refusal = writeBackup(under, content, passphrase);
  await expect(refusal).rejects.toMatchObject({ code: 'STORE_FAILED' });
});

test('an empty gallery is a gallery', () => {
  const empty = { createdAt: 1, generations: [], residents: [] };
  expect(decodeBackup(encodeBackup(empty), 'it')).toEqual(empty);
});

/** The bytes as a backup that opens; with as little work as is accepted, for there are many of them. */
function sealed(bytes: Uint8Array): Buffer {
  const header = Buffer.concat([
    Buffer.from('doorkeep'),
    Buffer.of(1, 15, 8, 1),
    Buffer.alloc(28, 7),
  ]);
  const options = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 };
  const key = scryptSync(passphrase, header.subarray(12, 28), 32, options);
  const cipher = createCipheriv('aes-256-gcm', key, header.subarray(28));
  cipher.setAAD(header);
  const encrypted = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([header, encrypted, cipher.getAuthTag()]);
}

async function refused(
  bytes: Uint8Array,
  code: string | RegExp,
  message: string,
  words = passphrase.toString(),
): Promise<void> {
  const file = join(temporaryFolder(), 'b');
  writeFileSync(file, bytes);
  await expect(readBackup(file, Buffer.from(words))).rejects.toMatchObject({
    code: expect.stringMatching(code),
    message: expect.stringContaining(message),
  });
}

function plain({ generations, residents, createdAt }: BackupContent) {
  return {
    createdAt,
    generations: generations.map((each) => ({ ...each, matchKey: [...each.matchKey] })),
    residents: residents.map((each) => ({
      ...each,
      templates: each.templates.map((template) => ({ ...template, code: [...template.code] })),
    })),
  };
}
