import type { Config } from '../../config.ts';
import { AgentError } from '../../errors.ts';
import type { ModelEntry, ModelTask } from '../../ports.ts';

/** Which models are used. */
export type ModelsInUse = {
  readonly detection: ModelChoice;
  readonly embedding: ModelChoice;
  readonly pad: readonly ModelChoice[];
  readonly quality: ModelChoice | undefined;
};

export type ModelChoice = {
  readonly name: string;
  readonly because: 'named' | 'built-in' | 'first';
};

/**
 * The rule: what the settings name is used. Where they name no detector or recogniser, it is the one that
 * is built in; a manifest without one (of its task) means its first. Which files are here changes nothing:
 * a model that was pulled, or that the device's maker added, is used when the settings name it.
 * MODEL_UNKNOWN: the manifest has no model of the task at all. Names are not looked up.
 */
export function chooseModels(config: Config, entries: readonly ModelEntry[]): ModelsInUse {
  const quality = config['models.quality'];
  return {
    detection: choose(config['models.detection'], 'detection', entries),
    embedding: choose(config['models.embedding'], 'embedding', entries),
    pad: config['models.pad'].map(named),
    quality: quality === null ? undefined : named(quality),
  };
}

export function namesOf({ detection, embedding, pad, quality }: ModelsInUse): string[] {
  const all = [detection, embedding, ...pad, ...(quality ? [quality] : [])];
  return all.map(({ name }) => name);
}

/** Whether a model is used, and why or why not, in a few words. */
export function useOf(
  { name, task }: ModelEntry,
  inUse: ModelsInUse,
): { readonly used: boolean; readonly why: string } {
  const setting = `models.${task}`;
  const choices = [inUse[task] ?? []].flat();
  const choice = choices.find((each) => each.name === name);
  if (choice) return { used: true, why: reasons[choice.because](setting) };
  const [instead] = choices;
  if (!instead) return { used: false, why: `${setting} names none` };
  return { used: false, why: `${instead.name} is ${reasons[instead.because](setting)}` };
}

/** The settings under which these models are used, as a line of JSON. */
export function settingsFor(entries: readonly ModelEntry[]): string {
  const of = (wanted: ModelTask) =>
    entries.filter(({ task }) => task === wanted).map(({ name }) => name);
  const one = { detection: of('detection')[0], embedding: of('embedding')[0] };
  const pad = of('pad');
  return JSON.stringify({ models: { ...one, ...(pad.length === 0 ? {} : { pad }) } });
}

const reasons = {
  named: (setting: string) => `named by ${setting}`,
  'built-in': (setting: string) => `built in, ${setting} names none`,
  first: (setting: string) => `the first, ${setting} names none and none is built in`,
} as const;

function named(name: string): ModelChoice {
  return { name, because: 'named' };
}

function choose(
  setting: string | null,
  task: ModelTask,
  entries: readonly ModelEntry[],
): ModelChoice {
  if (setting !== null) return named(setting);
  const able = entries.filter((entry) => entry.task === task);
  const builtIn = able.find((entry) => entry.builtin);
  if (builtIn) return { name: builtIn.name, because: 'built-in' };
  const [first] = able;
  if (first) return { name: first.name, because: 'first' };
  throw new AgentError('MODEL_UNKNOWN', `the manifest has no model for ${task}`);
}
