import { Command, Option } from 'commander';
import type { Config } from '../config.ts';
import { AgentError } from '../errors.ts';
import { systemClock } from '../io/process/clock.ts';
import { hasRecords } from '../io/process/environment.ts';
import { checkCloud } from '../programme/cloud-check.ts';
import { type OpenLocal, withProgramme } from '../programme-access.ts';
import {
  type Dialect,
  dialects,
  encryptionDocument,
  lifecycleDocument,
  policyDocument,
} from '../upload/bucket-documents.ts';
import { cloudText } from './cloud-text.ts';
import { action, type Context, command } from './command.ts';

export function cloudCommand(openLocal: OpenLocal): Command {
  return new Command('cloud')
    .description('where records go: whether it is as it should be, and what makes a bucket so')
    .addCommand(check(openLocal))
    .addCommand(
      document('lifecycle', 'the rules that delete in time, for the bucket', (dialect) =>
        lifecycleDocument(dialect),
      ),
    )
    .addCommand(
      document('encryption', 'the default encryption, for the bucket', (dialect, config) =>
        encryptionDocument(dialect, config['cloud.kmsKeyId']),
      ),
    )
    .addCommand(
      document('policy', 'the policy: only over TLS, only encrypted', (dialect, config) =>
        policyDocument(dialect, bucketOf(config), config['cloud.kmsKeyId']),
      ),
    );
}

function check(openLocal: OpenLocal): Command {
  const target = command(
    'check',
    'ask once what is asked before every upload; sends no record',
    'cloud check',
  );
  return action(target, async ({ terminal, ...place }) => {
    const report = await checkCloud(place, systemClock.wallMs);
    // Only where something lies that could be sent is there anything to hold back.
    const mayBeHeld = report.state === 'ready' && hasRecords(place.dataDir);
    const isTrustedAgain =
      mayBeHeld &&
      (await withProgramme(place, openLocal, (programme) => programme.trustStore())).kind ===
        'trusted-again';
    terminal.result({ ...report, isTrustedAgain }, cloudText(report, isTrustedAgain));
    if (report.state === 'refused') {
      throw new AgentError('CLOUD_REFUSED', `nothing would be sent: ${report.why}`);
    }
  });
}

function document(
  name: string,
  summary: string,
  write: (dialect: Dialect, config: Config) => string,
): Command {
  const dialect = new Option('--dialect <name>', 'oss or s3; else as the settings say');
  const target = command(name, summary, `cloud ${name} --dialect oss`).addOption(
    dialect.choices(dialects),
  );
  type Options = { readonly dialect?: Dialect };
  return action<Options>(target, async ({ terminal, config }: Context, _args, options) => {
    const text = write(options.dialect ?? config['cloud.dialect'], config);
    terminal.result({ document: text }, text.trimEnd());
  });
}

function bucketOf(config: Config): string {
  const bucket = config['cloud.bucket'];
  if (bucket !== null) return bucket;
  throw new AgentError('CONFIG_INVALID', 'cloud.bucket is not set: a policy names its bucket');
}
