import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { svgChart } from '../../agent/io/measuring/svg-chart.ts';
import { isRecord } from '../../agent/shape.ts';

const usage = `node scripts/train/learning-curve.ts --log FILE... --svg FILE
Draws what 'recogniser.py train' wrote to log.jsonl: pictures seen against accuracy on pairs of unseen people.`;

const { values: options } = parseArgs({
  options: { log: { type: 'string', multiple: true }, svg: { type: 'string' } },
});
const { log: files = [], svg } = options;
if (files.length === 0 || !svg) {
  process.stderr.write(`${usage}\n`);
  process.exit(64);
}

const exams = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').flatMap(examOf));
const last = exams.at(-1);
if (!last) throw new Error(`${files.join(', ')}: no figures yet`);

const chart = svgChart({
  title: 'Recogniser: what more pictures bring',
  subtitle: `600 LFW pairs, never trained on; ${last.seen} pictures, ${Math.round(last.minutes)} minutes`,
  x: {
    label: 'pictures seen (thousands)',
    scale: 'linear',
    min: 0,
    max: Math.ceil(last.seen / 10_000) * 10,
  },
  y: { label: 'accuracy (%)', scale: 'linear', min: 50, max: 100 },
  series: [
    {
      label: `recogniser: ${last.student} %`,
      colour: 'blue',
      kind: 'points',
      points: exams.map(({ seen, student }) => [seen / 1000, student] as const),
    },
    {
      label: `teacher: ${last.teacher} %`,
      colour: 'grey',
      kind: 'line',
      dashed: true,
      points: [
        [0, last.teacher],
        [last.seen / 1000, last.teacher],
      ],
    },
  ],
});
writeFileSync(svg, chart);

/** A line of the log, if it holds an examination. */
function examOf(line: string) {
  const entry: unknown = line === '' ? undefined : JSON.parse(line);
  if (!isRecord(entry) || !isRecord(entry['lfw'])) return [];
  const { seen, minutes } = entry;
  const { student, teacher } = entry['lfw'];
  if (!isRecord(student) || !isRecord(teacher)) return [];
  const numbers = [seen, minutes, student['accuracy'], teacher['accuracy']].map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = numbers;
  if (!numbers.every(Number.isFinite)) throw new Error(`not a log of recogniser.py: ${line}`);
  return [{ seen: a, minutes: b, student: c, teacher: d }];
}
