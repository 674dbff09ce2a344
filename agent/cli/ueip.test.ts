import { EventEmitter } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { AgentError } from '../errors.ts';
import type { Dialogue } from '../io/process/dialogue.ts';
import { loadProcess } from '../io/process/native.ts';
import { bundledPolicies, withdrawalQuestion } from '../io/programme/policies.ts';
import type { LocalProgramme } from '../programme-access.ts';
import type { OffResult } from '../programme-commands.ts';
import {
  erased,
  fakeProgramme,
  grantedStatus,
  ledgerLines,
  neverAskedStatus,
} from '../test/fakes/fake-programme.ts';
import { temporaryFolder } from '../test/fakes/temporary-folder.ts';
import { everyCommand } from './program.ts';
import { ueipCommand } from './ueip.ts';

/** Nobody sits at the terminal. */
const nobody: Dialogue = {
  keyboard: Object.assign(new EventEmitter(), { resume() {}, pause() {} }),
  print: () => {},
};

/** Somebody who types this when asked. */
function person(line: string): { readonly dialogue: Dialogue; printed(): string } {
  const keyboard = new EventEmitter();
  let printed = '';
  const resume = () => setImmediate(() => keyboard.emit('data', Buffer.from(`${line}\n`)));
  const dialogue = {
    keyboard: Object.assign(keyboard, { isTTY: true, resume, pause() {} }),
    print: (text: string) => {
      printed += text;
    },
  };
  return { dialogue, printed: () => printed };
}

type Options = { readonly other?: Partial<LocalProgramme>; readonly dialogue?: Dialogue };

/** The command line in this process, on a folder where no agent runs. */
async function ueip(args: readonly string[], { other, dialogue = nobody }: Options = {}) {
  const dataDir = stockedFolder();
  const before = contentOf(dataDir);
  const errorListeners = process.stdout.listeners('error');
  const { programme, calls } = fakeProgramme(other);
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const into = (pieces: Uint8Array[]) => (bytes: string | Uint8Array, done?: unknown) => {
    pieces.push(Buffer.from(bytes));
    if (typeof done === 'function') done();
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(into(out)),
    vi.spyOn(process.stderr, 'write').mockImplementation(into(err)),
  ];
  const command = ueipCommand(() => Promise.resolve(programme), dialogue);
  for (const each of everyCommand(command))
    each.exitOverride().configureOutput({ outputError: () => {} });
  let fault: unknown;
  try {
    await command.parseAsync([...args, '--data-dir', dataDir], { from: 'user' });
  } catch (thrown) {
    fault = thrown;
  } finally {
    for (const spy of spies) spy.mockRestore();
    // Of the terminal that each command opens, as a process of its own would once.
    for (const listener of process.stdout.rawListeners('error').slice(errorListeners.length)) {
      process.stdout.off('error', Object.assign(listener));
    }
  }
  const text = (pieces: Uint8Array[]) => Buffer.concat(pieces).toString('utf8');
  const asked = calls.filter(([name]) => name !== 'close');
  return {
    stdout: text(out),
    bytes: Buffer.concat(out),
    stderr: text(err),
    fault,
    calls: asked,
    /** What was in the data directory and what is there now. */
    files: { before, after: contentOf(dataDir) },
  };
}

/** A data directory with a consent and records in it. */
function stockedFolder(): string {
  const dataDir = temporaryFolder();
  for (const name of ['consent/ueip.1', 'ueip/epoch.key', 'ueip/records.db']) {
    mkdirSync(join(dataDir, name, '..'), { recursive: true });
    writeFileSync(join(dataDir, name), `content of ${name}`);
  }
  return dataDir;
}

function contentOf(folder: string): readonly unknown[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => {
    const path = join(folder, name);
    const { mtimeMs, mode } = statSync(path);
    const content = statSync(path).isFile() ? readFileSync(path, 'utf8') : '';
    return { name, mtimeMs, mode, content };
  });
}

const by = { name: 'resident', channel: 'cli' };

