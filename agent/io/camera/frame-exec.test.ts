import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import type { FrameSource } from '../../ports.ts';
import { eventually } from '../../test/fakes/eventually.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { systemClock } from '../process/clock.ts';
import { type ExecOptions, startExecSource } from './frame-exec.ts';

const spec = { format: 'grey', width: 32, height: 24 } as const;
const sizeBytes = 32 * 24;
/** Shell text: one frame all of whose bytes are this letter. */
const frameOf = (letter: string) => `head -c ${sizeBytes} /dev/zero | tr '\\0' ${letter}`;

let folder = '';
let source: FrameSource | undefined;
let time = createManualTime();
let restarts: { attempt: number; reason: string }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doorkeep-exec-'));
  time = createManualTime();
  restarts = [];
});
afterEach(async () => {
  await source?.close();
  source = undefined;
  rmSync(folder, { recursive: true });
});

test('a command that does not exist is told by name, and not tried again', async () => {
  const error = await lossOf(run({ command: ['/opt/no-such-tool', '--password=secret'] }));
  expect(error.message).toBe('exec: no-such-tool cannot be started (ENOENT)');
  expect(restarts).toEqual([]);
});

test('a file that may not be executed is told by name', async () => {
  const path = file('tool', 'no program');
  expect((await lossOf(run({ command: [path] }))).message).toBe(
    'exec: tool cannot be started (EACCES)',
  );
});

