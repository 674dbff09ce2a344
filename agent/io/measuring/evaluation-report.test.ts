import { expect, test } from 'vitest';
import type { FusionStudy } from '../../gallery/fusion-study.ts';
import { identificationAccuracy, type ProbeResult } from '../../gallery/identification-accuracy.ts';
import { verificationAccuracy } from '../../gallery/verification-accuracy.ts';
import {
  fusionText,
  identificationSummary,
  identificationText,
  verificationSummary,
  verificationText,
} from './evaluation-report.ts';
import { textTable } from './text-table.ts';

const acquisition = { pictures: 1200, notAcquired: 3, reasons: { BLUR: 1, 'no-face': 2 } };

function verification() {
  const scores = Float64Array.from({ length: 400 }, (_, i) => (i < 200 ? 0.6 : 0.1) + i / 1e4);
  scores[0] = Number.NaN;
  scores[1] = 0.05;
  const accuracy = verificationAccuracy(
    {
      scores,
      same: Uint8Array.from(scores, (_, i) => (i < 200 ? 1 : 0)),
      folds: Int32Array.from(scores, (_, i) => i % 2),
    },
    [0.01, 0.001],
  );
  return { acquisition, comparators: [{ name: 'cosine', accuracy, scores }] };
}

function identification() {
  const searched = (mated: string | null, score: number): ProbeResult => ({
    mated,
    enrolled: true,
    outcome: { kind: 'searched', best: { residentId: 'ann', score }, runnerUpScore: null },
  });
  const results = [
    ...Array.from({ length: 100 }, (_, i) => searched(null, i / 300)),
    searched('ann', 0.9),
    searched('ann', 0.2),
    searched('bob', 0.7),
  ];
  const accuracy = identificationAccuracy(results, { thresholds: [0.5], margin: 0.02 });
  const comparators = [{ name: 'template', accuracy, results }];
  return { acquisition, residents: 2, templates: 4, notEnrolled: 0, comparators };
}

test('columns stand under each other, and no line ends in blanks', () => {
  const rows = [
    ['', 'a', 'bcd'],
    ['long', '1', '2'],
    ['x', '333'],
    ['y', ''],
  ];
  expect(textTable(rows)).toBe('        a  bcd\nlong    1    2\nx     333\ny');
});

test('the report on pairs says what was counted, with its interval, and what cannot be said', () => {
  const text = verificationText(verification());
  expect(text).toMatchInlineSnapshot(`
    "200 pairs of one person, 200 of two persons
    1,200 pictures, 3 without a template (BLUR 1, no-face 2)
    not compared: 1 pairs of one person, 0 of two

                                                      cosine
    accuracy, 2 folds                         99.75 % ± 0.35
      with failures to acquire                99.50 % ± 0.00
      mean threshold                                  0.3701
    equal error rate                                  0.50 %
    FNMR at FMR 1 %                      0.50 % [0.09, 2.79]
      FRR with failures to acquire       1.00 % [0.27, 3.57]
      FMR reached                        1.00 % [0.27, 3.57]
      threshold                                       0.1398
    FNMR at FMR 0.1 %               needs 1,000 pairs of two
      FRR with failures to acquire
      FMR reached
      threshold

    accepted: score >= threshold; [95 % interval, Wilson]; FNMR of compared pairs, FRR of all"
  `);
});

test('the report on the door has a row for each threshold', () => {
  expect(identificationText(identification())).toMatchInlineSnapshot(`
    "2 residents with 4 templates; not enrolled: 0
    1,200 pictures, 3 without a template (BLUR 1, no-face 2)
    3 visits of residents (0 without a template), 100 of strangers (0)

    template                 threshold                 FPIR                    FNIR           FNIR with FTA  taken for another  too close
    FPIR <= 1 %                 0.3300  1.00 % [0.18, 5.45]  66.67 % [20.77, 93.85]  66.67 % [20.77, 93.85]                  1          0
    FPIR <= 0.3 %  needs 334 strangers
                                0.5000  0.00 % [0.00, 3.70]  66.67 % [20.77, 93.85]  66.67 % [20.77, 93.85]                  1          0
    margin 0.02; rank-1 66.67 % [20.77, 93.85]

    FPIR: strangers let in; FNIR: residents not recognised; [95 % interval, Wilson]"
  `);
});

test('a threshold copied from the report is never more lenient than the one that was measured', () => {
  const scores = Float64Array.of(0.70001, 0.12341, 0.1);
  const accuracy = verificationAccuracy(
    { scores, same: Uint8Array.of(1, 0, 0), folds: undefined },
    [0.5],
  );
  expect(accuracy.operatingPoints[0]).toMatchObject({ threshold: 0.12341 });
  const text = verificationText({
    acquisition,
    comparators: [{ name: 'cosine', accuracy, scores }],
  });
  expect(text).toMatch(/threshold +0\.1235$/m);
});

test('the study has a row for each number of templates and frames, one comparator after the other', () => {
  const { accuracy } = identification().comparators[0] ?? expect.fail('there is one');
  const configuration = (templatesPerResident: number) => ({
    templatesPerResident,
    framesPerDecision: 1,
    comparators: [
      { name: 'template', accuracy },
      { name: 'cosine', accuracy },
    ],
  });
  const study: FusionStudy = {
    residents: 2,
    strangers: 100,
    configurations: [configuration(1), configuration(2)],
  };
  expect(fusionText(study)).toMatchInlineSnapshot(`
    "2 residents, 100 strangers: the same, with the same pictures, in every row

    comparator  templates  frames  decisions   rank-1  threshold        FNIR at FPIR 1 %  threshold   FNIR at FPIR 0.3 %
    cosine              1       1    3 / 100  66.67 %     0.3300  66.67 % [20.77, 93.85]             needs 334 strangers
    cosine              2       1    3 / 100  66.67 %     0.3300  66.67 % [20.77, 93.85]             needs 334 strangers
    template            1       1    3 / 100  66.67 %     0.3300  66.67 % [20.77, 93.85]             needs 334 strangers
    template            2       1    3 / 100  66.67 %     0.3300  66.67 % [20.77, 93.85]             needs 334 strangers"
  `);
});

test('what goes out as JSON has every figure, no single score, and no number that JSON does not know', () => {
  const summaries = [verificationSummary(verification()), identificationSummary(identification())];
  for (const summary of summaries) {
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  }
  const text = JSON.stringify(summaries);
  expect(text).toContain('"fnirWithFta"');
  expect(text).not.toContain('"scores"');
  expect(text).not.toContain('"results"');
});
