import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { AgentError } from '../../errors.ts';
import type { FrameSource } from '../../ports.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { type FilesOptions, openFilesSource } from './frame-files.ts';

const root = mkdtempSync(join(tmpdir(), 'doorkeep-files-'));
afterAll(() => rmSync(root, { recursive: true }));

let time = createManualTime();
let skipped: [string, string][] = [];
beforeEach(() => {
  time = createManualTime(1_000);
  skipped = [];
});

describe('every', () => {
  test('pictures of a folder come in natural order, each under its own name; the rest is left alone', async () => {
    const folder = await folderOf({ '10.png': 10, '9.PNG': 9, '1.jpg': 1, '.hidden.png': 4 });
    writeFileSync(join(folder, 'notes.txt'), 'not a picture');
    const source = await open({ pictures: folder, mode: 'every' });
    expect(await all(source)).toEqual(['1.jpg', '9.PNG', '10.png']);
    expect(source.dropped).toBe(0);
    expect(skipped).toEqual([]);
  });

  test('files of a list come in the order given', async () => {
    const folder = await folderOf({ 'a.png': 1, 'b.png': 2 });
    const pictures = ['b.png', 'a.png', 'b.png'].map((name) => join(folder, name));
    expect(await all(await open({ pictures, mode: 'every' }))).toEqual(['b.png', 'a.png', 'b.png']);
  });

  test('a picture that cannot be read is told and skipped, and the others come', async () => {
    const folder = await folderOf({ '1.png': 1, '3.png': 3 });
    writeFileSync(join(folder, '2.png'), 'not a picture');
    const pictures = ['1.png', '2.png', 'gone.png', '3.png'].map((name) => join(folder, name));
    expect(await all(await open({ pictures, mode: 'every' }))).toEqual(['1.png', '3.png']);
    expect(skipped).toEqual([
      ['2.png', 'IMAGE_INVALID'],
      ['gone.png', 'INPUT_MISSING'],
    ]);
  });

  test('with a pace, no picture comes before its time and none is left out', async () => {
    const folder = await folderOf({ '1.png': 1, '2.png': 2, '3.png': 3 });
    const source = await open({ pictures: folder, mode: 'every', fps: 4 });
    expect((await source.next())?.capturedAtMs).toBe(1_000);
    const second = source.next();
    expect(time.pendingMs).toEqual([250]);
    time.advance(250);
    expect((await second)?.capturedAtMs).toBe(1_250);
    time.advance(10_000);
    expect((await source.next())?.sourceId).toBe('3.png');
    expect(source.dropped).toBe(0);
  });

  test('in a loop the first comes again after the last', async () => {
    const folder = await folderOf({ '1.png': 1, '2.png': 2 });
    const source = await open({ pictures: folder, mode: 'every', loop: true });
    const names = [];
    for (let i = 0; i < 5; i++) names.push((await source.next())?.sourceId);
    expect(names).toEqual(['1.png', '2.png', '1.png', '2.png', '1.png']);
  });

  test('a broken picture in a loop is skipped in every round', async () => {
    const folder = await folderOf({ '1.png': 1 });
    writeFileSync(join(folder, '2.png'), 'not a picture');
    const source = await open({ pictures: folder, mode: 'every', loop: true });
    for (let i = 0; i < 4; i++) expect((await source.next())?.sourceId).toBe('1.png');
    expect(skipped.length).toBe(3);
  });

  test('where not one can be read, the source is lost instead of turning for ever', async () => {
    const folder = await folderOf({});
    for (const name of ['1.png', '2.png']) writeFileSync(join(folder, name), 'x');
    const source = await open({ pictures: folder, mode: 'every', loop: true });
    const loss = await source.next().catch((error: unknown) => error);
    expect(loss).toMatchObject({
      code: 'SOURCE_LOST',
      message: 'files: none of 2 pictures can be read',
    });
    expect(skipped.length).toBe(2);
  });
});

describe('newest', () => {
  test('as from a camera: who was busy for a second has missed the pictures of that second', async () => {
    const folder = await folderOf({ '1.png': 1, '2.png': 2, '3.png': 3, '4.png': 4 });
    const source = await open({ pictures: folder, mode: 'newest', fps: 4, loop: true });
    time.advance(250);
    expect((await source.next())?.data[0]).toBe(1);
    time.advance(1_250);
    // 2, 3, 4, 1, 2 came meanwhile.
    expect((await source.next())?.data[0]).toBe(2);
    expect(source.dropped).toBe(4);
  });

  test('who comes after the end still gets the last picture, then the end', async () => {
    const folder = await folderOf({ '1.png': 1, '2.png': 2, '3.png': 3 });
    const source = await open({ pictures: folder, mode: 'newest' });
    time.advance(60_000);
    expect((await source.next())?.data[0]).toBe(3);
    expect(source.dropped).toBe(2);
    expect(await source.next()).toBeUndefined();
  });
});

test('S0-18 the pixels of a picture are gone when the next one is asked for', async () => {
  const folder = await folderOf({ '1.png': 77, '2.png': 2 });
  const source = await open({ pictures: folder, mode: 'every' });
  const data = (await source.next())?.data ?? new Uint8Array();
  expect(data.includes(77)).toBe(true);
  await source.next();
  expect(data.includes(77)).toBe(false);
});

test('closing while a picture is being read gives no frame', async () => {
  const folder = await folderOf({ '1.png': 77 });
  const source = await open({ pictures: folder, mode: 'every' });
  const reading = source.next();
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  await source.close();
  expect(await reading).toBeUndefined();
});

test.each([
  ['a folder that is not there', () => join(root, 'nowhere')],
  ['a folder without a picture', () => folderOf({})],
  ['an empty list', () => []],
])('%s is INPUT_MISSING', async (_name, make) => {
  const opening = open({ pictures: await make(), mode: 'every' });
  await expect(opening).rejects.toMatchObject({ code: 'INPUT_MISSING' });
});

function open(options: Pick<FilesOptions, 'pictures' | 'mode' | 'fps' | 'loop'>) {
  const onSkipped = (file: string, { code }: AgentError) => skipped.push([file, code]);
  return openFilesSource({ ...options, clock: time.clock, timers: time.timers, onSkipped });
}

async function folderOf(pictures: Record<string, number>): Promise<string> {
  const folder = mkdtempSync(join(root, 'x'));
  for (const [name, value] of Object.entries(pictures)) {
    const background = { r: value, g: value, b: value };
    await sharp({ create: { width: 32, height: 24, channels: 3, background } })
      .toFormat(name.endsWith('jpg') ? 'jpeg' : 'png')
      .toFile(join(folder, name));
  }
  return folder;
}

async function all(source: FrameSource): Promise<string[]> {
  const names: string[] = [];
  for (let frame = await source.next(); frame; frame = await source.next()) {
    names.push(frame.sourceId);
  }
  return names;
}
