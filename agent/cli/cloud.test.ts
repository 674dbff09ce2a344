import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { openCloud } from '../../fixtures/cloud/test-client.ts';
import type { Config } from '../config.ts';
import { cloudConfig } from '../test/fakes/cloud-config.ts';
import { programmeDevice } from '../test/fakes/quick-device.ts';
import { temporaryFolder } from '../test/fakes/temporary-folder.ts';
import { uncoveredClasses } from '../upload/bucket-settings.ts';
import { runProgram } from './program.ts';

/** Runs a command line in this process, with these settings. */
async function cloud(args: readonly string[], config?: Config, dataDir = temporaryFolder()) {
  const settings = Object.entries(config ?? {}).filter(([name]) => name.startsWith('cloud.'));
  writeFileSync(join(dataDir, 'doorkeep.json'), JSON.stringify(Object.fromEntries(settings)));
  const listeners = process.stdout.rawListeners('error').length;
  let out = '';
  let err = '';
  const written = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  const complained = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    return true;
  });
  try {
    const status = await runProgram(['cloud', ...args, '--data-dir', dataDir]);
    return { status, out, err };
  } finally {
    written.mockRestore();
    complained.mockRestore();
    // Of the terminal that each command opens, as a process of its own would once.
    for (const listener of process.stdout.rawListeners('error').slice(listeners)) {
      process.stdout.off('error', Object.assign(listener));
    }
  }
}

describe('the documents for a bucket', () => {
  test('S0-14 the lifecycle is printed as the bucket wants it', async () => {
    for (const dialect of ['oss', 's3']) {
      const { status, out } = await cloud(['lifecycle', '--dialect', dialect]);
      expect(status).toBe(0);
      expect(uncoveredClasses(out)).toEqual([]);
      expect(out.includes('<Filter>')).toBe(dialect === 's3');
    }
  });

  test('S0-9 S0-6 the policy names the bucket and the key of the settings', async () => {
    const settings = [
      ...['--set', 'cloud.bucket=my-bucket'],
      ...['--set', 'cloud.kmsKeyId=key-1'],
      ...['--set', 'cloud.dialect=s3'],
    ];
    const { out } = await cloud(['policy', ...settings]);
    const policy = JSON.parse(out);
    expect(policy.Statement).toHaveLength(4);
    expect(out).toContain('arn:aws:s3:::my-bucket/*');
    expect(out).toContain('key-1');
    const { out: encryption } = await cloud(['encryption', ...settings]);
    expect(encryption).toContain('<KMSMasterKeyID>key-1</KMSMasterKeyID>');
    const none = await cloud(['policy']);
    expect(none).toMatchObject({ status: 78, out: '' });
    expect(none.err).toContain('cloud.bucket is not set');
  });

  test('another dialect is refused', async () => {
    expect(await cloud(['lifecycle', '--dialect', 'azure'])).toMatchObject({ status: 64, out: '' });
  });
});

describe('the check', () => {
  test('says that a cloud is ready, and sends nothing', async () => {
    const there = await openCloud({ dialect: 'oss' });
    const found = await cloud(['check', '--json'], cloudConfig(there, 'grant'));
    expect(found.status).toBe(0);
    expect(JSON.parse(found.out)).toEqual({
      requests: [{ method: 'GET', host: new URL(there.cloudUrl).host, status: 200 }],
      state: 'ready',
      why: null,
      code: null,
      region: 'cn-hangzhou',
      clockAheadS: expect.any(Number),
      isTrustedAgain: false,
    });
    expect(there.vendor.handled.map(({ method, bodyBytes }) => [method, bodyBytes])).toEqual([
      ['GET', 0],
    ]);
    expect(there.bucket.handled).toEqual([]);
  });

  test('says of a bucket that it is ready, for people too', async () => {
    const there = await openCloud({ dialect: 's3' });
    const found = await cloud(['check'], cloudConfig(there, 'direct'));
    expect(found.status).toBe(0);
    expect(found.out).toMatch(/ready: region cn-hangzhou, its clock is -?\d+ s ahead\n$/);
    expect(there.bucket.handled.every(({ method }) => method === 'GET')).toBe(true);
  });

  test('S0-14 says why nothing would be sent', async () => {
    const there = await openCloud({ dialect: 'oss' });
    const config = cloudConfig(there, 'direct');
    there.bucket.settings.lifecycle = undefined;
    const found = await cloud(['check'], config);
    expect(found.status).toBe(90);
    expect(found.out).toMatch(/nothing would be sent: no-retention-rule\n$/);
    expect(found.err).toContain('CLOUD_REFUSED');
    there.bucket.credentials.revoke(there.bucket.credentials.main.accessKeyId);
    expect((await cloud(['check'], config)).out).toMatch(
      /nothing would be sent: unauthorised \(InvalidAccessKeyId\)\n$/,
    );
    await there.close();
    expect((await cloud(['check'], config)).out).toMatch(
      /no answer\nnothing would be sent: refused\n$/,
    );
  });

  test('S0-5 says so if the cloud lies elsewhere, or takes nothing', async () => {
    const there = await openCloud({ dialect: 'oss', region: 'eu-central-1' });
    const elsewhere = cloudConfig(there, 'grant', { 'cloud.region': 'cn-hangzhou' });
    expect((await cloud(['check'], elsewhere)).out).toContain('other-region');
    there.vendor.settings.accepting = false;
    expect((await cloud(['check'], cloudConfig(there, 'grant'))).out).toContain('not-accepting');
    there.vendor.link('device-1', false);
    expect((await cloud(['check'], cloudConfig(there, 'grant'))).out).toContain('not-linked');
  });

  test('S0-6 a store that had lied is tried again once the check has passed, not before', async () => {
    let puts = 0;
    const device = programmeDevice({
      fate: (step) => (step === 'put' && ++puts === 1 ? 'wrong-checksum' : 'fine'),
    });
    await device.start();
    await device.on();
    device.visit(2);
    await device.passUntil(3);
    await device.stop();
    const there = await openCloud({ dialect: 'oss' });
    const config = cloudConfig(there, 'grant');
    const { dataDir } = device.place;
    there.vendor.settings.accepting = false;
    expect((await cloud(['check'], config, dataDir)).status).toBe(90);
    expect((await device.start()).memory.upload.read().distrusted).toMatchObject({
      why: 'other-checksum',
    });
    await device.stop();
    there.vendor.settings.accepting = true;
    const found = await cloud(['check'], config, dataDir);
    expect(found.out).toMatch(/ready: .*\n.*is tried again in the next night\n$/);
    expect((await cloud(['check'], config, dataDir)).out).not.toContain('tried again');
    expect((await device.start()).memory.upload.read().distrusted).toBeNull();
  });

  test('S0-1 without a cloud in the settings it asks nobody', async () => {
    const found = await cloud(['check']);
    expect(found).toMatchObject({ status: 78, out: '' });
    expect(found.err).toContain('cloud.mode is not set');
  });

  test('a key that others can read is not used', async () => {
    const there = await openCloud({ dialect: 'oss' });
    const config = cloudConfig(there, 'grant', { 'cloud.key': '/dev/null' });
    const found = await cloud(['check'], config);
    expect(found.status).toBe(91);
    expect(found.err).toContain('/dev/null');
    expect(there.vendor.connections).toEqual([]);
  });
});
