import { join } from 'node:path';
import { expect, test } from 'vitest';
import { datagramListener } from '../../test/fakes/datagram-listener.ts';
import { eventually } from '../../test/fakes/eventually.ts';
import { canFakeGpio as hasCompiler } from '../../test/fakes/fake-gpio.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { loadProcess } from '../process/native.ts';
import { openSystemd } from './systemd.ts';

const isBuilt = loadProcess().kind === 'loaded';

/** Started by a systemd that waits for its word at `/run/notify`, with this in the environment too. */
function started(more: Readonly<Record<string, string>> = {}) {
  const time = createManualTime();
  const told: string[] = [];
  const faults: unknown[] = [];
  let isBroken = false;
  const environment: NodeJS.ProcessEnv = { NOTIFY_SOCKET: '/run/notify', PATH: '/bin', ...more };
  const systemd = openSystemd({
    environment,
    pid: 42,
    timers: time.timers,
    send: (socket, message) => {
      if (isBroken) throw new Error('nobody listens');
      told.push(`${socket} ${message}`);
    },
    onFault: (fault) => faults.push(fault),
  });
  const breakLink = () => {
    isBroken = true;
  };
  return { systemd, time, told, faults, environment, breakLink };
}

test('systemd learns when the door is served and when it is not any more', () => {
  const { systemd, told, time } = started();
  expect(told).toEqual([]);
  systemd.ready();
  systemd.stopping();
  systemd.stopping();
  expect(told).toEqual(['/run/notify READY=1', '/run/notify STOPPING=1']);
  expect(time.pendingMs).toEqual([]);
});

test('the watchdog hears of a main thread that turns, twice in its span, from the beginning of service to its end', () => {
  const { systemd, told, time } = started({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '42' });
  time.advance(300_000);
  expect(told).toEqual([]);
  systemd.ready();
  expect(told.splice(0)).toEqual(['/run/notify READY=1', '/run/notify WATCHDOG=1']);
  time.advance(90_000);
  expect(told.splice(0)).toEqual(Array(3).fill('/run/notify WATCHDOG=1'));
  systemd.stopping();
  time.advance(30_000);
  expect(told.splice(0)).toEqual(['/run/notify STOPPING=1', '/run/notify WATCHDOG=1']);
  systemd.close();
  time.advance(300_000);
  expect(told).toEqual([]);
});

test.each([
  ['another process is watched', { WATCHDOG_USEC: '60000000', WATCHDOG_PID: '41' }],
  ['nobody is watched', { WATCHDOG_USEC: '0' }],
  ['the span is no number', { WATCHDOG_USEC: 'soon' }],
])('where %s there is no watchdog to serve', (_, more) => {
  const { systemd, told, time } = started(more);
  systemd.ready();
  time.advance(300_000);
  expect(told).toEqual(['/run/notify READY=1']);
});

test('the programs that the agent starts do not inherit its line to systemd', () => {
  const { environment } = started({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '42' });
  expect(environment).toEqual({ PATH: '/bin' });
});

test('a systemd that cannot be told is a fault that is told once, and no reason to stop', () => {
  const { systemd, faults, time, breakLink } = started({ WATCHDOG_USEC: '60000000' });
  breakLink();
  systemd.ready();
  time.advance(90_000);
  systemd.stopping();
  expect(faults).toEqual([new Error('nobody listens')]);
});

test('without systemd nobody is told anything', () => {
  const { systemd, told, time } = started({ NOTIFY_SOCKET: '', WATCHDOG_USEC: '60000000' });
  systemd.ready();
  time.advance(90_000);
  systemd.stopping();
  expect(told).toEqual([]);
});

test.skipIf(!isBuilt || !hasCompiler).each([
  ['a path', () => join(temporaryFolder(), 'notify')],
  ['an abstract name', () => `@doorkeep-test-${process.pid}`],
])('the word comes from the main process itself, to a socket with %s', async (_, name) => {
  const socket = name();
  const listener = await datagramListener(socket);
  const faults: unknown[] = [];
  const systemd = openSystemd({
    environment: { NOTIFY_SOCKET: socket },
    onFault: (fault) => faults.push(fault),
  });
  systemd.ready();
  systemd.stopping();
  await eventually(() => listener.lines().length === 2);
  expect(listener.lines()).toEqual([`${process.pid} READY=1`, `${process.pid} STOPPING=1`]);
  expect(faults).toEqual([]);
});

test.skipIf(!isBuilt)(
  'where nobody listens the system says so, and what is no name is refused',
  () => {
    const loaded = loadProcess();
    if (loaded.kind === 'absent') throw new Error(loaded.reason);
    const { notifySocket } = loaded.process;
    const nowhere = join(temporaryFolder(), 'notify');
    expect(() => notifySocket(nowhere, 'READY=1')).toThrow('sendto: No such file or directory');
    expect(() => notifySocket('@doorkeep-nobody', 'READY=1')).toThrow('sendto: Connection refused');
    for (const bad of [undefined, '', 'a'.repeat(108), 7, {}]) {
      expect(() => Reflect.apply(notifySocket, undefined, [bad, 'READY=1'])).toThrow(TypeError);
    }
    for (const bad of [undefined, '', 'a'.repeat(4097), 7, {}]) {
      expect(() => Reflect.apply(notifySocket, undefined, [nowhere, bad])).toThrow(TypeError);
    }
  },
);
