import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryFolder } from '../../test/fakes/memory-folder.ts';
import { loadLookAtCamera } from '../process/native.ts';
import { findCameras } from './camera-look.ts';
import type { LookAtCamera } from './native-camera.ts';

test('the cameras of the kernel are found in the order of their numbers, other nodes are passed over', () => {
  const { cameras } = device({ video10: 'Door', video2: 'Gate', 'video2-meta': 'x', media0: 'x' });
  expect(cameras().map(({ path }) => path.split('/').at(-1))).toEqual(['video2', 'video10']);
  expect(cameras()).toMatchObject([
    { kind: 'seen', name: 'Gate', formats: ['nv12'] },
    { kind: 'seen', name: 'Door', formats: ['nv12'] },
  ]);
});

test('a node that captures nothing is no camera; a camera that is unfit is named with the reason', () => {
  const { cameras } = device({ video0: 'Door', video1: 'metadata', video2: 'broken' });
  expect(cameras()).toMatchObject([
    { kind: 'seen', name: 'Door' },
    { kind: 'unfit', reason: 'it cannot stream' },
  ]);
});

test('a camera that cannot be opened is named as the kernel names it, with the reason', () => {
  const { cameras, nodes, names } = device({});
  symlinkSync(join(nodes, 'nothing'), join(nodes, 'video0'));
  mkdirSync(join(nodes, 'video1'));
  mkdirSync(join(names, 'video0'));
  writeFileSync(join(names, 'video0/name'), 'Door camera: Door\n');
  expect(cameras()).toEqual([
    { path: join(nodes, 'video0'), kind: 'closed', code: 'ENOENT', name: 'Door camera: Door' },
    { path: join(nodes, 'video1'), kind: 'closed', code: 'EISDIR' },
  ]);
});

test('a camera is called nothing that would move the cursor of a terminal', () => {
  const { cameras } = device({ video0: 'Door\u001b[2J\n' });
  expect(cameras()).toMatchObject([{ name: 'Door [2J' }]);
});

const loaded = loadLookAtCamera();

describe.skipIf(loaded.kind === 'absent')('the addon', () => {
  const look = (...given: readonly unknown[]) => {
    if (loaded.kind === 'loaded') Reflect.apply(loaded.lookAtCamera, undefined, given);
  };

  test('says of a file that it is no camera', () => {
    expect(() => look(0)).toThrow('it is no camera');
    expect(() => look(2 ** 20)).toThrow('it is no camera: Bad file descriptor');
  });

  test.each([[[]], [[-1]], [[0.5]], [['/dev/video0']], [[2 ** 21]]])(
    'refuses %j: a number of an open file is wanted',
    (given) => expect(() => look(...given)).toThrow(TypeError),
  );
});

/** Nodes that say, to a look at them, what is written in them. */
function device(content: Readonly<Record<string, string>>) {
  const folder = memoryFolder();
  const [nodes, names] = [join(folder, 'dev'), join(folder, 'names')];
  mkdirSync(nodes);
  mkdirSync(names);
  for (const [name, text] of Object.entries(content)) writeFileSync(join(nodes, name), text);
  const look: LookAtCamera = (fd) => {
    const name = readFileSync(fd, 'utf8');
    if (name === 'broken') throw new Error('it cannot stream');
    return name === 'metadata' ? null : { name, formats: ['nv12'] };
  };
  return { nodes, names, cameras: () => findCameras(look, { nodes, names }) };
}
