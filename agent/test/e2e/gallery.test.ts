import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedFaces, sharedModels } from '../fakes/shared-material.ts';
import { doorkeep } from './doorkeep.ts';

const folder = mkdtempSync(join(tmpdir(), 'doorkeep-gallery-'));
const dataDir = join(folder, 'data');
const at = ['--data-dir', dataDir];
const passphraseFile = join(folder, 'passphrase');
const secret = ['--passphrase-file', passphraseFile];
beforeAll(() => writeFileSync(passphraseFile, 'correct horse battery\n'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('doorkeep gallery', () => {
  test('what destroys is refused in a pipe, and what needs a passphrase says how to give it', async () => {
    const revoked = await doorkeep(['gallery', 'revoke', ...at]);
    expect(revoked.stderr).toMatch(/CONFIRMATION_NEEDED: .*\n.*--yes/);
    expect(revoked.status).toBe(60);
    const backup = await doorkeep(['gallery', 'backup', join(folder, 'b'), ...at]);
    expect(backup.stderr).toContain('USAGE: give --passphrase-file');
    const days = await doorkeep(['gallery', 'renew', '--grace-days', '0', ...at]);
    expect(days.stderr).toContain('--grace-days is a whole number from 1 to 365, not 0');
    expect(existsSync(dataDir)).toBe(false);
  });

  test('the help of backup and restore says what the file carries, and what that means', async () => {
    for (const name of ['backup', 'restore']) {
      const { stdout } = await doorkeep(['gallery', name, '--help']);
      expect(stdout).toContain('never the\nroot key');
      expect(stdout).toContain('Whoever has the file AND the passphrase can approximate');
    }
  });

  test('a file that is no backup is told in one line, with its code', async () => {
    const ran = await doorkeep(['gallery', 'restore', passphraseFile, ...secret, ...at]);
    expect(ran.stderr).toContain(`BACKUP_INVALID: ${passphraseFile} is no backup of doorkeep`);
    expect(ran.stderr.trim().split('\n')).toHaveLength(2);
    expect(ran.status).toBe(58);
  });
});

describe.skipIf(!sharedModels || !sharedFaces)(
  'doorkeep gallery with real models and faces',
  () => {
    const face = (name: string) => join(sharedFaces ?? '', 'single', name);
    const backup = join(folder, 'gallery.backup');

    beforeAll(async () => {
      for (const [id, photo] of [
        ['R-1', 'obama.jpg'],
        ['R-2', 'biden.jpg'],
      ] as const) {
        const ran = await doorkeep(['enrol', '--id', id, '--photo', face(photo), ...at]);
        expect(ran.stderr).toBe('');
      }
    });

    /** Three frames of a visitor at the door. */
    async function visit(photo: string, ...more: string[]) {
      const { data } = await sharp(face(photo))
        .resize(640, 480, { fit: 'contain' })
        .removeAlpha()
        .raw()
        .toBuffer({ resolveWithObject: true });
      const raw = ['--stdin', '--format', 'rgb24', '--size', '640x480', '--log', 'error'];
      const frames = Buffer.concat([data, data, data]);
      return (await doorkeep(['run', '--json', ...raw, ...at, ...more], frames)).json();
    }

    const status = async (...more: string[]) =>
      (await doorkeep(['gallery', 'status', '--json', ...at, ...more])).json()[0];

    test('S2-20 a backup is written for its owner alone', async () => {
      const ran = await doorkeep(['gallery', 'backup', backup, '--json', ...secret, ...at]);
      expect(ran.json()).toEqual([{ file: backup, residents: 2, templates: 2, refused: 0 }]);
      expect(statSync(backup).mode & 0o777).toBe(0o600);
      expect(readFileSync(backup).includes('R-1')).toBe(false);
    });

    test('a visit during a renewal opens the door by the old template and leaves a new one', async () => {
      const begun = await doorkeep(['gallery', 'renew', '--json', ...at]);
      expect(begun.json()).toMatchObject([{ kind: 'begun', version: 2, left: ['R-1', 'R-2'] }]);
      expect(await visit('obama.jpg')).toMatchObject([{ kind: 'match', residentId: 'R-1' }]);
      expect(await status()).toMatchObject({ renewed: ['R-1'], left: ['R-2'] });
      const refused = await doorkeep(['gallery', 'renew', '--now', ...at]);
      expect(refused.stderr).toContain('1 of 2 residents would be left without a template');
      expect(refused.status).toBe(60);
    });

    test('when it ends, the new template alone opens the door', async () => {
      expect(await visit('biden.jpg')).toMatchObject([{ kind: 'match', residentId: 'R-2' }]);
      const ended = await doorkeep(['gallery', 'renew', '--now', '--json', ...at]);
      expect(ended.json()).toMatchObject([{ kind: 'ended', needEnrolment: [], overwritten: true }]);
      expect(await status()).toMatchObject({ generations: [{ version: 2, templates: 2 }] });
      expect(await visit('obama.jpg')).toMatchObject([{ kind: 'match', residentId: 'R-1' }]);
    });

    test('another recogniser: both work until there are new templates, and nobody is enrolled again', async () => {
      const other = ['--set', 'models.embedding=mobilefacenet-ms1m-128d'];
      expect(await visit('obama.jpg', ...other)).toMatchObject([
        { kind: 'match', residentId: 'R-1' },
      ]);
      const now = await status(...other);
      expect(now).toMatchObject({ renewed: ['R-1'], left: ['R-2'] });
      expect(now).toMatchObject({ generations: [{ state: 'retiring' }, { state: 'current' }] });
      expect(await visit('biden.jpg', ...other)).toMatchObject([
        { kind: 'match', residentId: 'R-2' },
      ]);
      expect(await status(...other)).toMatchObject({ renewed: ['R-1', 'R-2'], left: [] });
    });

    test('S2-20 on a replacement device the backup recognises its residents', async () => {
      const next = ['--data-dir', join(folder, 'next')];
      const ran = await doorkeep(['gallery', 'restore', backup, '--json', ...secret, ...next]);
      expect(ran.json()).toMatchObject([{ residents: 2, templates: 2, foreignTemplates: 2 }]);
      const found = await doorkeep(['identify', '--json', ...next, face('obama2.jpg')]);
      expect(found.json()).toMatchObject([{ faces: [{ kind: 'match', residentId: 'R-1' }] }]);
    });

    test('S4-38 whoever is erased stays so when the old backup is restored', async () => {
      await doorkeep(['subject', 'erase', 'R-1', ...at]);
      const ran = await doorkeep(['gallery', 'restore', backup, '--json', ...secret, ...at]);
      expect(ran.json()).toMatchObject([{ residents: 0, alreadyHere: ['R-2'], erased: 1 }]);
      const found = await doorkeep(['identify', '--json', ...at, face('obama.jpg')]);
      expect(found.json()).toMatchObject([{ faces: [{ kind: 'no-match' }] }]);
    });

    test('after a revocation nobody is known and no key is left', async () => {
      const ran = await doorkeep(['gallery', 'revoke', '--yes', '--json', ...at]);
      expect(ran.json()).toEqual([{ key: 'destroyed', residents: 1, overwritten: true }]);
      expect(existsSync(join(dataDir, 'keys', 'root.key'))).toBe(false);
      const found = await doorkeep(['identify', '--json', ...at, face('biden.jpg')]);
      expect(found.json()).toMatchObject([{ faces: [{ kind: 'no-match' }] }]);
    });
  },
);
