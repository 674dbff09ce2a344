import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { askPassphrase, confirm, type Dialogue } from './dialogue.ts';

/** Somebody at a terminal who types these, one after each question. */
function person(...lines: readonly string[]) {
  const keyboard = new EventEmitter();
  const modes: boolean[] = [];
  const given: Buffer[] = [];
  let printed = '';
  let next = 0;
  const dialogue: Dialogue = {
    keyboard: Object.assign(keyboard, {
      isTTY: true,
      setRawMode: (raw: boolean) => modes.push(raw),
      resume: () => {
        const bytes = Buffer.from(lines[next++] ?? '');
        given.push(bytes);
        setTimeout(() => keyboard.emit('data', bytes), 1);
      },
      pause: () => {},
    }),
    print: (text) => {
      printed += text;
    },
  };
  return {
    dialogue,
    modes,
    given,
    printed: () => printed,
    listening: () => keyboard.listenerCount('data'),
  };
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const nobody: Dialogue = {
  keyboard: Object.assign(new EventEmitter(), { resume() {}, pause() {} }),
  print: () => {},
};

test('a new passphrase is typed unseen and twice', async () => {
  const { dialogue, modes, printed, listening, given } = person(
    'correct horse\r',
    'correct horse\n',
  );
  expect(text(await askPassphrase({ file: undefined, isNew: true }, dialogue))).toBe(
    'correct horse',
  );
  expect(modes).toEqual([true, false, true, false]);
  expect(printed()).toBe('Passphrase: \nThe same again: \n');
  expect(listening()).toBe(0);
  for (const typed of given) expect(typed.every((byte) => byte === 0)).toBe(true);
});

test('two that differ are refused, and so is one that is too short or too long', async () => {
  const ask = (...lines: string[]) =>
    askPassphrase({ file: undefined, isNew: true }, person(...lines).dialogue);
  const differ = ask('correct horse\r', 'correct house\r');
  await expect(differ).rejects.toMatchObject({ code: 'INPUT_INVALID', message: /differ/ });
  const short = ask('eleven char\r');
  await expect(short).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: /has 11 characters/,
  });
  await expect(ask(`${'x'.repeat(5000)}\r`)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});

test('a character taken back is gone whole, however many bytes it has', async () => {
  const { dialogue } = person('correct hörß\u007f\u007f\u007forse!\u007f\r');
  const typed = await askPassphrase({ file: undefined, isNew: false }, dialogue);
  expect(text(typed)).toBe('correct horse');
});

test('an interruption ends it, with the terminal as it was', async () => {
  const { dialogue, modes } = person('corr\u0003');
  await expect(askPassphrase({ file: undefined, isNew: false }, dialogue)).rejects.toMatchObject({
    code: 'USAGE',
  });
  expect(modes).toEqual([true, false]);
});

test('from a file its first line counts, whatever ends it', async () => {
  const file = join(temporaryFolder(), 'pass');
  for (const ending of ['', '\n', '\r\n', '\nsecond line\n']) {
    writeFileSync(file, `correct hörse 1${ending}`);
    expect(text(await askPassphrase({ file, isNew: true }, nobody))).toBe('correct hörse 1');
  }
  writeFileSync(file, '\n');
  await expect(askPassphrase({ file, isNew: false }, nobody)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: `${file} has 0 characters: a passphrase has 12 at least`,
  });
  await expect(askPassphrase({ file: `${file}.no`, isNew: false }, nobody)).rejects.toMatchObject({
    code: 'INPUT_MISSING',
  });
});

test('where nobody can be asked, it is said how to give it', async () => {
  await expect(askPassphrase({ file: undefined, isNew: true }, nobody)).rejects.toMatchObject({
    code: 'USAGE',
    message: /--passphrase-file/,
  });
});

test('what destroys is done only where its word was typed, and never in a pipe', async () => {
  const asked = person('revoke\n');
  expect(await confirm('This erases all.', 'revoke', asked.dialogue)).toBe(true);
  expect(asked.printed()).toContain('This erases all.\nType "revoke"');
  expect(asked.modes).toEqual([]);
  expect(await confirm('?', 'revoke', person('y\n').dialogue)).toBe(false);
  expect(await confirm('?', 'revoke', person('\n').dialogue)).toBe(false);
  await expect(confirm('This erases all.', 'revoke', nobody)).rejects.toMatchObject({
    code: 'CONFIRMATION_NEEDED',
    message: 'This erases all.',
  });
});
