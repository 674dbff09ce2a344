import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { Policy } from '../../consent/policy.ts';
import { AgentError } from '../../errors.ts';
import { flag, listOf, object, readShape, type Shape, text } from '../../shape.ts';
import { reasonOf } from '../files/file-fault.ts';
import { inPackage } from '../files/package-root.ts';

/** What is asked before a household leaves the programme, on the page as on the command line. */
export const withdrawalQuestion =
  'We will no longer be able to collect the records that help us find and mend errors of face recognition, ' +
  'and those on this device are deleted at once. What was already sent may be kept for one month at most, ' +
  'unless you order its erasure. Are you sure you want to stop the program?';

/** The settings that the notice names. */
export type NoticeSettings = Pick<Config, NoticeSetting>;
type NoticeSetting = (typeof noticeSettings)[number];

const noticeSettings = [
  'controller.name',
  'controller.contact',
  'controller.privacyPolicy',
  'cloud.region',
] as const;

const ownFolder = inPackage('agent/consent/policies');

/**
 * The versions of the notice that come with the package, oldest first. Each one's hash is that of the bundled text,
 * with its placeholders: the same on every device, so that the cloud knows it too. A change of who is responsible
 * therefore needs a new version.
 * @throws INPUT_MISSING INPUT_INVALID: the list or a text is not as it was released
 */
export function bundledPolicies(folder = ownFolder): readonly Policy[] {
  return readPolicies(folder).map(({ version, textSha256, material, effectiveAt }) => ({
    version,
    textSha256,
    material,
    effectiveAt,
  }));
}

/**
 * The notice as people read it, without the network. A setting that is missing is named in its place; see
 * `missingInNotice`.
 * @throws CONSENT_REFUSED: there is no such version. INPUT_MISSING INPUT_INVALID
 */
export function policyText(version: string, settings: NoticeSettings, folder = ownFolder): string {
  const policies = readPolicies(folder);
  const policy = policies.find((each) => each.version === version);
  if (policy === undefined) {
    const known = policies.map((each) => each.version).join(', ');
    throw new AgentError('CONSENT_REFUSED', `there is no policy version ${version}, only ${known}`);
  }
  return noticeSettings.reduce(
    (filled, name) => filled.replaceAll(`{${name}}`, () => settings[name] ?? `(not set: ${name})`),
    policy.content,
  );
}

/** What a notice must say and no setting does: nobody can agree to that. */
export function missingInNotice(settings: NoticeSettings): readonly string[] {
  return noticeSettings.filter((name) => settings[name] === null);
}

type BundledPolicy = Policy & { readonly content: string };

function readPolicies(folder: string): readonly BundledPolicy[] {
  const path = join(folder, 'policies.json');
  const read = readShape(policiesShape, jsonIn(path));
  if ('faults' in read) throw invalid(path, read.faults.join('; '));
  const policies = read.value.map(({ file, ...policy }) => ({
    ...policy,
    content: textIn(join(folder, file), policy.textSha256),
  }));
  const fault = orderFault(policies);
  if (fault !== undefined) throw invalid(path, fault);
  return policies;
}

/** Which one is in force is decided by their order. */
function orderFault(policies: readonly Policy[]): string | undefined {
  if (policies[0]?.material === false) return 'the first version is material';
  const late = policies.find(
    ({ effectiveAt }, index) => effectiveAt <= (policies[index - 1]?.effectiveAt ?? -Infinity),
  );
  if (late !== undefined) return `${late.version} does not come after the version before it`;
  const versions = policies.map(({ version }) => version);
  const twice = versions.find((version, index) => versions.indexOf(version) !== index);
  return twice === undefined ? undefined : `${twice} is there twice`;
}

function textIn(path: string, textSha256: string): string {
  const bytes = bytesIn(path);
  if (createHash('sha256').update(bytes).digest('hex') !== textSha256) {
    throw invalid(path, 'is not the text that policies.json names: its SHA-256 is another');
  }
  return bytes.toString();
}

function jsonIn(path: string): unknown {
  try {
    return JSON.parse(bytesIn(path).toString());
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw invalid(path, `is not JSON (${reasonOf(cause)})`, cause);
  }
}

function bytesIn(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AgentError('INPUT_MISSING', `${path}: cannot be read (${reasonOf(cause)})`, {
      cause,
    });
  }
}

function invalid(path: string, fault: string, cause?: unknown): AgentError {
  return new AgentError('INPUT_INVALID', `${path}: ${fault}`, { cause });
}

/** '2026-11-01T00:00:00Z' in milliseconds since 1970. */
const moment: Shape<number> = (value, place, faults) => {
  const atMs = typeof value === 'string' && value.endsWith('Z') ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(atMs)) faults.push(`${place}: expected a moment in UTC`);
  return atMs;
};

const policiesShape = listOf(
  object({
    version: text({ pattern: /^[A-Za-z0-9.-]{1,64}$/, what: 'a version' }),
    file: text({ pattern: /^[a-z0-9.-]+\.txt$/, what: 'the name of a text file' }),
    textSha256: text({ pattern: /^[0-9a-f]{64}$/, what: 'a SHA-256' }),
    material: flag(),
    effectiveAt: moment,
  }),
  { min: 1 },
);
