import type { Command } from 'commander';
import { decisionOf, openVision } from '../agent.ts';
import { AgentError } from '../errors.ts';
import { cosineComparator } from '../gallery/comparator.ts';
import { templateComparator } from '../gallery/template-comparator.ts';
import { type EvaluationSet, runEvaluation } from '../io/measuring/evaluation-run.ts';
import {
  readIdentificationFolders,
  readIdentificationList,
} from '../io/measuring/identification-files.ts';
import { readPairs } from '../io/measuring/pairs-file.ts';
import { writeScoreFile } from '../io/measuring/score-file.ts';
import { acquireWith, scratchProtector } from '../operations.ts';
import { reportCalibration } from './calibration.ts';
import { action, command } from './command.ts';
import {
  checkProtectionOptions,
  type ProtectionOptions,
  reportProtection,
  withProtectionOptions,
} from './protection.ts';

type Options = ProtectionOptions & {
  readonly pairs?: string;
  readonly gallery?: string;
  readonly probes?: string;
  readonly ident?: string;
  readonly images?: string;
  readonly scores?: string;
  readonly quality: boolean;
  readonly face: string;
  readonly calibrate?: true;
};

export function evaluateCommand(): Command {
  const target = command(
    'evaluate',
    'how accurate is this device on labelled pictures? Nobody is enrolled by it',
    'evaluate --pairs pairs.csv --scores scores.csv',
  )
    .option('--pairs <csv>', 'image A, image B, same (0 or 1), and perhaps a fold')
    .option('--gallery <dir>', 'who is enrolled: DIR/<identity>/<picture>; goes with --probes')
    .option(
      '--probes <dir>',
      'who comes to the door, likewise; identities not in the gallery are strangers',
    )
    .option('--ident <csv>', 'role (gallery, mated, nonmated), identity, file; goes with --images')
    .option('--images <dir>', 'where the files of --ident are')
    .option('--scores <csv>', 'write every single score')
    .option('--calibrate', 'find instead the threshold for the door, under --keys device keys')
    .option('--no-quality', 'compare poor pictures too, as published figures do')
    .option(
      '--face <which>',
      'of several: central (as published figures do) or nearest',
      'nearest',
    );
  return action<Options>(withProtectionOptions(target), async (context, _args, options) => {
    checkProtectionOptions(options);
    const set = await readSet(options);
    const vision = await openVision(context);
    const protector = scratchProtector(vision);
    const comparators = [cosineComparator, templateComparator(protector, vision.kernels)];
    const progress = context.terminal.progress('pictures');
    try {
      const acquire = acquireWith(vision, options);
      if (options.protection) {
        return await reportProtection(context.terminal, set, acquire, vision, options);
      }
      if (options.calibrate) {
        return await reportCalibration(context, set, acquire, vision, Number(options.keys));
      }
      const door = decisionOf(context.config, vision.entry);
      const found = await runEvaluation(set, acquire, comparators, door, progress.update);
      progress.end();
      context.terminal.result(found.summary, found.text);
      if (options.scores)
        await writeScoreFile(options.scores, found.scores.header, found.scores.rows);
    } finally {
      progress.end();
      protector.wipe();
      await vision.close();
    }
  });
}

async function readSet({ pairs, gallery, probes, ident, images }: Options): Promise<EvaluationSet> {
  if (pairs !== undefined) return { pairs: await readPairs(pairs) };
  if (gallery !== undefined && probes !== undefined)
    return readIdentificationFolders(gallery, probes);
  if (ident !== undefined && images !== undefined) return readIdentificationList(ident, images);
  throw new AgentError('USAGE', 'give --pairs, or --gallery and --probes, or --ident and --images');
}
