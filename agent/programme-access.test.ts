import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readSettings } from './config.ts';
import { AgentError } from './errors.ts';
import { acquireAgentLock } from './io/control/agent-lock.ts';
import { serveControl } from './io/control/control-socket.ts';
import { loadProcess } from './io/process/native.ts';
import { type OpenLocal, withProgramme } from './programme-access.ts';
import type { ProgrammeCommands, Write } from './programme-commands.ts';
import { programmeHandlers } from './programme-handlers.ts';
import { eventually } from './test/fakes/eventually.ts';
import {
  erased,
  fakeProgramme,
  grantedStatus,
  neverAskedStatus,
} from './test/fakes/fake-programme.ts';
import { createManualTime } from './test/fakes/manual-time.ts';
import { temporaryFolder } from './test/fakes/temporary-folder.ts';

const by = { name: 'resident', channel: 'cli' } as const;
const config = readSettings({}, 'test');
const nobody: OpenLocal = () => Promise.reject(new Error('nothing is done here'));

describe.skipIf(loadProcess().kind === 'absent')('a command of the programme', () => {
  test('is carried out here where no agent runs, and nobody else can meanwhile', async () => {
    const place = { dataDir: temporaryFolder(), config };
    const { programme, calls } = fakeProgramme();
    const opened: unknown[] = [];
    const open: OpenLocal = async (at) => {
      opened.push(at);
      return programme;
    };
    const result = await withProgramme(place, open, async (commands, isAgent) => {
      expect(isAgent).toBe(false);
      expect(acquireAgentLock(place.dataDir).kind).toBe('held');
      return commands.off({ by, eraseCloud: false, verify: true });
    });
    expect(result).toBe(erased);
    expect(opened).toEqual([place]);
    expect(calls).toEqual([['off', { by, eraseCloud: false, verify: true }], ['close']]);
    expectFree(place.dataDir);
  });

  test('that fails leaves the place as free as one that does not', async () => {
    const place = { dataDir: temporaryFolder(), config };
    const { programme, calls } = fakeProgramme({
      off: () => Promise.reject(new AgentError('STORE_READ_ONLY', 'no')),
    });
    const off = withProgramme(
      place,
      () => Promise.resolve(programme),
      (commands) => commands.off({ by, eraseCloud: false, verify: false }),
    );
    await expect(off).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
    expect(calls).toEqual([['close']]);
    expectFree(place.dataDir);
    const broken = withProgramme(place, nobody, () => Promise.resolve(1));
    await expect(broken).rejects.toThrow('nothing is done here');
    expectFree(place.dataDir);
  });

  test('is carried out by the agent where one is at work', async () => {
    const { place, calls } = await agentWith(fakeProgramme());
    const status = await withProgramme(place, nobody, (commands, isAgent) => {
      expect(isAgent).toBe(true);
      return commands.status();
    });
    expect(status).toEqual(grantedStatus);
    expect(calls).toEqual([['status']]);
  });

  test('waits for an agent that is just starting', async () => {
    const time = createManualTime();
    const place = { dataDir: temporaryFolder(), config };
    const lock = lockOf(place.dataDir);
    const asked = withProgramme(place, nobody, (commands) => commands.status(), time.timers);
    await eventually(() => time.pendingMs.length === 1);
    await serve(lock, fakeProgramme().programme);
    time.advance(100);
    expect(await asked).toEqual(grantedStatus);
  });

  test('waits for another command to end', async () => {
    const time = createManualTime();
    const place = { dataDir: temporaryFolder(), config };
    const lock = lockOf(place.dataDir);
    const { programme } = fakeProgramme();
    const open: OpenLocal = () => Promise.resolve(programme);
    const asked = withProgramme(place, open, (commands) => commands.status(), time.timers);
    await eventually(() => time.pendingMs.length === 1);
    lock.release();
    time.advance(100);
    expect(await asked).toEqual(grantedStatus);
  });

  test('gives up on one that holds the place and never answers', async () => {
    const time = createManualTime();
    const place = { dataDir: temporaryFolder(), config };
    lockOf(place.dataDir);
    const asked = withProgramme(place, nobody, (commands) => commands.status(), time.timers);
    let isOver = false;
    const refused = expect(asked).rejects.toMatchObject({ code: 'AGENT_SILENT' });
    void refused.finally(() => {
      isOver = true;
    });
    let waits = 0;
    while (!isOver) {
      await eventually(() => isOver || time.pendingMs.length === 1);
      waits += time.pendingMs.length;
      time.advance(100);
    }
    await refused;
    expect(waits).toBe(50);
  });

  test('says what is wrong with a data directory that cannot be used', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const place = { dataDir: join(file, 'data'), config };
    const asked = withProgramme(place, nobody, (commands) => commands.status());
    await expect(asked).rejects.toMatchObject({
      code: expect.stringMatching(/^STORE_/),
      message: expect.stringContaining(join(place.dataDir, 'agent.lock')),
    });
  });
});

