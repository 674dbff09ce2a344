import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { systemCode } from '../files/file-fault.ts';
import { inPackage } from '../files/package-root.ts';
import { printable } from '../process/printable.ts';
import type { RelayLine } from './start-holder.ts';

/** The kernel's interface to GPIO chips: v2 is that of Linux 5.10 and later. */
export type GpioInterface = 'v1' | 'v2';

/** What the kernel says of the line of the relay. */
export type RelaySight =
  | { readonly kind: 'free'; readonly api: GpioInterface }
  /** `holder`: what it calls itself; '': the kernel itself. */
  | { readonly kind: 'used'; readonly api: GpioInterface; readonly holder: string }
  | { readonly kind: 'no-line'; readonly api: GpioInterface; readonly lines: number }
  /** The chip cannot be opened, or is none. `code`: ENOENT, EACCES and so on, where the path itself is the reason. */
  | { readonly kind: 'no-chip'; readonly code: string | undefined; readonly reason: string }
  /** The program that would hold the line cannot be asked, and so cannot hold it either. */
  | { readonly kind: 'no-holder'; readonly reason: string };

/** As the holder of the relay calls itself to the kernel (native/src/relay-holder.c). */
export const ourHolder = 'doorkeep-relay';

/** Asks the program that would hold the line. It is not requested, and its level stays as it is. */
export function lookAtRelay(
  { chip, line }: Pick<RelayLine, 'chip' | 'line'>,
  program: string = inPackage('native/build/Release/relay-holder'),
  env: Readonly<Record<string, string>> = {},
): RelaySight {
  const ran = spawnSync(program, [chip, `${line}`, 'look'], {
    env: { ...env },
    encoding: 'utf8',
    timeout: longestMs,
  });
  if (ran.error) return { kind: 'no-holder', reason: ran.error.message };
  if (ran.status !== 0)
    return { kind: 'no-chip', code: pathFault(chip), reason: lastOf(ran.stderr) };
  return sightIn(ran.stdout) ?? { kind: 'no-holder', reason: `${program} is of another version` };
}

/** The kernel answers within a millisecond; a program that does not is none of ours. */
const longestMs = 5_000;

/** One line of native/src/relay-look.h. */
function sightIn(line: string): RelaySight | undefined {
  const [, word, kind, rest = ''] = /^(v1|v2) (free|used|absent)(?: ([^\n]*))?\n$/.exec(line) ?? [];
  const api = word === 'v1' || word === 'v2' ? word : undefined;
  if (api === undefined) return undefined;
  switch (kind) {
    case 'free':
      return { kind, api };
    case 'used':
      return { kind, api, holder: printable(rest) };
    case 'absent':
      return /^\d+$/.test(rest) ? { kind: 'no-line', api, lines: Number(rest) } : undefined;
    default:
      return undefined;
  }
}

function pathFault(chip: string): string | undefined {
  try {
    accessSync(chip, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (cause) {
    return systemCode(cause);
  }
}

function lastOf(text: string): string {
  const said = text.split('\n').findLast((line) => line !== '') ?? '';
  return printable(said.replace(/^relay: /, '')) || 'its holder has failed';
}
