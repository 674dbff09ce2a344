import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/fakes/eventually.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { deferred } from '../process/deferred.ts';
import { layoutOf } from '../process/environment.ts';
import { callAgent } from './control-client.ts';

test('where nobody listens there is no agent', async () => {
  const dataDir = temporaryFolder();
  const noAgent = { kind: 'no-agent' };
  expect(await callAgent(dataDir, 'test', {})).toEqual(noAgent);
  expect(await callAgent(join(dataDir, 'nowhere'), 'test', {})).toEqual(noAgent);
  expect(await callAgent(join(dataDir, 'n'.repeat(120)), 'test', {})).toEqual(noAgent);
  writeFileSync(layoutOf(dataDir).control, 'no socket');
  expect(await callAgent(dataDir, 'test', {})).toEqual(noAgent);
  expect(await callAgent(layoutOf(dataDir).control, 'test', {})).toEqual(noAgent);
});

test('what comes before the result is handed on in order, and waited for', async () => {
  const dataDir = await whoAnswers((socket) => {
    for (const part of ['eins', 'zwei']) {
      socket.write(`{"chunk":"${Buffer.from(part).toString('base64')}"}\n`);
    }
    socket.end('{"done":{"parts":2}}\n');
  });
  const events: string[] = [];
  const called = callAgent(
    dataDir,
    'test',
    {},
    {
      onChunk: async (bytes) => {
        events.push(`begins ${Buffer.from(bytes)}`);
        await new Promise((resolve) => setImmediate(resolve));
        events.push('ends');
      },
    },
  );
  expect(await called).toEqual({ kind: 'done', value: { parts: 2 } });
  expect(events).toEqual(['begins eins', 'ends', 'begins zwei', 'ends']);
});

test('a reader who stands still makes the agent wait, not the memory grow', async () => {
  let writtenBytes = 0;
  const line = `{"chunk":"${'A'.repeat(60_000)}"}\n`;
  const dataDir = await whoAnswers((socket) => {
    const pour = () => {
      do writtenBytes += line.length;
      while (!socket.destroyed && socket.write(line));
      socket.once('drain', pour);
    };
    pour();
  });
  const waits = deferred<void>();
  const go = deferred<void>();
  const called = callAgent(
    dataDir,
    'test',
    {},
    {
      onChunk: async () => {
        waits.resolve();
        await go.promise;
        throw new Error('enough');
      },
    },
  );
  await waits.promise;
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(writtenBytes).toBeLessThan(2e6);
  go.resolve();
  await expect(called).rejects.toThrow('enough');
});

test('an agent that says nothing is not waited for for ever; every sign of life begins the time anew', async () => {
  const time = createManualTime();
  let agent: Socket | undefined;
  const dataDir = await whoAnswers((socket) => {
    agent = socket;
  });
  const chunks: number[] = [];
  const called = callAgent(
    dataDir,
    'test',
    {},
    {
      timeoutMs: 1_000,
      timers: time.timers,
      onChunk: (bytes) => void chunks.push(bytes.length),
    },
  );
  const silent = expect(called).rejects.toMatchObject({ code: 'AGENT_SILENT' });
  await eventually(() => agent !== undefined);
  time.advance(999);
  agent?.write('{"chunk":"AAAA"}\n');
  await eventually(() => chunks.length === 1 && time.pendingMs[0] === 1_000);
  time.advance(999);
  expect(time.pendingMs).toEqual([1]);
  time.advance(1);
  await silent;
});

test.each([
  ['ends without a word', ''],
  ['ends in the middle', '{"done":'],
  ['sends a line without end', 'x'.repeat(2 ** 21)],
])('an agent that %s has not answered', async (_name, answer) => {
  const dataDir = await whoAnswers((socket) => void socket.end(answer));
  await expect(callAgent(dataDir, 'test', {})).rejects.toMatchObject({ code: 'AGENT_SILENT' });
});

test('an agent that dies has not answered', async () => {
  const dataDir = await whoAnswers((socket) => void socket.destroy());
  await expect(callAgent(dataDir, 'test', {})).rejects.toMatchObject({ code: 'AGENT_SILENT' });
});

test('what is no agent is not taken for one', async () => {
  const dataDir = await whoAnswers((socket) => void socket.end('220 mail.example ESMTP\r\n'));
  await expect(callAgent(dataDir, 'test', {})).rejects.toMatchObject({ code: 'CONTROL_INVALID' });
});

test('the error of the agent is the error of the call', async () => {
  const dataDir = await whoAnswers((socket) => {
    socket.end('{"error":{"code":"REGION_MISSING","message":"no region"}}\n');
  });
  await expect(callAgent(dataDir, 'test', {})).rejects.toMatchObject({
    code: 'REGION_MISSING',
    message: 'no region',
  });
});

/** A data directory where something answers each who asks, after the request. */
async function whoAnswers(answer: (socket: Socket) => void): Promise<string> {
  const dataDir = join(temporaryFolder(), 'data');
  mkdirSync(dataDir);
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
    onTestFinished(() => void socket.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(layoutOf(dataDir).control, resolve));
  onTestFinished(() => void server.close());
  return dataDir;
}
