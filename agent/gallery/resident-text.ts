import { AgentError } from '../errors.ts';

/** An id as given by a person or a program: 1 to 64 of A-Z a-z 0-9 . _ -; else SUBJECT_ID_INVALID. */
export function parseResidentId(text: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(text)) return text;
  const fault =
    text.length === 0
      ? 'is empty'
      : text.length > 64
        ? `has ${text.length} characters, 64 at most`
        : 'holds other characters than A-Z, a-z, 0-9, dot, dash and underscore';
  throw new AgentError('SUBJECT_ID_INVALID', `the id ${shown(text)} ${fault}`);
}

/**
 * A label for people ("Grandma", "with glasses"): trimmed, Unicode NFC, 1 to 64 printable characters;
 * null where nothing is left of it. Anything else is INPUT_INVALID.
 */
export function parseLabel(text: string): string | null {
  const label = text.normalize('NFC').trim();
  if (unprintable.test(label)) {
    throw new AgentError('INPUT_INVALID', `the label ${shown(label)} holds unprintable characters`);
  }
  const characters = [...label].length;
  if (characters > 64) {
    throw new AgentError('INPUT_INVALID', `the label has ${characters} characters, 64 at most`);
  }
  return label === '' ? null : label;
}

/** Controls, line ends, lone surrogates and text-direction tricks; not the joiners that names and emoji need. */
const unprintable = /(?![\u200c\u200d])[\p{C}\p{Zl}\p{Zp}]/u;

/** In quotes, cut to 40 characters, nothing in it that a terminal or a log reader would obey. */
function shown(text: string): string {
  const cut = [...text.slice(0, 81)].slice(0, 40).join('');
  const safe = JSON.stringify(cut).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return cut.length < text.length ? `${safe}…` : safe;
}
