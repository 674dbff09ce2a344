import { expect, test } from 'vitest';
import { presets, readSettings } from './config.ts';
import { openDoorRelay, relayHolderOf } from './door-relay.ts';
import { AgentError } from './errors.ts';
import { systemClock } from './io/process/clock.ts';
import { createLog } from './io/process/log.ts';
import { fakeEvent } from './test/fakes/fake-event.ts';
import { createFakeHolder } from './test/fakes/fake-holder.ts';

const config = readSettings({ relay: { holdMs: 700 } }, 'the test');

test('a match opens the door for as long as it is set, once', async () => {
  const { relay, holder, logged } = await aDoorRelay();
  const event = fakeEvent.match(systemClock.monotonicMs());
  relay.onEvent(event);
  relay.onEvent(event);
  await relay.close();
  expect(holder.told).toEqual(['start', 'pulse 700', 'release']);
  expect(logged()).toEqual([{ event: 'relay-opened', level: 'info' }]);
});

test('what is no match, or came too late, or after the camera was lost, opens nothing', async () => {
  const { relay, holder } = await aDoorRelay();
  const nowMs = systemClock.monotonicMs();
  relay.onEvent(fakeEvent.noMatch(nowMs));
  relay.onEvent(fakeEvent.match(nowMs - 1_501));
  const error = new AgentError('SOURCE_LOST', 'v4l2: it was unplugged');
  relay.onEvent({ kind: 'source-lost', sourceId: 'v4l2', error });
  relay.onEvent(fakeEvent.match(nowMs));
  await relay.close();
  expect(holder.told).toEqual(['start', 'release']);
});

test('a door that stayed closed is logged with the reason, and so is a holder that was lost', async () => {
  const { relay, holder, logged } = await aDoorRelay();
  holder.end({ exitCode: 75, reason: 'relay: busy' });
  relay.onEvent(fakeEvent.match(systemClock.monotonicMs()));
  await Promise.resolve();
  expect(logged()).toEqual([
    { event: 'relay-restarted', level: 'error', attempt: 1, exitCode: 75 },
    { event: 'relay-failed', level: 'error', relay: 'not-ready' },
  ]);
  await relay.close();
});

test('where no relay is set there is none', () => {
  expect(relayHolderOf(presets)).toBeUndefined();
  const set = readSettings({ relay: { chip: '/dev/gpiochip0', line: 5 } }, 'the test');
  expect(relayHolderOf(set)).toBeDefined();
});

test('a relay needs its line', () => {
  expect(() => readSettings({ relay: { chip: '/dev/gpiochip0' } }, 'the test')).toThrow(
    'relay.line: needed with relay.chip',
  );
});

async function aDoorRelay() {
  const holder = createFakeHolder({ obeys: true });
  const lines: string[] = [];
  const log = createLog({
    level: 'debug',
    clock: systemClock,
    human: false,
    write: (line) => lines.push(line),
  });
  const relay = openDoorRelay(config, log, holder.startHolder);
  await Promise.resolve();
  const logged = () =>
    lines.map((line) => {
      const { at: _, elapsedMs: __, ...rest } = JSON.parse(line);
      return rest;
    });
  return { relay, holder, logged };
}
