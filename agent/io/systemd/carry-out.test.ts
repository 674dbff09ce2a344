import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { type CarryOut, carryOut } from './carry-out.ts';
import type { Act } from './install-plan.ts';

/** A file, a link and two programs; `failing`: the program that fails. */
function anInstallation(failing?: string) {
  const folder = temporaryFolder();
  const acts: readonly Act[] = [
    { kind: 'file', path: join(folder, 'etc/a.conf'), content: 'a\n' },
    { kind: 'program', argv: ['first'] },
    { kind: 'program', argv: ['second', '--now'] },
    { kind: 'link', path: join(folder, 'etc/wants/a'), target: '../a.conf' },
  ];
  const ran: string[] = [];
  const outcomes: string[] = [];
  const how = (dryRun: boolean): CarryOut => ({
    dryRun,
    onAct: ({ kind }, outcome) => outcomes.push(`${kind} ${outcome}`),
    run: (argv) => {
      ran.push(argv.join(' '));
      return argv[0] === failing
        ? { status: 3, said: 'it is broken' }
        : { status: 0, said: 'a warning' };
    },
  });
  return { folder, acts, ran, outcomes, how };
}

test('what was asked for is done in order, and said', async () => {
  const { folder, acts, ran, outcomes, how } = anInstallation();
  await carryOut(acts, how(false));
  expect(readFileSync(join(folder, 'etc/a.conf'), 'utf8')).toBe('a\n');
  expect(readlinkSync(join(folder, 'etc/wants/a'))).toBe('../a.conf');
  expect(ran).toEqual(['first', 'second --now']);
  expect(outcomes).toEqual(['file done', 'program done', 'program done', 'link done']);
});

test('a dry run says all of it and does nothing', async () => {
  const { folder, acts, ran, outcomes, how } = anInstallation();
  await carryOut(acts, how(true));
  expect(readdirSync(folder)).toEqual([]);
  expect(ran).toEqual([]);
  expect(outcomes).toEqual(['file would', 'program would', 'program would', 'link would']);
});

test('done again, nothing is written that is there already; what differs is', async () => {
  const { folder, acts, outcomes, how } = anInstallation();
  await carryOut(acts, how(false));
  outcomes.length = 0;
  await carryOut(acts, how(false));
  expect(outcomes.filter((each) => !each.startsWith('program'))).toEqual([
    'file already-so',
    'link already-so',
  ]);
  writeFileSync(join(folder, 'etc/a.conf'), 'b\n');
  outcomes.length = 0;
  await carryOut(acts, how(true));
  expect(outcomes).toContain('file would');
  await carryOut(acts, how(false));
  expect(readFileSync(join(folder, 'etc/a.conf'), 'utf8')).toBe('a\n');
});

test('a program that fails is named with what it said; what came before stays, nothing comes after', async () => {
  const { folder, acts, ran, how } = anInstallation('first');
  await expect(carryOut(acts, how(false))).rejects.toMatchObject({
    code: 'INSTALL_INCOMPLETE',
    message: 'first: it is broken',
  });
  expect(ran).toEqual(['first']);
  expect(existsSync(join(folder, 'etc/a.conf'))).toBe(true);
  expect(existsSync(join(folder, 'etc/wants'))).toBe(false);
});

test('a folder that cannot be made is named', async () => {
  const { folder, acts, how } = anInstallation();
  writeFileSync(join(folder, 'etc'), 'in the way');
  await expect(carryOut(acts, how(false))).rejects.toMatchObject({
    code: 'INSTALL_INCOMPLETE',
    message: expect.stringContaining(join(folder, 'etc/a.conf')),
  });
});

test('a program that is not there, and one that fails, are told in its own words', async () => {
  const onAct = () => {};
  const run = (argv: readonly string[]) =>
    carryOut([{ kind: 'program', argv }], { dryRun: false, onAct });
  await expect(run(['doorkeep-no-such-program'])).rejects.toThrow(
    'doorkeep-no-such-program: ENOENT',
  );
  await expect(run(['sh', '-c', 'echo first >&2; echo last >&2; exit 4'])).rejects.toThrow(
    /: last$/,
  );
  await expect(run(['sh', '-c', 'exit 4'])).rejects.toThrow(/: ended with 4$/);
  await expect(run(['true'])).resolves.toBeUndefined();
});
