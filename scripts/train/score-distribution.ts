import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { histogram, svgChart } from '../../agent/io/measuring/svg-chart.ts';

const usage = `node scripts/train/score-distribution.ts --scores FILE --svg FILE
Draws what 'recogniser.py measure --scores FILE' wrote: how alike the recogniser, and its teacher, find
pictures of one person and of two.`;

const { values: options } = parseArgs({
  options: { scores: { type: 'string' }, svg: { type: 'string' } },
});
const { scores: file, svg } = options;
if (!file || !svg) {
  process.stderr.write(`${usage}\n`);
  process.exit(64);
}

const [header, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
if (header !== 'student,teacher,same') throw new Error(`${file}: not scores of recogniser.py`);
const rows = lines.map((line) => {
  const [student = Number.NaN, teacher = Number.NaN, same] = line.split(',').map(Number);
  if (!(Number.isFinite(student) && Number.isFinite(teacher))) throw new Error(`${file}: ${line}`);
  return { student, teacher, isSame: same === 1 };
});

const bins = { min: -0.5, max: 1, bins: 60 };
const persons = [
  { isSame: true, who: 'one person', colour: 'blue' },
  { isSame: false, who: 'two persons', colour: 'orange' },
] as const;
const models = [
  { model: 'student', name: 'recogniser', dashed: false, filled: true },
  { model: 'teacher', name: 'teacher', dashed: true, filled: false },
] as const;
const series = models.flatMap(({ model, name, dashed, filled }) =>
  persons.map(({ isSame, who, colour }) => {
    const values = rows.filter((row) => row.isSame === isSame).map((row) => row[model]);
    const label = `${name},\n${who}`;
    return {
      label,
      colour,
      kind: 'steps' as const,
      dashed,
      filled,
      points: histogram(values, bins),
    };
  }),
);
const highest = Math.max(...series.flatMap(({ points }) => points.map(([, share]) => share)));
const chart = svgChart({
  title: 'Recogniser: comparison scores',
  subtitle: `${rows.length} LFW pairs, never trained on; cosine, one crop per picture`,
  x: { label: 'comparison score (cosine)', scale: 'linear', min: bins.min, max: bins.max },
  y: {
    label: 'share of pairs',
    scale: 'linear',
    min: 0,
    max: Math.ceil(highest * 20) / 20,
    format: (share) => `${Math.round(share * 100)} %`,
  },
  series,
});
writeFileSync(svg, chart);
