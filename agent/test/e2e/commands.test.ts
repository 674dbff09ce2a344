import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedFaces, sharedModels } from '../fakes/shared-material.ts';
import { doorkeep } from './doorkeep.ts';

const folder = mkdtempSync(join(tmpdir(), 'doorkeep-e2e-'));
const dataDir = join(folder, 'data');
const at = ['--data-dir', dataDir];
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the command line', () => {
  test('says in one line what is wrong with it, with the code and the status', async () => {
    for (const [args, message] of [
      [[], 'no command given'],
      [['idetify'], "unknown command 'idetify' (Did you mean identify?)"],
      [['enrol', '--id', 'R-1'], "required option '--photo <file...>' not specified"],
      [['subject', 'list', '--jsn'], "unknown option '--jsn' (Did you mean --json?)"],
      [['run', ...at], 'give one source of frames: --v4l2, --exec, --stdin or --files'],
      [['evaluate', ...at], 'give --pairs, or --gallery and --probes, or --ident and --images'],
    ] as const) {
      const ran = await doorkeep(args);
      expect(ran.stderr).toContain(`doorkeep: USAGE: ${message}`);
      expect(ran.status).toBe(64);
    }
  });

  test('every command explains itself with an example', async () => {
    for (const name of ['run', 'enrol', 'identify', 'verify', 'doctor', 'evaluate', 'demo']) {
      const { stdout, status } = await doorkeep([name, '--help']);
      expect(stdout).toContain(`$ doorkeep ${name}`);
      expect(status).toBe(0);
    }
  });

  test('wrong settings are refused before anything is done, all of them named', async () => {
    const config = join(folder, 'wrong.json');
    writeFileSync(config, '{"match": {"treshold": 1}, "inference.threads": 0}');
    const ran = await doorkeep(['subject', 'list', '--json', '--config', config]);
    expect(JSON.parse(ran.stderr)).toEqual({
      error: {
        code: 'CONFIG_INVALID',
        message: `${config}: match.treshold: unknown, did you mean match.threshold?; inference.threads: expected a whole number from 1 to 4, got 0`,
        hint: 'correct the settings named above',
      },
    });
    expect(ran.status).toBe(78);
  });

  test('a settings file that is missing, or no JSON, is named', async () => {
    const missing = await doorkeep(['subject', 'list', '--config', join(folder, 'absent.json')]);
    expect(missing.stderr).toMatch(/INPUT_MISSING: .*absent.json: cannot be read/);
    expect(missing.status).toBe(66);
    const config = join(folder, 'broken.json');
    writeFileSync(config, '{');
    const broken = await doorkeep(['subject', 'list', '--config', config]);
    expect(broken.stderr).toMatch(/CONFIG_INVALID: .*broken.json: is not JSON/);
  });

  test('nobody is enrolled on a new device', async () => {
    const { stdout, status } = await doorkeep(['subject', 'list', ...at]);
    expect(stdout).toBe('nobody is enrolled\n');
    expect(status).toBe(0);
    const unknown = await doorkeep(['subject', 'show', 'R-1', ...at]);
    expect(unknown.stderr).toContain('SUBJECT_UNKNOWN: nobody is enrolled as R-1');
    expect(unknown.status).toBe(21);
  });

  test.each([
    ["R'; DROP TABLE resident; --", '"R\'; DROP TABLE resident; --"'],
    ['R\n12', '"R\\n12"'],
    ['x'.repeat(10_000), 'has 10000 characters, 64 at most'],
  ])('the id %j is refused', async (id, told) => {
    const ran = await doorkeep(['enrol', '--id', id, '--photo', 'a.jpg', ...at]);
    expect(ran.stderr).toContain('SUBJECT_ID_INVALID');
    expect(ran.stderr).toContain(told);
    expect(ran.stderr.trim().split('\n')).toHaveLength(2);
    expect(ran.status).toBe(23);
  });

  test('a gallery of a newer doorkeep is left alone', async () => {
    const other = join(folder, 'newer');
    await doorkeep(['subject', 'list', '--data-dir', other]);
    const db = new Database(join(other, 'gallery', 'gallery.db'));
    db.pragma('user_version = 999');
    db.close();
    const ran = await doorkeep(['subject', 'list', '--data-dir', other]);
    expect(ran.stderr).toContain('STORE_NEWER');
    expect(ran.status).toBe(53);
  });

  test('a damaged gallery is set aside, and the next command goes on without it', async () => {
    const other = join(folder, 'damaged');
    mkdirSync(join(other, 'gallery'), { recursive: true, mode: 0o700 });
    writeFileSync(join(other, 'gallery', 'gallery.db'), 'x'.repeat(8192));
    const ran = await doorkeep(['subject', 'list', '--data-dir', other]);
    expect(ran.stderr).toMatch(/STORE_CORRUPT: .*gallery\.db\.corrupt-1/);
    expect(ran.status).toBe(50);
    const again = await doorkeep(['subject', 'list', '--data-dir', other]);
    expect(again.stdout).toBe('nobody is enrolled\n');
  });
});

