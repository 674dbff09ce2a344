import { Command } from 'commander';
import { modelFilesOf, modelNamesOf, modelsInUse } from '../agent.ts';
import { AgentError } from '../errors.ts';
import { textTable } from '../io/measuring/text-table.ts';
import { settingsFor, useOf } from '../io/models/model-choice.ts';
import type { ModelStatus } from '../io/models/model-files.ts';
import type { ModelFile } from '../io/models/model-search.ts';
import { action, type Context, command } from './command.ts';

export function modelsCommand(): Command {
  return new Command('models')
    .description('the models: which there are, which are used, and how they come here')
    .addCommand(list())
    .addCommand(verify())
    .addCommand(importFile())
    .addCommand(pull());
}

function list(): Command {
  const target = command('list', 'every model of the manifest', 'models list');
  return action(target, async (context) => show(context, await modelFilesOf(context).list()));
}

function verify(): Command {
  const target = command(
    'verify [name]',
    'load a model, or all that are here, and compare it with its manifest entry',
    'models verify',
  ).argument('[name]');
  return action(target, async (context, [name]) => {
    const found = await modelFilesOf(context).verify(name);
    show(context, found);
    const bad = found.find(({ state }) => state !== 'present');
    if (bad) {
      const code = bad.state === 'missing' ? 'MODEL_MISSING' : 'MODEL_CORRUPT';
      throw new AgentError(code, bad.reason);
    }
  });
}

function importFile(): Command {
  const target = command(
    'import <file>',
    'take a model file that was brought along; it is recognised by its SHA-256',
    'models import face_detection.onnx',
  ).argument('<file>');
  return action(target, async (context, [file = '']) => {
    imported(context, await modelFilesOf(context).importFile(file));
  });
}

function pull(): Command {
  const target = command(
    'pull [name]',
    'download a model, or all that are used, from the address in its manifest entry; `recommended`: the strong chain',
    'models pull recommended',
  ).argument('[name]');
  return action(target, async (context, [name]) => {
    const files = modelFilesOf(context);
    const isChain = name === 'recommended';
    const chain = files.recommended();
    const names = isChain ? chain.map((entry) => entry.name) : [name ?? []].flat();
    for (const each of name === undefined ? modelNamesOf(context) : names) {
      const progress = context.terminal.progress(each);
      try {
        const file = await files.pull(each, (done, total) => progress.update(done, total));
        progress.end();
        imported(context, file);
      } finally {
        progress.end();
      }
    }
    if (isChain) context.terminal.say(`used when the settings say ${settingsFor(chain)}`);
  });
}

function imported({ terminal }: Context, { entry, path, preparation }: ModelFile): void {
  const { name, licence } = entry;
  const prepared = preparation?.prepared ?? 'unchanged';
  const reason = preparation?.reason ?? '';
  terminal.result(
    { name, path, licence, prepared, reason },
    `${name}: ${path} (${licence}; ${prepared}: ${reason})`,
  );
}

function show(context: Context, found: readonly ModelStatus[]): void {
  const { terminal } = context;
  const inUse = modelsInUse(context);
  const rows = found.map(({ entry, state, file, reason }) => {
    const { name, task, licence, sizeBytes, sha256, recommended = false } = entry;
    const origin = file?.origin ?? null;
    const { used, why } = useOf(entry, inUse);
    return {
      name,
      task,
      state,
      used,
      why,
      recommended,
      origin,
      sizeBytes,
      licence,
      sha256,
      reason,
    };
  });
  if (terminal.json) for (const row of rows) terminal.result(row, '');
  else {
    const lines = rows.map((row) => [
      row.used ? '*' : '',
      row.name,
      row.task,
      row.state,
      row.origin ?? '–',
      row.why,
      row.state === 'missing' ? '' : row.reason,
      (row.sizeBytes / 1e6).toFixed(1),
    ]);
    const head = [
      '',
      'name',
      'task',
      'state',
      'from',
      'used, or why not',
      'how it is loaded here',
      'MB',
    ];
    terminal.say(textTable([head, ...lines], 7));
    terminal.say('* used');
  }
}
