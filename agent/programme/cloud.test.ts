import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openCloud as openTestCloud } from '../../fixtures/cloud/test-client.ts';
import { presets } from '../config.ts';
import { cloudConfig } from '../test/fakes/cloud-config.ts';
import { openCloud } from './cloud.ts';

test('S0-1 without a cloud in the settings there is none', async () => {
  expect(await openCloud({ config: presets })).toBeUndefined();
});

test('what is insisted on comes from the settings', async () => {
  const cloud = await openTestCloud({ dialect: 'oss' });
  const grant = cloudConfig(cloud, 'grant', {
    'cloud.hosts': ['aliyuncs.com', 'store.example:8443'],
    'cloud.kmsKeyId': 'key-1',
  });
  expect((await openCloud({ config: grant }))?.rules).toEqual({
    hostSuffixes: ['aliyuncs.com', 'store.example'],
    ports: [8443],
    encryptionRequired: true,
    encryptionKeyId: 'key-1',
  });
  const direct = cloudConfig(cloud, 'direct');
  expect((await openCloud({ config: direct }))?.rules).toEqual({
    hostSuffixes: ['localhost'],
    ports: [Number(new URL(cloud.bucketUrl).port)],
    encryptionRequired: true,
    encryptionKeyId: null,
  });
});

test('opening it opens no file and loads no client: that is for the first call of a night', async () => {
  const cloud = await openTestCloud({ dialect: 'oss' });
  const missing = {
    'cloud.certificate': '/nowhere/device.pem',
    'cloud.key': '/nowhere/device.key',
    'cloud.credentials': '/nowhere/credentials.json',
    'cloud.ca': '/nowhere/ca.pem',
  };
  for (const mode of ['grant', 'direct'] as const) {
    const config = cloudConfig(cloud, mode, missing);
    const opened = await openCloud({ config });
    const call = { signal: new AbortController().signal, onRequest: () => {} };
    await expect(opened?.port.link(call)).rejects.toThrow(/\/nowhere\//);
    expect(modulesOfChild(JSON.stringify(config))).toBe('undici was not loaded');
  }
  expect(cloud.vendor.connections).toEqual([]);
});

/** In a process of its own, because this one has loaded everything. */
function modulesOfChild(config: string): string {
  const module = fileURLToPath(new URL('./cloud.ts', import.meta.url));
  const script = `
    import { createRequire } from 'node:module';
    const { openCloud } = await import(${JSON.stringify(module)});
    const cloud = await openCloud({ config: ${config} });
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('/undici/'));
    if (!cloud) throw new Error('there is no cloud');
    const before = loaded();
    await import('undici');
    // The proof that it would be seen.
    if (!loaded()) throw new Error('undici cannot be seen');
    process.stdout.write(before ? 'undici was loaded' : 'undici was not loaded');
  `;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
