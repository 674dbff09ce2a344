/** What a line or an area shows: points in the units of the axes. */
export type Series = {
  /** In the legend; undefined: drawn like the series before it, and not named again. */
  readonly label: string | undefined;
  readonly colour: ChartColour;
  /** 'steps': a histogram, each point the left edge of a bar and its height. */
  readonly kind: 'line' | 'steps' | 'points';
  readonly dashed?: boolean;
  /** Of the area under the steps. */
  readonly filled?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
};

/** What is outside of min…max is cut off. A logarithmic axis begins above 0. */
export type Axis = {
  /** With the unit. */
  readonly label: string;
  readonly scale: 'linear' | 'log';
  readonly min: number;
  readonly max: number;
  /** How numbers beside the axis are written. */
  readonly format?: (value: number) => string;
};

export type Chart = {
  readonly title: string;
  /** What was measured, and on how much. */
  readonly subtitle: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
};

/** Told apart by people with any colour vision (Okabe and Ito, 2008). */
const colours = {
  blue: '#0072b2',
  orange: '#d55e00',
  green: '#009e73',
  purple: '#aa4499',
  grey: '#666666',
} as const;
export type ChartColour = keyof typeof colours;

const size = { width: 760, height: 420 };
/** The plot itself; the legend stands to its right. */
const plot = { left: 74, top: 62, right: 556, bottom: 362 };

/** A chart as one SVG text that needs nothing else: no script, no style sheet, no font of its own. */
export function svgChart(chart: Chart): string {
  const toX = scaleOf(chart.x, plot.left, plot.right);
  const toY = scaleOf(chart.y, plot.bottom, plot.top);
  const { width, height } = size;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222222">`,
    `<title>${escaped(chart.title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(plot.left, 26, chart.title, 'font-size="16" font-weight="bold"'),
    text(plot.left, 46, chart.subtitle, 'fill="#555555"'),
    `<clipPath id="plot"><rect x="${plot.left}" y="${plot.top}" width="${plot.right - plot.left}" height="${plot.bottom - plot.top}"/></clipPath>`,
    ...xAxis(chart.x, toX),
    ...yAxis(chart.y, toY),
    '<g clip-path="url(#plot)">',
    ...chart.series.map((series) => drawn(series, toX, toY)),
    '</g>',
    `<path d="M${plot.left} ${plot.top}V${plot.bottom}H${plot.right}" fill="none" stroke="#444444"/>`,
    ...legend(chart.series),
    '</svg>',
  ].join('\n')}\n`;
}

/** Shares of the values in equal bins, as a histogram's steps: the heights add up to 1. */
export function histogram(
  values: ArrayLike<number>,
  { min, max, bins }: { readonly min: number; readonly max: number; readonly bins: number },
): [x: number, y: number][] {
  const width = (max - min) / bins;
  const shares = new Float64Array(bins);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor(((values[i] ?? Number.NaN) - min) / width);
    if (bin >= 0 && bin < bins) shares[bin] = (shares[bin] ?? 0) + 1 / values.length;
  }
  const steps = Array.from(shares, (share, bin): [number, number] => [min + bin * width, share]);
  return [...steps, [max, 0]];
}

type Scale = (value: number) => number;

function scaleOf({ scale, min, max }: Axis, from: number, to: number): Scale {
  if (!(max > min) || (scale === 'log' && !(min > 0))) {
    throw new TypeError(`an axis cannot go from ${min} to ${max}`);
  }
  const of = scale === 'log' ? Math.log : (value: number) => value;
  return (value) => {
    const share =
      (of(Math.max(value, scale === 'log' ? min / 1e3 : value)) - of(min)) / (of(max) - of(min));
    return round(from + share * (to - from));
  };
}

/** Where lines stand and numbers are written. */
function ticksOf({ scale, min, max }: Axis): number[] {
  if (scale === 'log') {
    const first = Math.ceil(Math.log10(min) - 1e-9);
    const last = Math.floor(Math.log10(max) + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  }
  const rough = (max - min) / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10);
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

function xAxis(axis: Axis, toX: Scale): string[] {
  const { format = String } = axis;
  const lines = ticksOf(axis).flatMap((tick) => [
    `<path d="M${toX(tick)} ${plot.top}V${plot.bottom + 5}" stroke="#dddddd"/>`,
    text(toX(tick), plot.bottom + 19, format(tick), 'text-anchor="middle"'),
  ]);
  const middle = (plot.left + plot.right) / 2;
  return [...lines, text(middle, plot.bottom + 42, axis.label, 'text-anchor="middle"')];
}

function yAxis(axis: Axis, toY: Scale): string[] {
  const { format = String } = axis;
  const lines = ticksOf(axis).flatMap((tick) => [
    `<path d="M${plot.left - 5} ${toY(tick)}H${plot.right}" stroke="#dddddd"/>`,
    text(plot.left - 9, toY(tick) + 4, format(tick), 'text-anchor="end"'),
  ]);
  const middle = (plot.top + plot.bottom) / 2;
  const turned = `text-anchor="middle" transform="rotate(-90 18 ${middle})"`;
  return [...lines, text(18, middle, axis.label, turned)];
}

function drawn(series: Series, toX: Scale, toY: Scale): string {
  const colour = colours[series.colour];
  const at = series.points.map(([x, y]) => [toX(x), toY(y)] as const);
  const [first] = at;
  if (!first) return '';
  const dash = series.dashed ? ' stroke-dasharray="6 4"' : '';
  if (series.kind === 'steps') {
    const path = `M${first[0]} ${toY(0)}${at.map(([x, y]) => `H${x}V${y}`).join('')}`;
    const fill = series.filled ? `fill="${colour}" fill-opacity="0.22"` : 'fill="none"';
    return `<path d="${path}" ${fill} stroke="${colour}" stroke-width="1.6"${dash}/>`;
  }
  const path = `M${at.map(([x, y]) => `${x} ${y}`).join('L')}`;
  const line = `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8"${dash}/>`;
  if (series.kind === 'line') return line;
  const marks = at.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3.5"/>`).join('');
  return `${line}<g fill="${colour}">${marks}</g>`;
}

function legend(series: readonly Series[]): string[] {
  const x = plot.right + 20;
  let y = plot.top + 10;
  return series.flatMap(({ label, colour, dashed, kind, filled }) => {
    if (label === undefined) return [];
    const stroke = `stroke="${colours[colour]}" stroke-width="2"`;
    const dash = dashed ? ' stroke-dasharray="6 4"' : '';
    const key =
      kind === 'steps' && filled
        ? `<rect x="${x}" y="${y - 9}" width="22" height="11" fill="${colours[colour]}" fill-opacity="0.22" ${stroke}/>`
        : `<path d="M${x} ${y - 4}h22" ${stroke}${dash}/>`;
    const lines = label.split('\n');
    const words = lines.map((line, i) => text(x + 30, y + 15 * i, line, ''));
    y += 15 * lines.length + 8;
    return [key, ...words];
  });
}

function text(x: number, y: number, content: string, attributes: string): string {
  const more = attributes === '' ? '' : ` ${attributes}`;
  return `<text x="${x}" y="${y}"${more}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return content.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
