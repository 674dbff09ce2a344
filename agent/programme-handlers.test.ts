import { expect, test } from 'vitest';
import { programmeHandlers } from './programme-handlers.ts';
import { fakeProgramme } from './test/fakes/fake-programme.ts';

const peer = { pid: 1, uid: 0, gid: 0 };
const write = () => Promise.resolve();
const by = { name: 'resident', channel: 'host' };
const on = { acceptPolicy: '2026-11', by, allowVolatile: false };
const off = { by, eraseCloud: false, verify: false };

test.each([
  ['ueip.on', undefined],
  ['ueip.on', {}],
  ['ueip.on', { ...on, acceptPolicy: 7 }],
  ['ueip.on', { ...on, by: { name: 'Mr Smith', channel: 'cli' } }],
  ['ueip.on', { ...on, by: { name: 'resident', channel: 'telnet' } }],
  ['ueip.on', { ...on, force: true }],
  ['ueip.off', { ...off, verify: 'yes' }],
  ['ueip.off', { by: null, eraseCloud: false, verify: false }],
  ['ueip.off', []],
  ['ueip.status', { all: true }],
  ['ueip.preview', { by }],
  ['ueip.history', 1],
  ['ueip.export', {}],
  ['ueip.verify', {}],
  ['ueip.verify', { receipt: 'x'.repeat(16_385) }],
  ['agent.ping', null],
])('%s with %j is refused before the programme hears of it', async (command, given) => {
  const { programme, calls } = fakeProgramme();
  const handler = programmeHandlers(programme)[command];
  if (!handler) throw new Error(command);
  await expect(handler(given, peer, write)).rejects.toMatchObject({ code: 'CONTROL_INVALID' });
  expect(calls).toEqual([]);
});

test('a program of the house may ask as a host does', async () => {
  const { programme, calls } = fakeProgramme();
  const handlers = programmeHandlers(programme);
  await handlers['ueip.on']?.(on, peer, write);
  await handlers['ueip.off']?.(off, peer, write);
  expect(calls).toEqual([
    ['on', on],
    ['off', off],
  ]);
});
