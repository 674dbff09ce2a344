import { expect, test } from 'vitest';
import { type Chart, histogram, svgChart } from './svg-chart.ts';

const chart: Chart = {
  title: 'A & B <i>',
  subtitle: 'what was "measured"',
  x: { label: 'distance, bits', scale: 'linear', min: 0, max: 10 },
  y: { label: 'share', scale: 'log', min: 0.01, max: 1 },
  series: [
    { label: 'one\nperson', colour: 'blue', kind: 'line', points: [[0, 0.01], [10, 1]] }, // biome-ignore format: one series
    { label: undefined, colour: 'blue', kind: 'line', points: [[0, 1], [10, 0.01]] }, // biome-ignore format: one series
    { label: 'two', colour: 'orange', kind: 'points', dashed: true, points: [[5, 0.1]] }, // biome-ignore format: one series
  ],
};

test('points stand where the axes say, from edge to edge', () => {
  const svg = svgChart(chart);
  expect(svg).toContain('d="M74 362L556 62"');
  expect(svg).toContain('d="M74 62L556 362"');
  expect(svg).toContain('<circle cx="315" cy="212" r="3.5"/>');
});

test('axes are labelled with round numbers, and the legend names each kind once', () => {
  const texts = [...svgChart(chart).matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
  expect(texts).toEqual([
    ...['A &amp; B &lt;i&gt;', 'what was &quot;measured&quot;'],
    ...['0', '2', '4', '6', '8', '10', 'distance, bits'],
    ...['0.01', '0.1', '1', 'share'],
    ...['one', 'person', 'two'],
  ]);
});

test('a chart needs nothing from anywhere, and closes what it opens', () => {
  const svg = svgChart(chart);
  expect(svg).not.toMatch(/href|url\((?!#)|<script|<style|@import/);
  const opened = [...svg.matchAll(/<([a-zA-Z]+)(?:[^>]*[^/])?>/g)].map(([, name]) => name);
  const closed = [...svg.matchAll(/<\/([a-zA-Z]+)>/g)].map(([, name]) => name);
  expect(opened.toSorted()).toEqual(closed.toSorted());
});

test('a histogram gives shares that add up to one, and leaves out what is beyond its ends', () => {
  const steps = histogram([0, 0.1, 0.5, 0.99], { min: 0, max: 1, bins: 2 });
  expect(steps).toEqual([[0, 0.5], [0.5, 0.5], [1, 0]]); // biome-ignore format: one histogram
  expect(histogram([-1, 0.2, 1, 2], { min: 0, max: 1, bins: 2 })).toEqual([[0, 0.25], [0.5, 0], [1, 0]]); // biome-ignore format: one histogram
});

test('an axis without length, or a logarithm of nothing, is a mistake', () => {
  const wrong = (x: Partial<Chart['x']>) => () => svgChart({ ...chart, x: { ...chart.x, ...x } });
  expect(wrong({ max: 0 })).toThrow(TypeError);
  expect(wrong({ scale: 'log' })).toThrow(TypeError);
});