describe.skipIf(!sharedModels || !sharedFaces)('with real models and faces', () => {
  const faces = (name: string) => join(sharedFaces ?? '', name);
  const obama = faces('single/obama.jpg');

  beforeAll(async () => {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    // The built-in detector takes a cup for a face (docs/models.md).
    const models = {
      'models.detection': 'yunet-n-dynamic',
      'models.embedding': 'face-reidentification-retail-0095',
    };
    writeFileSync(join(dataDir, 'doorkeep.json'), JSON.stringify(models));
    const enrolled = await doorkeep([
      'enrol',
      '--json',
      '--id',
      'R-1',
      '--label',
      '2nd floor',
      '--photo',
      obama,
      ...at,
    ]);
    expect(enrolled.stderr).toBe('');
    expect(enrolled.json()).toEqual([
      { id: 'R-1', label: '2nd floor', templates: 1, closest: null },
    ]);
  });

  test('a resident is recognised in another picture, a stranger is not', async () => {
    const stranger = faces('single/biden.jpg');
    const cup = faces('nonface/coffee.png');
    const again = faces('single/obama2.jpg');
    const ran = await doorkeep(['identify', '--json', ...at, again, stranger, cup]);
    expect(ran.json()).toMatchObject([
      { file: again, faces: [{ kind: 'match', residentId: 'R-1', pad: { kind: 'not-checked' } }] },
      { file: stranger, faces: [{ kind: 'no-match' }] },
      { file: cup, faces: [] },
    ]);
    expect(ran.status).toBe(0);
  });

  test('a bad picture among good ones is named, the others are answered', async () => {
    const text = join(folder, 'text.jpg');
    writeFileSync(text, 'this is no picture');
    const ran = await doorkeep(['identify', '--json', ...at, text, obama]);
    expect(ran.json()).toMatchObject([
      { file: text, error: { code: 'IMAGE_INVALID' } },
      { file: obama, faces: [{ kind: 'match' }] },
    ]);
    expect(ran.status).toBe(65);
  });

  test('two pictures of one person verify, of two persons do not', async () => {
    const same = await doorkeep(['verify', '--json', ...at, obama, faces('single/obama3.jpg')]);
    expect(same.json()).toMatchObject([{ same: true }]);
    const other = await doorkeep(['verify', '--json', ...at, obama, faces('single/biden.jpg')]);
    expect(other.json()).toMatchObject([{ same: false }]);
  });

  test('a photo is refused with its reason, and nothing of it is stored', async () => {
    for (const [photo, reason] of [
      [faces('nonface/coffee.png'), 'NO_FACE'],
      [faces('multi/000_5.jpg'), 'MULTI_FACE'],
      [faces('single/obama2.jpg'), 'TOO_SIMILAR_TO:R-1'],
    ]) {
      const ran = await doorkeep(['enrol', '--id', 'R-2', '--photo', photo ?? '', ...at]);
      expect(ran.stderr).toContain(`ENROLMENT_REFUSED: R-2 is not enrolled: ${photo}: ${reason}`);
      expect(ran.status).toBe(20);
    }
    const list = await doorkeep(['subject', 'list', '--json', ...at]);
    expect(list.json()).toMatchObject([{ id: 'R-1' }]);
  });

  test('an id is taken once; more photos are added by saying so', async () => {
    const taken = await doorkeep(['enrol', '--id', 'R-1', '--photo', obama, ...at]);
    expect(taken.stderr).toContain('SUBJECT_EXISTS: R-1 is enrolled already');
    const photo = ['--photo', faces('single/obama3.jpg'), '--photo-label', 'smiling'];
    const added = await doorkeep(['enrol', '--json', '--id', 'R-1', '--add', ...photo, ...at]);
    expect(added.json()).toMatchObject([{ id: 'R-1', templates: 1 }]);
    const shown = await doorkeep(['subject', 'show', 'R-1', '--json', ...at]);
    expect(shown.json()).toMatchObject([
      { id: 'R-1', label: '2nd floor', templates: [{ label: null }, { label: 'smiling' }] },
    ]);
  });

  test('of several people in a picture each is answered for, and who is not enrolled is nobody', async () => {
    const ran = await doorkeep(['identify', '--json', ...at, faces('multi/000_5.jpg')]);
    const [picture] = ran.json() as { faces: { kind: string; residentId?: string }[] }[];
    expect(picture?.faces.length).toBeGreaterThan(3);
    expect(picture?.faces.filter(({ residentId }) => residentId !== undefined)).toEqual([]);
  });

  test('with attack detectors a printed face and a face on a screen are attacks', async () => {
    const pad = ['--set', 'models.pad=["minifasnet-v2","minifasnet-v1se"]'];
    const pictures = ['image_T1.jpg', 'image_F1.jpg', 'image_F2.jpg'].map((name) =>
      faces(`spoof/${name}`),
    );
    const ran = await doorkeep(['identify', '--json', ...pad, ...at, ...pictures]);
    expect(ran.json()).toMatchObject([
      { faces: [{ kind: 'no-match', pad: { kind: 'bona-fide' } }] },
      { faces: [{ kind: 'attack' }] },
      { faces: [{ kind: 'attack' }] },
    ]);
  });

  test('a camera that never comes up ends with one line that names it', async () => {
    const raw = ['--format', 'nv12', '--size', '640x480', '--log', 'error'];
    const ran = await doorkeep(['run', '--exec', 'no-such-camera', ...raw, ...at]);
    expect(ran.stderr).toMatch(/SOURCE_LOST: .*no-such-camera/);
    expect(ran.status).toBe(40);
  });

  test('what is ready, and what the settings name that is not', async () => {
    const ready = await doorkeep(['doctor', '--json', ...at]);
    expect(ready.status).toBe(0);
    const missing = ['--set', 'models.embedding=no-such-model'];
    const ran = await doorkeep(['doctor', ...missing, ...at]);
    expect(ran.stdout).toContain('MODEL_UNKNOWN: no model is named no-such-model');
    expect(ran.stderr).toMatch(/UNHEALTHY: 1 of \d+ checks failed/);
    expect(ran.stdout).toContain('nothing opens: relay.chip is not set');
    expect(ran.status).toBe(71);
  });

  test('a model is imported by its content, verified, and listed as used', async () => {
    const other = join(folder, 'imported');
    const model = join(sharedModels ?? '', 'yunet_s_dynamic.onnx');
    const ran = await doorkeep(['models', 'import', '--json', model, '--data-dir', other]);
    expect(ran.json()).toMatchObject([{ name: 'yunet-s-dynamic', prepared: 'unchanged' }]);
    const used = ['--set', 'models.detection=yunet-s-dynamic', '--data-dir', other];
    const verified = await doorkeep(['models', 'verify', 'yunet-s-dynamic', '--json', ...used]);
    expect(verified.json()).toMatchObject([{ state: 'present', used: true, origin: 'data' }]);
    const strange = await doorkeep(['models', 'import', obama, '--data-dir', other]);
    expect(strange.stderr).toContain('MODEL_UNKNOWN');
    const none = await doorkeep(['models', 'pull', 'lightqnet-dm025', '--data-dir', other]);
    expect(none.status).toBe(0);
  });

  test('an evaluation by folders states its rates, and writes every score', async () => {
    const scores = join(folder, 'scores.csv');
    const [gallery, probes] = [join(folder, 'gallery'), join(folder, 'probes')];
    for (const [from, to] of [
      ['single/obama.jpg', join(gallery, 'a')],
      ['single/obama2.jpg', join(probes, 'a')],
      ['single/biden.jpg', join(probes, 'b')],
    ] as const) {
      mkdirSync(to, { recursive: true });
      copyFileSync(faces(from), join(to, 'picture.jpg'));
    }
    const sets = ['--gallery', gallery, '--probes', probes, '--scores', scores];
    const ran = await doorkeep(['evaluate', '--json', ...sets, ...at]);
    expect(ran.json()).toMatchObject([
      {
        residents: 1,
        comparators: [
          { name: 'cosine', accuracy: { matedProbes: 1, nonMatedProbes: 1 } },
          { name: 'template', accuracy: { rank1: { share: 1 } } },
        ],
      },
    ]);
    expect(readFileSync(scores, 'utf8').trim().split('\n')).toHaveLength(5);
    const few = await doorkeep(['evaluate', '--calibrate', ...sets.slice(0, 4), ...at]);
    expect(few.stderr).toContain(
      'INPUT_INVALID: a threshold needs at least 100 visits of strangers',
    );
    expect(few.status).toBe(65);
  });

  test('raw frames on standard input become one event per visitor', async () => {
    const { data, info } = await sharp(obama)
      .resize(640, 480, { fit: 'contain' })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([640, 480]);
    const raw = ['--stdin', '--format', 'rgb24', '--size', '640x480', '--log', 'error'];
    const ran = await doorkeep(['run', '--json', ...raw, ...at], Buffer.concat([data, data, data]));
    expect(ran.json()).toMatchObject([{ kind: 'match', residentId: 'R-1', sourceId: 'stdin' }]);
    expect(ran.status).toBe(0);
  });

  test('pictures can be played to the door as a camera would bring them', async () => {
    // Those that come while the models are being loaded are missed, as from a camera.
    const pictures = Array.from({ length: 8 }, () => obama);
    const files = ['--files', ...pictures, '--fps', '4', '--log', 'error'];
    const ran = await doorkeep(['run', '--json', ...files, ...at]);
    expect(ran.json()).toMatchObject([{ kind: 'match', residentId: 'R-1', sourceId: 'files' }]);
    const missing = await doorkeep(['run', '--files', join(folder, 'absent'), ...at]);
    expect(missing.stderr).toContain('SOURCE_LOST');
  });

  test.each(['yunet-n-320', 'yunet-s-640', 'yunet-s-dynamic'])(
    'the detector %s finds the face as well',
    async (name) => {
      const ran = await doorkeep([
        'identify',
        '--json',
        '--set',
        `models.detection=${name}`,
        ...at,
        obama,
      ]);
      expect(ran.json()).toMatchObject([{ faces: [{ kind: 'match', residentId: 'R-1' }] }]);
    },
  );

  test('raw frames of the wrong size end with SOURCE_LOST', async () => {
    const raw = ['--stdin', '--format', 'nv12', '--size', '640x480', '--log', 'error'];
    const ran = await doorkeep(['run', '--json', ...raw, ...at], new Uint8Array(500_000));
    expect(ran.stderr).toMatch(/SOURCE_LOST.*ended after 39200 bytes of a frame/);
    expect(ran.json().at(-1)).toMatchObject({ kind: 'source-lost' });
    expect(ran.status).toBe(40);
  });

  test('a model that was swapped is never loaded', async () => {
    const other = join(folder, 'swapped');
    mkdirSync(join(other, 'models'), { recursive: true });
    const file = 'face-reidentification-retail-0095.onnx';
    const wrong = readFileSync(join(sharedModels ?? '', 'mobilefacenet_ms1m_128d.onnx'));
    writeFileSync(join(other, 'models', file), wrong);
    const named = ['--set', 'models.embedding=face-reidentification-retail-0095'];
    const ran = await doorkeep(['identify', obama, '--data-dir', other, ...named]);
    expect(ran.stderr).toContain('MODEL_CORRUPT');
    expect(ran.status).toBe(31);
  });

  test('a key that others can read is not used', async () => {
    chmodSync(join(dataDir, 'keys', 'root.key'), 0o644);
    const ran = await doorkeep(['identify', obama, ...at]);
    chmodSync(join(dataDir, 'keys', 'root.key'), 0o600);
    expect(ran.stderr).toContain('KEY_INVALID');
    expect(ran.status).toBe(55);
  });

  test('S2-15 an erased resident is a stranger at once, and no byte of the templates is left', async () => {
    const db = new Database(join(dataDir, 'gallery', 'gallery.db'), { readonly: true });
    const rows = db.prepare<[], Buffer>('SELECT sealed FROM template').pluck().all();
    db.close();
    expect(rows).toHaveLength(2);
    const erased = await doorkeep(['subject', 'erase', 'R-1', '--json', ...at]);
    expect(erased.json()).toEqual([{ id: 'R-1', erased: true, overwritten: true }]);
    const ran = await doorkeep(['identify', '--json', ...at, obama]);
    expect(ran.json()).toMatchObject([{ faces: [{ kind: 'no-match' }] }]);
    const file = readFileSync(join(dataDir, 'gallery', 'gallery.db'));
    for (const sealed of rows) expect(file.includes(sealed.subarray(12, 44))).toBe(false);
  });

  test('the demo names nobody wrongly and says what it did', async () => {
    const ran = await doorkeep(['demo', '--json']);
    const summary = ran.json().at(-1);
    expect(summary).toMatchObject({ kind: 'summary', visits: 20, frames: 280, wrong: 0 });
    expect(ran.status).toBe(0);
  });
});
