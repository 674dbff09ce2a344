import { AgentError } from '../../errors.ts';

/**
 * A command line as written in a setting -> program and arguments, for a start without a shell.
 * Blanks separate; '…' and "…" hold together; a backslash takes the next character as it is (not within '…').
 * Nothing is expanded. CONFIG_INVALID: empty, an open quote, or an operator only a shell understands.
 */
export function splitCommand(text: string): string[] {
  const words: string[] = [];
  const word = /\s*((?:[^\s'"\\]|'[^']*'|"(?:[^"\\]|\\.)*"|\\.)+)\s*/sy;
  while (word.lastIndex < text.length) {
    const at = word.lastIndex;
    const raw = word.exec(text)?.[1];
    if (raw === undefined) {
      if (text.slice(at).trim() === '') break;
      throw new AgentError('CONFIG_INVALID', 'the command has a quote that is never closed');
    }
    if (/^(\|\|?|&&?|;|\d?>.*|<.*)$/.test(raw)) {
      throw new AgentError(
        'CONFIG_INVALID',
        `the command has "${raw}", but is started without a shell: put it into a script, or quote it`,
      );
    }
    words.push(unquote(raw));
  }
  if (words.length === 0) throw new AgentError('CONFIG_INVALID', 'the command is empty');
  return words;
}

function unquote(raw: string): string {
  return raw.replace(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
    (_, single: string | undefined, double: string | undefined, escaped: string | undefined) =>
      single ?? double?.replace(/\\(.)/gs, '$1') ?? escaped ?? '',
  );
}