describe.skipIf(loadProcess().kind === 'absent')(
  'every command does here and there the same',
  () => {
    const statuses = [grantedStatus, neverAskedStatus];
    const results = [
      erased,
      {
        ...erased,
        kind: 'incomplete',
        receiptFile: null,
        sentGoneByMs: null,
        search: { files: 1, found: [{ file: 'ueip/records.db', count: 2 }] },
        steps: [{ step: 'key', result: 'failed', code: 'STORE_READ_ONLY' }],
      },
      { ...erased, search: null },
    ] as const;

    const commands: Record<string, (programme: ProgrammeCommands, write: Write) => unknown> = {
      on: (programme) => programme.on({ acceptPolicy: '2026-11', by, allowVolatile: true }),
      off: (programme) => programme.off({ by, eraseCloud: true, verify: false }),
      status: (programme) => programme.status(),
      preview: (programme, write) => programme.preview({ by, gzip: true }, write),
      history: (programme, write) => programme.history(write),
      export: (programme, write) => programme.export({ by }, write),
      verify: (programme) => programme.verify({ receipt: '{"a":"ä\\n"}' }),
      'verify the history alone': (programme) => programme.verify({ receipt: null }),
    };

    test.each(Object.keys(commands))('%s', async (name) => {
      const here = fakeProgramme();
      const there = fakeProgramme();
      const { place, calls } = await agentWith(there);
      const written: Buffer[][] = [[], []];
      const into = (index: number) => async (bytes: Uint8Array) =>
        void written[index]?.push(Buffer.from(bytes));
      const expected = await commands[name]?.(here.programme, into(0));
      const result = await withProgramme(place, nobody, async (remote) =>
        commands[name]?.(remote, into(1)),
      );
      expect(result).toEqual(expected);
      expect(calls).toEqual(here.calls);
      expect(Buffer.concat(written[1] ?? [])).toEqual(Buffer.concat(written[0] ?? []));
    });

    test.each(statuses)('a status of $state arrives whole', async (status) => {
      const { place } = await agentWith(fakeProgramme({ status: () => Promise.resolve(status) }));
      expect(await withProgramme(place, nobody, (remote) => remote.status())).toEqual(status);
    });

    test.each(results)('an erasure that is $kind arrives whole', async (result) => {
      const { place } = await agentWith(fakeProgramme({ off: () => Promise.resolve(result) }));
      const off = { by, eraseCloud: false, verify: false };
      expect(await withProgramme(place, nobody, (remote) => remote.off(off))).toEqual(result);
    });

    test('a megabyte and more is streamed, and is the same', async () => {
      const records = Buffer.alloc(3_000_000, '{"a":"0123456789"}\n');
      const exported = async (_order: unknown, write: Write) => {
        await write(records);
        return { lines: 1, sizeBytes: records.length };
      };
      const { place } = await agentWith(fakeProgramme({ export: exported }));
      const pieces: Buffer[] = [];
      await withProgramme(place, nobody, (remote) =>
        remote.export({ by }, async (bytes) => void pieces.push(Buffer.from(bytes))),
      );
      expect(Buffer.concat(pieces).equals(records)).toBe(true);
    });

    test('the head of a history without entries is empty, and that is no fault', async () => {
      const found = { ledgerEntries: 0, ledgerHead: '', receipt: null };
      const { place } = await agentWith(fakeProgramme({ verify: () => Promise.resolve(found) }));
      const verified = withProgramme(place, nobody, (remote) => remote.verify({ receipt: null }));
      expect(await verified).toEqual(found);
    });

    test('an error is the same error', async () => {
      const fails = () =>
        Promise.reject(new AgentError('REGION_MISSING', 'cloud.region is not set'));
      const { place } = await agentWith(fakeProgramme({ on: fails }));
      const order = { acceptPolicy: '2026-11', by, allowVolatile: false };
      await expect(
        withProgramme(place, nobody, (remote) => remote.on(order)),
      ).rejects.toMatchObject({ code: 'REGION_MISSING', message: 'cloud.region is not set' });
    });

    test('a result of an agent of another version is refused, not guessed at', async () => {
      const lock = lockOf(temporaryFolder());
      const handlers = {
        ...programmeHandlers(fakeProgramme().programme),
        'ueip.status': () => Promise.resolve({ ...grantedStatus, state: 'paused' }),
      };
      await served(lock, handlers);
      const place = { dataDir: lock.dataDir, config };
      await expect(withProgramme(place, nobody, (remote) => remote.status())).rejects.toMatchObject(
        { code: 'CONTROL_INVALID', message: expect.stringMatching(/state/) },
      );
    });
  },
);

async function agentWith({ programme, calls }: ReturnType<typeof fakeProgramme>) {
  const lock = lockOf(temporaryFolder());
  await serve(lock, programme);
  return { place: { dataDir: lock.dataDir, config }, calls };
}

function serve(lock: ReturnType<typeof lockOf>, programme: ProgrammeCommands): Promise<void> {
  return served(lock, programmeHandlers(programme));
}

async function served(
  lock: ReturnType<typeof lockOf>,
  handlers: ReturnType<typeof programmeHandlers>,
): Promise<void> {
  const server = await serveControl({ lock, handlers, onRefused: () => {} });
  onTestFinished(() => server.close());
}

function lockOf(dataDir: string) {
  const acquired = acquireAgentLock(dataDir);
  if (acquired.kind !== 'acquired') throw new Error(acquired.kind);
  const { lock } = acquired;
  onTestFinished(() => lock.release());
  return lock;
}

function expectFree(dataDir: string): void {
  lockOf(dataDir).release();
}
