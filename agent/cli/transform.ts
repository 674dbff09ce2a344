import { Command } from 'commander';
import { AgentError } from '../errors.ts';
import { serveTransform } from '../io/files/transform-lines.ts';

/** Without the options that other commands have: it reads no settings, no data directory and no key of the device. */
export function transformCommand(): Command {
  const summary =
    'codes of given keys and embeddings, as JSON lines: for an evaluation from outside';
  return new Command('transform')
    .summary(summary)
    .description(
      `${summary}.\nIt hands out what the agent never does. No key or template of this device is touched.`,
    )
    .option('--unsafe-evaluation', 'yes, this is an evaluation')
    .addHelpText(
      'after',
      `
Lines in, on standard input; keys are 64 hexadecimal digits, an embedding has 16 to 1024 numbers:
  {"purpose": "match", "key": KEY, "bits": 4096, "embedding": [...]}
  {"purpose": "match", "root": KEY, "model": SHA256, "version": 1, "embedding": [...]}
  {"purpose": "ueip", "key": KEY, "bits": 24, "embedding": [...]}
  {"purpose": "ueip", "root": KEY, "date": "2027-03-01", "epoch": LABEL, "bits": 24, "embedding": [...]}
Lines out: {"line": 1, "purpose": "match", "bits": 4096, "code": HEX}, or {"line": 1, "error": {...}}

Example:
  $ doorkeep transform --unsafe-evaluation < requests.jsonl > codes.jsonl`,
    )
    .action(async ({ unsafeEvaluation }: { readonly unsafeEvaluation?: true }) => {
      if (unsafeEvaluation) return await serveTransform();
      throw new AgentError(
        'USAGE',
        'transform makes codes with any key, for evaluations only: say --unsafe-evaluation',
      );
    });
}
