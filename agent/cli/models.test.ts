import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { loadManifest } from '../io/models/manifest.ts';
import { temporaryFolder } from '../test/fakes/temporary-folder.ts';
import { modelsCommand } from './models.ts';

/** `doorkeep models …` in this process; what it printed, and what it threw. */
async function models(args: readonly string[]) {
  let stdout = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((bytes, ...rest) => {
    stdout += Buffer.from(bytes).toString();
    const done = rest.find((each) => typeof each === 'function');
    done?.();
    return true;
  });
  const fault = await modelsCommand()
    .parseAsync([...args], { from: 'user' })
    .then(() => undefined)
    .catch((cause: unknown) => cause)
    .finally(() => spy.mockRestore());
  return { stdout, fault };
}

/** A device whose recommended models lie where nobody answers. */
function offline(): string {
  const dataDir = temporaryFolder();
  const folder = join(dataDir, 'models');
  const recommended = loadManifest()
    .entries.filter((entry) => entry.recommended === true)
    .map(({ openvino: _, ...entry }) => ({ ...entry, url: 'https://127.0.0.1:9/model.onnx' }));
  mkdirSync(folder);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ models: recommended }));
  return dataDir;
}

test('without a network, `models pull recommended` ends with one clear line and leaves nothing', async () => {
  const dataDir = offline();
  // Names of its own, so that weights to develop with are not taken for them.
  const manifest = join(dataDir, 'models', 'manifest.json');
  const { entries } = loadManifest(join(dataDir, 'models'));
  const chain = entries.filter((entry) => entry.recommended === true);
  const elsewhere = chain.map((entry) => ({ ...entry, file: `x-${entry.file}` }));
  writeFileSync(manifest, JSON.stringify({ models: elsewhere }));
  const { fault } = await models(['pull', 'recommended', '--data-dir', dataDir]);
  expect(fault).toMatchObject({ code: 'DOWNLOAD_FAILED', exitCode: 34 });
  expect(fault).toMatchObject({
    message: 'model yunet-s-640: 127.0.0.1:9 refuses the connection',
  });
  expect(readdirSync(join(dataDir, 'models'))).toEqual(['manifest.json']);
});

test('`models list` says of every model whether it is used, and why', async () => {
  const dataDir = join(temporaryFolder(), 'none');
  const named = ['--set', 'models.embedding=mobilefacenet-ms1m-128d'];
  const { stdout, fault } = await models(['list', '--json', '--data-dir', dataDir, ...named]);
  expect(fault).toBeUndefined();
  const rows: { name: string; used: boolean; why: string; recommended: boolean }[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const row = (name: string) => rows.find((each) => each.name === name);
  expect(rows.map(({ name }) => name)).toEqual(loadManifest().entries.map(({ name }) => name));
  expect(row('mobilefacenet-ms1m-128d')).toMatchObject({
    used: true,
    why: 'named by models.embedding',
    recommended: false,
  });
  expect(row('face-reidentification-retail-0095')).toMatchObject({
    used: false,
    why: 'mobilefacenet-ms1m-128d is named by models.embedding',
    recommended: true,
  });
  expect(existsSync(dataDir)).toBe(false);
});
