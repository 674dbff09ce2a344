import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { deferred } from '../process/deferred.ts';
import type { FromProgramme, ToProgramme } from './programme-port.ts';
import { type ServedProgramme, serveProgramme } from './programme-worker-loop.ts';

type Handlers = ServedProgramme['handlers'];

async function served(handlers: Handlers = {}, parts: Partial<ServedProgramme> = {}) {
  const { port1, port2 } = new MessageChannel();
  const time = createManualTime();
  const told: FromProgramme[] = [];
  const heard: string[] = [];
  const world = { isNeeded: false };
  port1.on('message', (message: FromProgramme) => told.push(message));
  onTestFinished(() => port1.close());
  await serveProgramme(port2, time.timers, async () => ({
    handlers,
    work: () => void heard.push('work'),
    fault: (kind) => void heard.push(kind),
    noteRefusal: (uid) => void heard.push(`refused ${uid}`),
    isNeeded: () => world.isNeeded,
    close: async () => void heard.push('closed'),
    ...parts,
  }));
  const send = (...messages: ToProgramme[]) =>
    messages.forEach((each) => void port1.postMessage(each));
  /** Until this has been told. */
  async function until(isIt: (message: FromProgramme) => boolean): Promise<FromProgramme> {
    for (;;) {
      const found = told.find(isIt);
      if (found) return found;
      await new Promise(setImmediate);
    }
  }
  const answerTo = (id: number) =>
    until((message) => (message.kind === 'done' || message.kind === 'failed') && message.id === id);
  const pieceOf = (id: number) => until((message) => message.kind === 'piece' && message.id === id);
  return { port1, time, told, heard, world, send, answerTo, pieceOf, until };
}

const command = (id: number, name: string, order: unknown = {}): ToProgramme => ({
  kind: 'command',
  id,
  name,
  order,
});

test('it is ready, says whether it is needed, and works once a second', async () => {
  const { told, time, heard, until } = await served();
  await until(({ kind }) => kind === 'needed');
  expect(told.map(({ kind }) => kind)).toEqual(['ready', 'needed']);
  time.advance(3_000);
  expect(heard).toEqual(['work', 'work', 'work', 'work']);
});

test('that it is needed no more is told without being asked', async () => {
  const { world, time, until } = await served();
  world.isNeeded = true;
  time.advance(1_000);
  expect(await until((message) => message.kind === 'needed' && message.isNeeded)).toBeDefined();
});

test('commands are answered with what they bring, or with what they throw', async () => {
  const { send, answerTo } = await served({
    'ueip.status': async (given) => ({ given }),
    'ueip.verify': async () => {
      throw new AgentError('LEDGER_BROKEN', 'line 3');
    },
    'ueip.preview': async () => {
      throw new TypeError('a secret of ours');
    },
    'ueip.history': async () => () => 'no value',
  });
  send(command(1, 'ueip.status', { a: 1 }), command(2, 'ueip.verify'), command(3, 'ueip.preview'));
  send(command(4, 'ueip.history'), command(5, 'toString'));
  expect(await answerTo(1)).toMatchObject({ kind: 'done', value: { given: { a: 1 } } });
  expect(await answerTo(2)).toMatchObject({ fault: { code: 'LEDGER_BROKEN', message: 'line 3' } });
  expect(await answerTo(3)).toMatchObject({
    fault: { code: 'INTERNAL', message: 'the improvement programme failed' },
  });
  expect(await answerTo(4)).toMatchObject({ kind: 'failed', fault: { code: 'INTERNAL' } });
  expect(await answerTo(5)).toMatchObject({ fault: { code: 'CONTROL_INVALID' } });
});

