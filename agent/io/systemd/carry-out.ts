import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AgentError } from '../../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { reasonOf } from '../files/file-fault.ts';
import type { Act } from './install-plan.ts';

/** 'would': it was only asked for. Programs are never already-so: they find that out themselves. */
export type ActOutcome = 'done' | 'already-so' | 'would';

export type CarryOut = {
  readonly dryRun: boolean;
  readonly onAct: (act: Act, outcome: ActOutcome) => void;
  /** Preset: it is started, without a shell. */
  readonly run?: (argv: readonly string[]) => RanProgram;
};

/** `said`: its last line on standard error, or why it could not be started. */
export type RanProgram = { readonly status: number | null; readonly said: string };

/**
 * One after the other; the first that fails ends it, and those before it stay done: doing all of it again does the
 * rest. @throws INSTALL_INCOMPLETE
 */
export async function carryOut(acts: readonly Act[], how: CarryOut): Promise<void> {
  const { dryRun, onAct, run = runProgram } = how;
  for (const act of acts) {
    if (isDone(act)) onAct(act, 'already-so');
    else if (dryRun) onAct(act, 'would');
    else {
      await perform(act, run);
      onAct(act, 'done');
    }
  }
}

function isDone(act: Act): boolean {
  switch (act.kind) {
    case 'file':
      return existsSync(act.path) && readFileSync(act.path, 'utf8') === act.content;
    case 'link':
      return isLink(act.path) && readlinkSync(act.path) === act.target;
    case 'program':
      return false;
  }
}

async function perform(act: Act, run: (argv: readonly string[]) => RanProgram): Promise<void> {
  if (act.kind === 'program') {
    const { status, said } = run(act.argv);
    if (status === 0) return;
    throw new AgentError(
      'INSTALL_INCOMPLETE',
      `${act.argv.join(' ')}: ${said || `ended with ${status}`}`,
    );
  }
  try {
    if (act.kind === 'file') return await writeFileAtomic(act.path, act.content);
    await mkdir(dirname(act.path), { recursive: true });
    if (isLink(act.path)) rmSync(act.path);
    symlinkSync(act.target, act.path);
  } catch (cause) {
    const why = cause instanceof AgentError ? cause.message : `${act.path}: ${reasonOf(cause)}`;
    throw new AgentError('INSTALL_INCOMPLETE', why, { cause });
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function runProgram(argv: readonly string[]): RanProgram {
  const [program = '', ...words] = argv;
  const { status, stderr, error } = spawnSync(program, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (error) return { status: null, said: reasonOf(error) };
  return { status, said: stderr.trim().split('\n').at(-1) ?? '' };
}
