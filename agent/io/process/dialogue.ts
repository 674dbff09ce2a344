import { readFileSync } from 'node:fs';
import { AgentError } from '../../errors.ts';
import { reasonOf } from '../files/file-fault.ts';
import { secureMemory, wipe } from './secure-memory.ts';

/** A keyboard and a screen: the process's own, or what a test puts in their place. */
export type Keyboard = {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  on(event: 'data', take: (bytes: Uint8Array) => void): unknown;
  off(event: 'data', take: (bytes: Uint8Array) => void): unknown;
  resume(): unknown;
  pause(): unknown;
};
export type Dialogue = { readonly keyboard: Keyboard; readonly print: (text: string) => void };

/** Questions go to standard error: standard output is for results. */
export const processDialogue: Dialogue = {
  keyboard: process.stdin,
  print: (text) => {
    process.stderr.write(text);
  },
};

const passphraseBytesMost = 1024;
const passphraseCharactersLeast = 12;

/**
 * From a file (its first line) or, typed unseen, from the terminal; never from the command line, which others
 * on the device can read. In memory to be wiped. @throws INPUT_MISSING INPUT_INVALID USAGE
 */
export async function askPassphrase(
  given: { readonly file: string | undefined; readonly isNew: boolean },
  dialogue: Dialogue = processDialogue,
): Promise<Uint8Array> {
  if (given.file !== undefined) return checked(firstLine(given.file), given.file);
  if (!dialogue.keyboard.isTTY) {
    throw new AgentError('USAGE', 'give --passphrase-file, or run it on a terminal to be asked');
  }
  const passphrase = checked(await askLine('Passphrase: ', 'unseen', dialogue), 'the passphrase');
  if (!given.isNew) return passphrase;
  const again = await askLine('The same again: ', 'unseen', dialogue);
  const isSame = Buffer.compare(passphrase, again) === 0;
  wipe(again);
  if (isSame) return passphrase;
  wipe(passphrase);
  throw new AgentError('INPUT_INVALID', 'the two passphrases differ');
}

/** True: `word` was typed. @throws CONFIRMATION_NEEDED where nobody can be asked */
export async function confirm(
  question: string,
  word: string,
  dialogue: Dialogue = processDialogue,
): Promise<boolean> {
  if (!dialogue.keyboard.isTTY) throw new AgentError('CONFIRMATION_NEEDED', question);
  dialogue.print(`${question}\n`);
  const line = await askLine(`Type "${word}" to go on: `, 'seen', dialogue);
  return Buffer.from(line).toString('utf8').trim() === word;
}

function firstLine(file: string): Uint8Array {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (cause) {
    throw new AgentError('INPUT_MISSING', `${file}: cannot be read (${reasonOf(cause)})`, {
      cause,
    });
  }
  const end = content.findIndex((byte) => byte === 10 || byte === 13);
  const line = copied(end < 0 ? content : content.subarray(0, end));
  content.fill(0);
  return line;
}

function checked(passphrase: Uint8Array, origin: string): Uint8Array {
  const characters = [...Buffer.from(passphrase).toString('utf8')].length;
  if (characters >= passphraseCharactersLeast && passphrase.length <= passphraseBytesMost) {
    return passphrase;
  }
  wipe(passphrase);
  throw new AgentError(
    'INPUT_INVALID',
    `${origin} has ${characters} characters: a passphrase has ${passphraseCharactersLeast} at least`,
  );
}

/** Byte by byte, so that the terminal shows nothing and no string is made of it. */
function askLine(
  question: string,
  visible: 'seen' | 'unseen',
  { keyboard, print }: Dialogue,
): Promise<Uint8Array> {
  print(question);
  const typed = secureMemory(passphraseBytesMost + 1);
  let length = 0;
  if (visible === 'unseen') keyboard.setRawMode?.(true);
  keyboard.resume();
  return new Promise((resolve, reject) => {
    const end = (fault?: AgentError) => {
      keyboard.off('data', take);
      if (visible === 'unseen') keyboard.setRawMode?.(false);
      keyboard.pause();
      if (visible === 'unseen') print('\n');
      const line = copied(typed.subarray(0, length));
      wipe(typed);
      if (fault) reject(fault);
      else resolve(line);
    };
    const take = (bytes: Uint8Array) => {
      const fault = takeAll(bytes);
      bytes.fill(0);
      if (fault === 'interrupted') end(new AgentError('USAGE', fault));
      else if (fault === 'ended') end();
    };
    const takeAll = (bytes: Uint8Array) => {
      for (const byte of bytes) {
        if (byte === enter || byte === newLine || byte === endOfInput) return 'ended';
        if (byte === interrupt) return 'interrupted';
        if (byte === backspace || byte === del) length = beforeLast(typed, length);
        else if (length < typed.length) typed[length++] = byte;
      }
      return undefined;
    };
    keyboard.on('data', take);
  });
}

const [interrupt, endOfInput, backspace, newLine, enter, del] = [3, 4, 8, 10, 13, 127];

/** Where the last character begins: one of several bytes goes whole. */
function beforeLast(typed: Uint8Array, length: number): number {
  let start = length - 1;
  while (start > 0 && ((typed[start] ?? 0) & 0xc0) === 0x80) start--;
  return Math.max(0, start);
}

function copied(bytes: Uint8Array): Uint8Array {
  const copy = secureMemory(Math.max(1, bytes.length)).subarray(0, bytes.length);
  copy.set(bytes);
  return copy;
}