describe.skipIf(loadProcess().kind === 'absent')('doorkeep ueip', () => {
  test('on says which policy, where to, and how to look and to leave', async () => {
    const { stdout, calls } = await ueip(['on', '--accept-policy', '2026-11']);
    expect(calls).toEqual([['on', { acceptPolicy: '2026-11', by, allowVolatile: false }]]);
    expect(stdout).toBe(
      'on under policy 2026-11; records may go to eu-central-1\n' +
        '`doorkeep ueip preview` shows what would be sent, `doorkeep ueip off` ends it\n',
    );
  });

  test('nobody takes part without naming the policy that was agreed to', async () => {
    const { fault, calls } = await ueip(['on']);
    expect(fault).toMatchObject({ code: 'commander.missingMandatoryOptionValue' });
    expect(calls).toEqual([]);
  });

  test('who decides is named, and is no free text', async () => {
    const on = ['on', '--accept-policy', '2026-11', '--allow-volatile'];
    const { calls } = await ueip([...on, '--actor', 'installer']);
    expect(calls).toEqual([
      ['on', { acceptPolicy: '2026-11', by: { ...by, name: 'installer' }, allowVolatile: true }],
    ]);
    const refused = await ueip([...on, '--actor', 'Mr Smith']);
    expect(refused.fault).toMatchObject({ code: 'USAGE' });
    expect(refused.calls).toEqual([]);
  });

  test('S0-38 off asks with the words of the agreement, and does it on a yes', async () => {
    expect(withdrawalQuestion).toMatch(
      /^We will no longer be able to collect .* Are you sure you want to stop the program\?$/,
    );
    const { dialogue, printed } = person('yes');
    const { stdout, calls } = await ueip(['off'], { dialogue });
    expect(printed()).toContain(`${withdrawalQuestion}\n`);
    expect(calls).toEqual([['off', { by, eraseCloud: false, verify: false }]]);
    expect(stdout).toContain('off, and everything is erased: 412 records, 160 KiB\n');
  });

  test.each(['no', '', 'y', 'Yes please'])(
    'S0-38 off answered with %j leaves all as it was',
    async (answer) => {
      const { dialogue } = person(answer);
      const { fault, calls, stdout, files } = await ueip(['off'], { dialogue });
      expect(fault).toMatchObject({ code: 'CONFIRMATION_NEEDED', message: 'nothing was changed' });
      expect([calls, stdout, files.after]).toEqual([[], '', files.before]);
    },
  );

  test('S0-38 off where nobody can be asked changes nothing without --yes', async () => {
    const { fault, calls, files } = await ueip(['off']);
    expect(fault).toMatchObject({ code: 'CONFIRMATION_NEEDED', message: withdrawalQuestion });
    expect([calls, files.after]).toEqual([[], files.before]);
    const unattended = await ueip(['off', '--yes', '--verify', '--erase-cloud']);
    expect(unattended.calls).toEqual([['off', { by, eraseCloud: true, verify: true }]]);
  });

  test('off says until when the cloud may keep what was sent', async () => {
    const { stdout } = await ueip(['off', '--yes']);
    expect(stdout).toContain(
      'what was sent is gone from the cloud by 2027-04-01 00:00 UTC, sooner if it obeys the order to erase it\n',
    );
    expect(stdout).toContain('searched 4 raw files: nothing of it was found\n');
    expect(stdout).toContain('receipt: /data/receipts/1.json\n');
    expect(stdout).toContain(`${erased.guarantee}\n`);
  });

  test('an erasure that is not complete is told, step by step, and is a failure', async () => {
    const result: OffResult = {
      ...erased,
      kind: 'incomplete',
      receiptFile: null,
      steps: [
        { step: 'key', result: 'done', code: null },
        { step: 'records', result: 'failed', code: 'STORE_READ_ONLY' },
        { step: 'rows', result: 'busy', code: null },
      ],
      sentGoneByMs: null,
      search: { files: 2, found: [{ file: 'ueip/records.db', count: 7 }] },
    };
    const other = { off: () => Promise.resolve(result) };
    const { stdout, fault } = await ueip(['off', '--yes'], { other });
    expect(fault).toMatchObject({
      code: 'ERASURE_INCOMPLETE',
      message: 'not all of it is erased: records',
    });
    expect(stdout).toContain('off, but NOT all is erased');
    expect(stdout).toMatch(/ {2}records {2}failed {2}STORE_READ_ONLY\n {2}rows {5}busy\n/);
    expect(stdout).toContain('searched 2 raw files: FOUND in ueip/records.db (7)\n');
    expect(stdout).toContain('the receipt could not be stored');
    const json = await ueip(['off', '--yes', '--json'], { other });
    expect(JSON.parse(json.stdout)).toEqual(result);
    expect(json.fault).toBeInstanceOf(AgentError);
  });

  test('status tells a person what is so, where it goes and what waits', async () => {
    const { stdout } = await ueip(['status']);
    expect(stdout.split('\n')).toEqual([
      'state        on since 2027-03-01 08:30 UTC, by resident (cli)',
      'policy       2026-11',
      'region       eu-central-1',
      'recording    no: the agent is not running',
      'waiting      412 records, 160 KiB, the oldest of 2027-03-02 07:00 UTC',
      'gave way     3: the store was full',
      'dropped      2 since the agent started',
      'last upload  2027-03-04 00:17 UTC: accepted',
      'next upload  2027-03-05 00:21 UTC',
      'sent         3 batches, gone from the cloud by 2027-04-01 00:00 UTC at the latest',
      'erasure      ordered 2027-03-03 00:00 UTC, not confirmed: 2 tries, last on 2027-03-04; next 2027-03-05 00:21 UTC',
      '',
    ]);
  });

  test('status says why nothing was ever sent, and what keeps the next upload from being made', async () => {
    const uploadTold = async (
      upload: Partial<typeof grantedStatus.upload>,
      state = grantedStatus.state,
    ) => {
      const told = { ...grantedStatus, state, upload: { ...grantedStatus.upload, ...upload } };
      const { stdout } = await ueip(['status'], { other: { status: async () => told } });
      return stdout.split('\n').filter((line) => / upload /.test(line));
    };
    expect(await uploadTold({ lastMs: null, lastOutcome: 'no-encryption' })).toEqual([
      'last upload  none: no-encryption',
      'next upload  2027-03-05 00:21 UTC',
    ]);
    expect(await uploadTold({ distrusted: 'other-checksum' })).toEqual([
      'last upload  2027-03-04 00:17 UTC: accepted',
      'next upload  none: the store did not keep its word (other-checksum); `doorkeep cloud check` tries it again',
    ]);
    // What is left to send is the order of erasure.
    expect(await uploadTold({ lastMs: null, lastOutcome: 'complete' }, 'withdrawn')).toEqual([
      'last upload  none',
      'next upload  none',
    ]);
  });

  test('status of a device that was never asked says that nothing is recorded, and why', async () => {
    const other = { status: () => Promise.resolve(neverAskedStatus) };
    const { stdout } = await ueip(['status'], { other });
    expect(stdout.split('\n')).toEqual([
      'state        off: nobody was asked yet',
      'recording    no: nobody has agreed',
      'waiting      no records',
      'last upload  none',
      'next upload  none',
      '',
    ]);
    const json = await ueip(['status', '--json'], { other });
    expect(JSON.parse(json.stdout)).toEqual({ ...neverAskedStatus, agent: false });
  });

  test('status where the records cannot be read says so, and all the rest', async () => {
    const records = { ...neverAskedStatus.records, fault: 'STORE_FAILED' };
    const other = { status: () => Promise.resolve({ ...neverAskedStatus, records }) };
    expect((await ueip(['status'], { other })).stdout.split('\n').slice(1, 3)).toEqual([
      'recording    no: nobody has agreed',
      'waiting      unknown: the records cannot be read (STORE_FAILED)',
    ]);
  });

  test('export prints the records as they are, and nothing else on standard output', async () => {
    const { stdout, stderr, calls } = await ueip(['export', '--actor', 'support']);
    expect([stdout, stderr]).toEqual(['{"a":1}\n{"a":2}\n', '']);
    expect(calls).toEqual([['export', { by: { ...by, name: 'support' } }]]);
  });

  test('preview prints bytes as they are; where nothing would be sent it says so beside them', async () => {
    const bytes = Uint8Array.of(0x1f, 0x8b, 0, 255);
    const other: Partial<LocalProgramme> = {
      preview: async (order, write) => {
        expect(order).toEqual({ by, gzip: true });
        await write(bytes);
        return { lines: 1, sizeBytes: 4 };
      },
    };
    const { bytes: printed } = await ueip(['preview', '--gzip'], { other });
    expect(printed).toEqual(Buffer.from(bytes));
    const none = { preview: () => Promise.resolve({ lines: 0, sizeBytes: 0 }) };
    const empty = await ueip(['preview'], { other: none });
    expect([empty.stdout, empty.stderr]).toEqual(['', 'nothing would be sent\n']);
  });

  test('history is a table for a person, and the ledger itself for a program', async () => {
    const { stdout } = await ueip(['history']);
    expect(stdout.split('\n')).toEqual([
      '1  2027-03-01 08:30 UTC  granted  actor=resident channel=cli epoch=1',
      '2  2027-03-02 09:30 UTC  request  bytes=812 host=door.example method=PUT status=200',
      '',
    ]);
    const json = await ueip(['history', '--json']);
    expect(json.stdout).toBe(`${ledgerLines.join('\n')}\n`);
    const none = { history: () => Promise.resolve({ lines: 0, sizeBytes: 0 }) };
    const empty = await ueip(['history'], { other: none });
    expect([empty.stdout, empty.stderr]).toEqual(['', 'nothing has happened yet\n']);
  });

  test('verify hands over the text of the receipt, not its name', async () => {
    const file = join(temporaryFolder(), 'receipt.json');
    writeFileSync(file, '{"kind":"ueip-erasure"}');
    const receipt = { epoch: 1, finishedMs: Date.UTC(2027, 2, 5, 10) };
    const found = { ledgerEntries: 9, ledgerHead: 'ab', receipt };
    const { stdout } = await ueip(['verify', file], {
      other: {
        verify: async (order) => {
          expect(order).toEqual({ receipt: '{"kind":"ueip-erasure"}' });
          return found;
        },
      },
    });
    expect(stdout).toBe(
      'the history is whole: 9 entries, the last is ab\n' +
        'the receipt is of this device: erasure 1, 2027-03-05 10:00 UTC\n',
    );
    const alone = await ueip(['verify']);
    expect(alone.calls).toEqual([['verify', { receipt: null }]]);
    expect(alone.stdout).toBe('the history is whole: 2 entries, the last is bb\n');
  });

  test('a receipt that is no file, or too large for one, is refused before anybody is asked', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'large'), 'x'.repeat(16_385));
    mkdirSync(join(folder, 'folder'));
    for (const [name, code] of [
      ['large', 'INPUT_INVALID'],
      ['folder', 'INPUT_INVALID'],
      ['nothing', 'INPUT_MISSING'],
    ] as const) {
      const { fault, calls } = await ueip(['verify', join(folder, name)]);
      expect(fault).toMatchObject({ code, message: expect.stringContaining(name) });
      expect(calls).toEqual([]);
    }
  });

  test('policy show prints the full text, with its hash, and asks no agent', async () => {
    const [policy] = bundledPolicies();
    if (!policy) throw new Error('there is no policy');
    const { stdout, calls, files } = await ueip(['policy', 'show', policy.version]);
    expect(stdout).toContain(`version ${policy.version}, `);
    expect(stdout).toContain(policy.textSha256);
    expect([calls, files.after]).toEqual([[], files.before]);
    const json = await ueip(['policy', 'show', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ text: expect.stringMatching(/\w/) });
    const unknown = await ueip(['policy', 'show', '1999-01']);
    expect(unknown.fault).toMatchObject({ code: 'CONSENT_REFUSED' });
  });

  test('S0-36 the text names the privacy policy and who is responsible, as the settings say', async () => {
    const settings = {
      'controller.name': 'Example House Ltd',
      'controller.contact': '1 Example Street, privacy@example.org',
      'controller.privacyPolicy': 'https://example.org/privacy',
    };
    const set = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const { stdout } = await ueip(['policy', 'show', ...set]);
    for (const value of Object.values(settings)) expect(stdout).toContain(value);
  });
});