test('S0-26 a withdrawal and a grant never overlap, whatever order they come in', async () => {
  const order: string[] = [];
  const first = deferred<void>();
  const change = (name: string, wait: Promise<void>) => async () => {
    order.push(`${name} begins`);
    await wait;
    order.push(`${name} ends`);
  };
  const { send, answerTo } = await served({
    'ueip.on': change('on', first.promise),
    'ueip.off': change('off', Promise.resolve()),
  });
  send(command(1, 'ueip.on'), command(2, 'ueip.off'), command(3, 'ueip.on'));
  await new Promise(setImmediate);
  first.resolve();
  await answerTo(3);
  expect(order).toEqual(['on', 'off', 'on'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

/** Hands out pieces until nobody takes any more. */
const endless: Handlers = {
  'ueip.export': async (_given, _peer, write) => {
    for (let n = 0; ; n++) await write(Uint8Array.of(n));
  },
  'ueip.off': async () => 'erased',
  'ueip.status': async () => 'told',
};

test('S0-26 who reads slowly, or not at all, keeps nobody from opting out, and gets no more', async () => {
  const { send, answerTo, pieceOf, told } = await served(endless);
  send(command(1, 'ueip.export'));
  await pieceOf(1);
  send(command(2, 'ueip.status'));
  expect(await answerTo(2)).toMatchObject({ kind: 'done' });
  send(command(3, 'ueip.off'));
  expect(await answerTo(3)).toMatchObject({ kind: 'done', value: 'erased' });
  expect(await answerTo(1)).toMatchObject({ kind: 'failed', fault: { code: 'CONTROL_BUSY' } });
  send({ kind: 'more', id: 1 });
  await new Promise(setImmediate);
  expect(told.filter(({ kind }) => kind === 'piece')).toHaveLength(1);
});

test('S0-29 what is made of records after the opt-out was asked for is not handed out either', async () => {
  const read = deferred<void>();
  const { send, answerTo, told } = await served({
    ...endless,
    'ueip.export': async (_given, _peer, write) => {
      await read.promise;
      await write(Uint8Array.of(1));
    },
  });
  send(command(1, 'ueip.export'), command(2, 'ueip.off'));
  await answerTo(2);
  read.resolve();
  expect(await answerTo(1)).toMatchObject({ kind: 'failed' });
  expect(told.some(({ kind }) => kind === 'piece')).toBe(false);
});

test('pieces go one at a time, each when there is room; where nobody takes them any more, that is the end', async () => {
  const { send, answerTo, pieceOf, told } = await served(endless);
  const pieces = () =>
    told.flatMap((message) => (message.kind === 'piece' ? [message.bytes[0]] : []));
  send(command(1, 'ueip.export'));
  await pieceOf(1);
  for (let n = 1; n < 4; n++) {
    send({ kind: 'more', id: 1 });
    while (pieces().length === n) await new Promise(setImmediate);
  }
  expect(pieces()).toEqual([0, 1, 2, 3]);
  send({ kind: 'gone', id: 1 });
  expect(await answerTo(1)).toMatchObject({ kind: 'failed' });
});

test('what the main thread tells is passed on, and late words about answers that have ended are no fault', async () => {
  const { send, heard } = await served();
  send({ kind: 'door-fault', fault: 'camera-lost' }, { kind: 'refused', uid: 7 });
  send({ kind: 'more', id: 99 }, { kind: 'gone', id: 99 });
  while (heard.length < 3) await new Promise(setImmediate);
  expect(heard).toEqual(['work', 'camera-lost', 'refused 7']);
});

test('told to close it finishes what changes something, ends what is being read, stores, and ends', async () => {
  const change = deferred<void>();
  const { send, heard, port1, time, told } = await served({
    ...endless,
    'ueip.off': async () => {
      await change.promise;
      heard.push('off');
    },
  });
  const closed = once(port1, 'close');
  send(command(1, 'ueip.off'), command(2, 'ueip.export'), { kind: 'close' });
  send(command(3, 'ueip.off'), command(4, 'ueip.status'));
  await new Promise(setImmediate);
  change.resolve();
  await closed;
  expect(heard).toEqual(['work', 'off', 'closed']);
  expect(time.pendingMs).toEqual([]);
  const failed = told.flatMap((message) => (message.kind === 'failed' ? [message.id] : []));
  expect(failed.toSorted()).toEqual([2, 3, 4]);
});

test('where the programme cannot be opened, it is told why', async () => {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const told = once(port1, 'message');
  const fault = new AgentError('INPUT_INVALID', 'the notice is another');
  const open = () => Promise.reject(fault);
  await expect(serveProgramme(port2, createManualTime().timers, open)).rejects.toBe(fault);
  const { code, message } = fault;
  expect(await told).toMatchObject([{ kind: 'not-ready', fault: { code, message } }]);
});
