import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { KeyPair } from '../../fixtures/cloud/certificates.ts';
import { cephConf } from './ceph-conf.ts';
import { type Daemon, run, startDaemon } from './programs.ts';

/** A real object store on this machine: Ceph with its S3 gateway. */
export type Ceph = {
  /** 'https://localhost:port' */
  readonly endpoint: string;
  /** Makes a user of the gateway. */
  addUser(name: string, accessKeyId: string, secretAccessKey: string): Promise<void>;
  /** All objects as they lie below the gateway, by their names there. */
  rawObjects(): Promise<ReadonlyMap<string, Buffer>>;
  /** Throws if a part of it has ended by itself. */
  check(): Promise<void>;
  /** Ends all of it. */
  stop(): Promise<void>;
};

export type CephOptions = {
  /** Empty; holds everything of it. */
  readonly folder: string;
  /** What the gateway shows. */
  readonly pair: KeyPair;
  readonly keyId: string;
  /** How long a day of a lifecycle rule lasts. */
  readonly lifecycleDayS: number;
};

/** Starts monitor, object daemon and gateway, one after the other, as each needs the one before. */
export async function startCeph(options: CephOptions): Promise<Ceph> {
  const { folder, pair, keyId, lifecycleDayS } = options;
  const ports = { mon: await freePort(), rgw: await freePort() };
  const kms = { keyId, key: randomBytes(32) };
  const place = { folder, ports, fsid: randomUUID(), kms, lifecycleDayS };
  const conf = join(folder, 'ceph.conf');
  const secret = { mode: 0o600 };
  writeFileSync(conf, cephConf(place), secret);
  writeFileSync(join(folder, 'server.pem'), pair.cert);
  writeFileSync(join(folder, 'server.key'), pair.key, secret);
  const daemons: Daemon[] = [];
  const ceph = (program: string, ...args: string[]) => run(program, ['-c', conf, ...args]);
  const start = (program: string, ...args: string[]) => {
    const log = join(folder, `${program}.out`);
    daemons.push(startDaemon(program, ['-c', conf, '-f', ...args], log));
  };
  async function check() {
    for (const daemon of daemons) await daemon.check();
  }
  async function stop() {
    for (const daemon of daemons.toReversed()) await daemon.stop();
  }

  try {
    await makeKeyring(folder);
    await startMonitor();
    await startObjectDaemon();
    start('radosgw', '-n', 'client.rgw');
    await untilAnswered(ports.rgw, check);
  } catch (cause) {
    await stop();
    throw cause;
  }

  async function startMonitor() {
    const map = join(folder, 'monmap');
    const address = `[v2:127.0.0.1:${ports.mon}]`;
    const made = ['--create', '--clobber', '--fsid', place.fsid, '--addv', 'a', address, map];
    await run('monmaptool', made);
    mkdirSync(join(folder, 'mon'));
    await ceph('ceph-mon', '-i', 'a', '--mkfs', '--monmap', map);
    start('ceph-mon', '-i', 'a');
  }
  async function startObjectDaemon() {
    const uuid = randomUUID();
    mkdirSync(join(folder, 'osd'));
    // Waits until the monitor listens.
    await ceph('ceph', '--connect-timeout', '30', 'osd', 'new', uuid);
    await ceph('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', uuid);
    start('ceph-osd', '-i', '0');
  }

  return {
    endpoint: `https://localhost:${ports.rgw}`,
    check,
    stop,
    async addUser(name, accessKeyId, secretAccessKey) {
      const keys = ['--access-key', accessKeyId, '--secret-key', secretAccessKey];
      await ceph('radosgw-admin', 'user', 'create', '--uid', name, '--display-name', name, ...keys);
    },
    async rawObjects() {
      const rados = (...args: string[]) => ceph('rados', '-p', 'default.rgw.buckets.data', ...args);
      const names = (await rados('ls')).toString().split('\n').filter(Boolean);
      const raw = new Map<string, Buffer>();
      for (const name of names) raw.set(name, await rados('get', name, '-'));
      return raw;
    },
  };
}

async function makeKeyring(folder: string): Promise<void> {
  const keyring = join(folder, 'keyring');
  const all = (...parts: string[]) => parts.flatMap((part) => ['--cap', part, 'allow *']);
  const holders = {
    'mon.': all('mon'),
    'client.admin': all('mon', 'osd', 'mgr'),
    'client.rgw': all('mon', 'osd'),
    'osd.0': all('mon', 'osd'),
  };
  await run('ceph-authtool', ['--create-keyring', keyring]);
  for (const [holder, caps] of Object.entries(holders)) {
    await run('ceph-authtool', [keyring, '--gen-key', '-n', holder, ...caps]);
  }
}

/** One that nobody listens at now; somebody else may be quicker, and then the start fails by name. */
function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        resolve(address !== null && typeof address === 'object' ? address.port : 0),
      );
    });
  });
}

/** The gateway makes its pools first, which takes seconds. */
async function untilAnswered(port: number, check: () => Promise<void>): Promise<void> {
  const untilMs = Date.now() + startLimitMs;
  while (!(await isListening(port))) {
    await check();
    if (Date.now() > untilMs) throw new Error('radosgw did not listen in time');
    await setTimeout(100);
  }
}

const startLimitMs = 100_000;

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => tell(true));
    const tell = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('error', () => tell(false));
  });
}