test('a command that dies at once is started again after growing waits, then given up', async () => {
  run({ ...script('echo warming up >&2; echo no camera >&2; exit 3'), restarts: 3 });
  for (const waitMs of [250, 500, 1000]) {
    const before = restarts.length;
    await eventually(() => restarts.length > before);
    expect(time.pendingMs).toEqual([waitMs]);
    time.advance(waitMs);
  }
  expect((await lossOf(source)).message).toBe(
    'exec: sh exited with status 3: no camera (4 times in a row)',
  );
  expect(restarts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
});

test('a command that dies within a frame is told how many bytes were left', async () => {
  const camera = run({ command: 'head -c 1000 /dev/zero', restarts: 0 });
  expect((await camera.next())?.data.length).toBe(768);
  const error = await lossOf(camera);
  expect(error.message).toBe(
    'exec: head exited with status 0 after 232 bytes of a frame (raw frames of the wrong size? Expected 768 bytes each (grey 32x24))',
  );
});

test('half a frame of a dead command is never joined to the frame of the next', async () => {
  const first = join(folder, 'first');
  run(
    script(
      `if [ -e ${first} ]; then ${frameOf('B')}; sleep 100; fi; touch ${first}; printf AAAA; exit 1`,
    ),
  );
  const frame = source?.next();
  await eventually(() => restarts.length === 1);
  time.advance(250);
  expect(new Set((await frame)?.data)).toEqual(new Set(Buffer.from('B')));
});

test('a command that is run once and exits well is a source that has ended', async () => {
  const once = run({ ...script(frameOf('A')), restarts: 0 });
  expect((await once.next())?.data[0]).toBe(65);
  expect(await once.next()).toBeUndefined();
});

test('a camera that hangs up politely is called again', async () => {
  const camera = run(script(frameOf('A')));
  expect((await camera.next())?.data[0]).toBe(65);
  await eventually(() => restarts.length === 1);
  expect(restarts).toEqual([{ attempt: 1, reason: 'exited with status 0' }]);
  time.advance(250);
  expect((await camera.next())?.data[0]).toBe(65);
});

test('a command that was killed is told with its signal', async () => {
  const error = await lossOf(run({ ...script('kill -SEGV $$'), restarts: 0 }));
  expect(error.message).toBe('exec: sh was ended by SIGSEGV');
});

test('a command that stalls is ended and started again', async () => {
  const pidFile = join(folder, 'pid');
  run(script(`echo $$ > ${pidFile}; ${frameOf('A')}; printf half; exec sleep 100`));
  expect((await source?.next())?.data[0]).toBe(65);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  time.advance(4_000);
  expect(isAlive(pid)).toBe(true);
  time.advance(2_000);
  await eventually(() => restarts.length === 1);
  expect(restarts[0]?.reason).toMatch(/^brought no frame for 5 s/);
  expect(isAlive(pid)).toBe(false);
});

test('a command that stalls and does not listen to SIGTERM is killed', async () => {
  const pidFile = join(folder, 'pid');
  run({
    ...script(`trap '' TERM; echo $$ > ${pidFile}; while :; do sleep 100; done`),
    restarts: 0,
  });
  await eventually(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const loss = lossOf(source);
  time.advance(15_000);
  expect(isAlive(pid)).toBe(true);
  time.advance(1_000);
  expect((await loss).message).toBe('exec: sh brought no first frame for 15 s');
  expect(isAlive(pid)).toBe(false);
});

test('a long good run makes up for the failures before it', async () => {
  const count = join(folder, 'count');
  const go = join(folder, 'go');
  const longRun = `${frameOf('A')}; until [ -e ${go} ]; do sleep 0.01; done; ${frameOf('B')}`;
  run({
    ...script(`echo >> ${count}; [ $(wc -l < ${count}) = 2 ] && { ${longRun}; }; exit 1`),
    restarts: 1,
    stallMs: 1e9,
    startMs: 1e9,
  });
  await eventually(() => restarts.length === 1);
  time.advance(250);
  expect((await source?.next())?.data[0]).toBe(65);
  time.advance(60_000);
  file('go', '');
  expect((await source?.next())?.data[0]).toBe(66);
  await eventually(() => restarts.length === 2);
  expect(restarts.map(({ attempt }) => attempt)).toEqual([1, 1]);
  time.advance(250);
  expect((await lossOf(source)).message).toContain('(2 times in a row)');
});

test('a command that floods costs no memory, and the newest frame still comes', async () => {
  const wide = { format: 'nv12', width: 1280, height: 720 } as const;
  const flood = run({ command: 'cat /dev/zero', spec: wide, clock: systemClock });
  await flood.next();
  const before = process.memoryUsage();
  await eventually(() => flood.dropped > 300);
  expect((await flood.next())?.data.length).toBe(1_382_400);
  // 300 frames are 415 MB.
  expect(process.memoryUsage().rss - before.rss).toBeLessThan(128 * 2 ** 20);
});

test('closing ends the command and all that it started', async () => {
  const pids = join(folder, 'pids');
  const camera = run(script(`sleep 100 & echo $! $$ > ${pids}; wait`));
  await eventually(() => existsSync(pids) && readFileSync(pids, 'utf8') !== '');
  const [grandchild = 0, child = 0] = readFileSync(pids, 'utf8').split(' ').map(Number);
  expect([isAlive(grandchild), isAlive(child)]).toEqual([true, true]);
  await camera.close();
  await eventually(() => !isAlive(grandchild));
  expect(isAlive(child)).toBe(false);
});

test('what a command leaves behind does not keep its source alive', async () => {
  const pidFile = join(folder, 'pid');
  const camera = run({ ...script(`sleep 100 & echo $! > ${pidFile}`), restarts: 0 });
  expect(await camera.next()).toBeUndefined();
  const left = Number(readFileSync(pidFile, 'utf8'));
  await eventually(() => !isAlive(left));
});

test('closing between two starts leaves nothing to be started', async () => {
  const camera = run(script('exit 1'));
  await eventually(() => restarts.length === 1);
  await camera.close();
  expect(time.pendingMs).toEqual([]);
});

test('a command sees neither the secrets nor the settings of the agent', async () => {
  process.env['DOORKEEP_CANARY'] = 'secret';
  const seen = join(folder, 'seen');
  await lossOf(run({ ...script(`env > ${seen}; exit 1`), restarts: 0, env: { CAMERA: 'front' } }));
  delete process.env['DOORKEEP_CANARY'];
  const names = readFileSync(seen, 'utf8')
    .split('\n')
    .map((line) => line.split('=')[0]);
  expect(names).toEqual(expect.arrayContaining(['PATH', 'CAMERA']));
  expect(names).not.toContain('DOORKEEP_CANARY');
});

test('the password of a network camera is not in the message', async () => {
  const said = 'rtsp://admin:pa@ss@192.0.2.7/live: connection refused';
  const error = await lossOf(run({ ...script(`echo '${said}' >&2; exit 1`), restarts: 0 }));
  expect(error.message).toContain('rtsp://***@192.0.2.7/live: connection refused');
  expect(error.message).not.toMatch(/pa|ss@/);
});

test('a command that talks without end is quoted with its last line only, shortened', async () => {
  const endless = `head -c 300000 /dev/zero | tr '\\0' x >&2; printf '\\nthe\\001end' >&2; exit 1`;
  const error = await lossOf(run({ ...script(endless), restarts: 0 }));
  expect(error.message).toBe('exec: sh exited with status 1: the end');
});

test('a command line that needs a shell is refused before anything is started', () => {
  expect(() => run({ command: 'ffmpeg -i x | cat' })).toThrow('started without a shell');
});

function run(options: Partial<ExecOptions> & Pick<ExecOptions, 'command'>): FrameSource {
  const { clock, timers } = time;
  const onRestart = (restart: { attempt: number; reason: string }) => restarts.push(restart);
  source = startExecSource({ spec, clock, timers, onRestart, ...options });
  return source;
}

function script(text: string) {
  return { command: ['sh', '-c', text] };
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function lossOf(lost: FrameSource | undefined): Promise<AgentError> {
  const outcome = await lost?.next().catch((error: unknown) => error);
  if (outcome instanceof AgentError && outcome.code === 'SOURCE_LOST') return outcome;
  throw new Error(`the source was not lost: ${String(outcome)}`);
}
