import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { progressLine } from './terminal.ts';

const terminal = new URL('./terminal.ts', import.meta.url).href;

/** A command that prints ten lines, one every 50 ms. */
const talker = `
  const { letReaderGo, openTerminal } = await import(${JSON.stringify(terminal)});
  letReaderGo();
  const { result } = openTerminal(true);
  let told = false;
  process.on('SIGTERM', () => { told = true; });
  for (let n = 0; n < 10; n++) {
    result({ n }, '');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  process.exitCode = told ? 7 : 0;
`;

test('a reader who goes away ends nothing abruptly, and the command is told to stop', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', talker]);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [status] = await once(child, 'close');
  expect(stderr).toBe('');
  expect(status).toBe(7);
});

test('help that is read to its first line only ends like any other', async () => {
  const script = fileURLToPath(new URL('../../main.js', import.meta.url));
  const child = spawn(process.execPath, [script, 'enrol', '--help']);
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [status] = await once(child, 'close');
  expect([status, stderr]).toEqual([0, '']);
});

test('progress says how far it has come', () => {
  expect(progressLine('pictures', 2622, 5043)).toBe(
    'pictures  ████████████░░░░░░░░░░░░  51 %  2,622 of 5,043',
  );
  expect(progressLine('pictures', 3, undefined)).toBe('pictures  3');
});
