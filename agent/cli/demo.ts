import type { Command } from 'commander';
import { type DemoSummary, runDemo } from '../demo.ts';
import { withTemporaryFolder } from '../io/files/temporary-folder.ts';
import { decisionText } from '../io/recognition/event-text.ts';
import type { RecognitionEvent } from '../recognition/event.ts';
import { action, command } from './command.ts';

const columns = ['detect', 'quality', 'align', 'embed', 'template', 'search', 'total'] as const;

export function demoCommand(): Command {
  const target = command(
    'demo',
    'residents are enrolled, visitors come to the door: the whole way, on pictures that are here',
    'demo',
  );
  return action(target, async ({ terminal, config }) => {
    const { say, paint } = terminal;
    // Visits follow each other faster than at a real door.
    const quick = { ...config, 'track.gapMs': 250 };
    const head = columns.map((name) => name.padStart(10)).join('');
    let enrolments = 0;
    let decisions = 0;
    const summary = await withTemporaryFolder('doorkeep-demo-', (dataDir) =>
      runDemo(
        { dataDir, config: quick },
        {
          onEnrolled: ({ id, templates, refused }) => {
            if (enrolments++ === 0) say(paint('bold', 'enrolment'));
            const note = refused.length === 0 ? '' : `, refused: ${refused.join(', ')}`;
            terminal.result(
              { kind: 'enrolled', id, templates, refused },
              `  ${id}  ${templates} ${templates === 1 ? 'template' : 'templates'}${note}`,
            );
          },
          onDecision: (visit, event) => {
            if (decisions++ === 0)
              say(`\n${paint('bold', `${'visitor'.padEnd(12)}${head}  ms  decision`)}`);
            const { visitor, expected } = visit;
            const right = (event.kind === 'match' ? event.residentId : null) === expected;
            const colour = right ? 'green' : event.kind === 'match' ? 'red' : 'yellow';
            terminal.result(
              { visitor, expected, ...event },
              `${visitor.padEnd(12)}${timesText(event)}      ${paint(colour, decisionText(event))}`,
            );
          },
        },
      ),
    );
    terminal.result({ kind: 'summary', ...summary }, `\n${summaryText(summary)}`);
  });
}

function timesText({ timesMs }: RecognitionEvent): string {
  return columns.map((name) => (timesMs[name]?.toFixed(2) ?? '–').padStart(10)).join('');
}

function summaryText(summary: DemoSummary): string {
  const { residents, visits, frames, matches, noMatches, others, wrong } = summary;
  return [
    `${residents} residents, ${visits} visits, ${frames} frames`,
    `${matches} matches, ${noMatches} no-matches, ${others} others, ${wrong} wrong`,
    `frame to decision: p50 ${summary.p50Ms.toFixed(1)} ms, p95 ${summary.p95Ms.toFixed(1)} ms`,
    `peak memory: ${Math.round(summary.peakMemoryBytes / 1e6)} MB`,
  ].join('\n');
}
