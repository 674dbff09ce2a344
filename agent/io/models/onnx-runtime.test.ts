import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { tinyModel } from '../../test/fakes/tiny-model.ts';

const run = promisify(execFile);

/** Loads and runs the model file `path` in a process with nothing in its environment but empty folders. */
async function runAlone(path: string) {
  const [home, cache] = [temporaryFolder(), temporaryFolder()];
  const module = fileURLToPath(new URL('./onnx-runtime.ts', import.meta.url));
  const script = `
    const { readFileSync } = await import('node:fs');
    const { createSession, loadRuntime } = await import(${JSON.stringify(module)});
    const session = await createSession(readFileSync(${JSON.stringify(path)}), 2);
    const { Tensor } = await loadRuntime();
    const feeds = () => ({ picture: new Tensor('float32', new Float32Array(3 * 64 * 64), [1, 3, 64, 64]) });
    await session.run(feeds());
    await session.release();
    console.log(process.env.ORT_DISABLE_TELEMETRY, process.env.CI);`;
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    XDG_CACHE_HOME: cache,
    TMPDIR: temporaryFolder(),
  };
  const options = { env, cwd: temporaryFolder() };
  const shell = ['--input-type=module', '--eval', script];
  const result = await run(process.execPath, shell, options).catch((fault) => fault);
  const written = Object.values({ ...env, PATH: '', cwd: options.cwd })
    .filter((folder) => folder !== '')
    .flatMap((folder) => readdirSync(folder));
  return { stdout: String(result.stdout), stderr: String(result.stderr), written };
}

function modelFile(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'tiny.onnx');
  writeFileSync(path, bytes);
  return path;
}

test('S4-8 no third-party SDK keeps statistics: loading and running a model writes nothing anywhere', async () => {
  const { stdout, written } = await runAlone(modelFile(tinyModel({ side: 64 }).bytes));
  expect(stdout).toBe('1 undefined\n');
  expect(written).toEqual([]);
});

test('S4-8 no third-party SDK can report: the library that runs the models does not know where', () => {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  const folder = join(main, `../../bin/napi-v6/${process.platform}/${process.arch}`);
  const libraries = readdirSync(folder).filter((file) => /\.(so|node|dylib|dll)/.test(file));
  expect(libraries.length).toBeGreaterThanOrEqual(2);
  for (const library of libraries) {
    const content = readFileSync(join(folder, library));
    for (const word of ['OneCollector', 'events.data.microsoft.com']) {
      expect(content.includes(word), `${library}: ${word}`).toBe(false);
    }
  }
});

test('a model that cannot be loaded is an exception, and says nothing on the console by itself', async () => {
  const { stdout, stderr } = await runAlone(modelFile(new Uint8Array(100)));
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/onnxruntime:|\[E:|\[W:/);
  expect(stderr).toContain('Error');
});
