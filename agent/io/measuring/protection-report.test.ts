import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createDraws } from '../../protection/draws.ts';
import { facesOfIdentities } from '../../protection/labelled-faces.ts';
import { evaluateProtection } from '../../protection/protection-evaluation.ts';
import { productTelemetry, productTemplates } from '../../protection/scheme.ts';
import { clusteredFaces, clusteredModel } from '../../test/fakes/clustered-faces.ts';
import { loadKernels } from '../process/native.ts';
import { seededChance } from '../process/seeded-chance.ts';
import { protectionCharts, writeProtectionCharts } from './protection-charts.ts';
import { protectionSummary, protectionText } from './protection-report.ts';

const folder = mkdtempSync(join(tmpdir(), 'doorkeep-charts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('of one evaluation', () => {
  const found = evaluate();

  test('the text has every figure, every limit and every verdict once', () => {
    const text = protectionText(found);
    expect(text).toContain('UFC-1, 4,096 bits, 2 keys; 240 pictures of 120 persons');
    expect(text).toMatch(/FNMR at FMR 0.01 % +needs 10,000 pairs of two/);
    for (const { has } of found.attacks) expect(text).toContain(has);
    for (const { id, what, verdict } of found.verdicts) {
      expect(text.split('\n').filter((line) => line.startsWith(`${id}  ${what} `))).toEqual([
        expect.stringContaining(verdict),
      ]);
    }
    expect(text).not.toMatch(/NaN|undefined|Infinity|[ \t]$/m);
  });

  test('the JSON has all figures and none of the single scores', () => {
    const text = JSON.stringify(protectionSummary(found));
    expect(JSON.parse(text)).toMatchObject({
      accuracy: { plain: { folds: { kind: 'measured' } }, keys: [{}, {}] },
      separation: { keyPairs: 1 },
      telemetry: [{ bits: 24, longestRun: { codes: 128, of: 384 } }],
      verdicts: found.verdicts,
    });
    expect(text.length).toBeLessThan(30_000);
    expect(text).not.toContain('"scores"');
    expect(text).not.toContain('"distances"');
  });

  test('each chart is written, under 40 kB, and shows all that it names', async () => {
    const files = await writeProtectionCharts(join(folder, 'new'), found);
    expect(readdirSync(join(folder, 'new')).toSorted()).toEqual([
      'protection-det.svg',
      'protection-known-pairs.svg',
      'protection-scores.svg',
      'protection-telemetry-24.svg',
      'protection-two-keys.svg',
    ]);
    for (const file of files) {
      const svg = readFileSync(file, 'utf8');
      expect(svg.length).toBeLessThan(40_000);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    }
    for (const { series } of Object.values(protectionCharts(found))) {
      for (const { points } of series) expect(points.length).toBeGreaterThan(1);
    }
  });

  test('error rates go from the strictest threshold to the one that lets everybody in', () => {
    const [key] = protectionCharts(found)['det']?.series ?? [];
    const points = key?.points ?? [];
    expect(points.at(-1)?.[0]).toBe(1);
    for (const [i, [fmr, fnmr]] of points.entries()) {
      expect(fmr).toBeGreaterThan(points[i - 1]?.[0] ?? 0);
      expect(fnmr).toBeLessThanOrEqual(points[i - 1]?.[1] ?? 1);
    }
  });
});

function evaluate() {
  const random = seededChance('report');
  const draws = createDraws(random);
  const { kernels } = loadKernels();
  const shape = { persons: 120, pictures: 2, dimensions: 64, cosine: 0.7 };
  const { labels, acquired } = clusteredFaces(shape, draws);
  return evaluateProtection({
    faces: facesOfIdentities(labels, [], acquired, draws, 2000),
    acquired,
    templates: productTemplates({ sha256: clusteredModel, dimensions: 64 }, 1, kernels),
    telemetry: [productTelemetry(24, 64, kernels, random)],
    kernels,
    clock: { monotonicMs: () => 0 },
    draws,
    sizes: {
      keys: 2,
      targets: 20,
      examples: 40,
      aligned: 20,
      constrained: 1,
      knownPairs: [1, 50],
      epochs: 5,
    },
  });
}
