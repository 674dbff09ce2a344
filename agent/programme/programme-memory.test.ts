import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSealedFile } from '../io/files/sealed-file.ts';
import { layoutOf } from '../io/process/environment.ts';
import { createEpochKey } from '../io/programme/epoch-key.ts';
import { temporaryFolder } from '../test/fakes/temporary-folder.ts';
import { emptyUploadMemory, type UploadMemory } from '../upload/upload-memory.ts';
import { openProgrammeMemory } from './programme-memory.ts';

const upload: UploadMemory = {
  ...emptyUploadMemory,
  lastPass: { localDate: '2027-03-01', runDay: 20_879.1 },
  counts: { 'timed-out': 2 },
};

function granted() {
  const dataDir = join(temporaryFolder(), 'data');
  const layout = layoutOf(dataDir);
  createEpochKey(layout.epochKey);
  return { dataDir, layout };
}

test('what is remembered is there after a restart, and reads like noise on the medium', () => {
  const { dataDir, layout } = granted();
  const memory = openProgrammeMemory({ dataDir });
  memory.upload.write(upload);
  memory.rememberClock({ confirmedMs: 1_800_000_000_000 });
  const again = openProgrammeMemory({ dataDir });
  expect(again.upload.read()).toEqual(upload);
  expect(again.clock()).toEqual({ confirmedMs: 1_800_000_000_000 });
  expect(readFileSync(layout.memory, 'latin1')).not.toContain('2027-03-01');
  expect(statSync(layout.memory).mode & 0o777).toBe(0o600);
});

test('S0-1 without a grant there is no key, nothing is remembered, and nothing is made', () => {
  const dataDir = join(temporaryFolder(), 'data');
  const memory = openProgrammeMemory({ dataDir });
  expect(memory.upload.read()).toBe(emptyUploadMemory);
  expect(() => memory.rememberClock({ confirmedMs: 1 })).toThrow(/there is no key/);
  expect(statSync(dataDir, { throwIfNoEntry: false })).toBeUndefined();
});

const damages: Record<string, (layout: ReturnType<typeof layoutOf>) => void> = {
  'its key is gone': ({ epochKey }) => rmSync(epochKey),
  'its key is another one': ({ epochKey }) => {
    rmSync(epochKey);
    createEpochKey(epochKey);
  },
  'a folder lies where its key was': ({ epochKey }) => {
    rmSync(epochKey);
    mkdirSync(epochKey);
  },
  'a folder lies where it was': ({ memory }) => {
    rmSync(memory);
    mkdirSync(memory);
  },
  'it was changed': ({ memory }) => {
    const bytes = readFileSync(memory);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    writeFileSync(memory, bytes);
  },
  'it was cut short': ({ memory }) => writeFileSync(memory, 'x'),
  'it is of another version': ({ memory, epochKey }) =>
    writeSealedFile(memory, Buffer.from('{"upload":3,"clock":"noon"}'), epochKey),
  'it is no JSON': ({ memory, epochKey }) =>
    writeSealedFile(memory, Buffer.from('{"upload"'), epochKey),
};

test.each(Object.entries(damages))(
  'S0-26 nothing is remembered, and nothing fails, where %s',
  (_, damage) => {
    const { dataDir, layout } = granted();
    openProgrammeMemory({ dataDir }).upload.write(upload);
    damage(layout);
    const memory = openProgrammeMemory({ dataDir });
    expect(memory.upload.read()).toEqual(emptyUploadMemory);
    expect(memory.clock()).toBeNull();
  },
);

test('what an older version did not know yet is as if it had never happened', () => {
  const { dataDir, layout } = granted();
  mkdirSync(dirname(layout.memory), { recursive: true });
  const older = { upload: { lastPass: upload.lastPass } };
  writeSealedFile(layout.memory, Buffer.from(JSON.stringify(older)), layout.epochKey);
  const { lastPass } = upload;
  expect(openProgrammeMemory({ dataDir }).upload.read()).toEqual({
    ...emptyUploadMemory,
    lastPass,
  });
});

test('S0-29 after an opt-out it remembers nothing, before its file is read again', () => {
  const { dataDir } = granted();
  const memory = openProgrammeMemory({ dataDir });
  memory.upload.write(upload);
  memory.forget();
  expect(memory.upload.read()).toEqual(emptyUploadMemory);
  memory.rememberClock({ confirmedMs: 5 });
  expect(openProgrammeMemory({ dataDir }).upload.read()).toEqual(emptyUploadMemory);
});
