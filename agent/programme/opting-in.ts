import { type Actor, policyInForce } from '../consent/consent.ts';
import type { Policy } from '../consent/policy.ts';
import { AgentError } from '../errors.ts';
import { volumeFacts } from '../io/files/volume.ts';
import { randomUuid } from '../io/process/chance.ts';
import { layoutOf } from '../io/process/environment.ts';
import { ensureDeviceKey } from '../io/programme/device-key.ts';
import { bundledPolicies, missingInNotice } from '../io/programme/policies.ts';
import type { OnOrder, OnResult } from '../programme-commands.ts';
import type { ProgrammeParts } from './programme.ts';

/**
 * The grant is on the medium before anything else of the programme is made. Where the rest cannot be made, or what
 * lies there of the grant before it cannot be erased, the grant is taken back: whoever is told of a fault has not
 * consented.
 * @throws see ProgrammeCommands.on
 */
export async function optIn(parts: ProgrammeParts, order: OnOrder): Promise<OnResult> {
  await eraseWhatIsDue(parts);
  const { policy, region } = granting(parts, order);
  const { consent, time, outside } = parts;
  const { by } = order;
  const since = { wallMs: time.moment().wallMs, monotonicMs: outside.clock.monotonicMs() };
  const { version: policyVersion, textSha256 } = policy;
  const decided = consent.decide({
    kind: 'grant',
    grant: { policyVersion, textSha256, region, by, since, consentId: randomUuid() },
  });
  if (decided.kind === 'refused') {
    const { consent: state } = consent.programme();
    if (decided.why === 'already-granted' && state.state === 'granted') {
      return {
        kind: 'already-granted',
        policyVersion: state.policyVersion,
        region: state.region,
        sinceMs: state.since.wallMs,
      };
    }
    const inForce = policyInForce(consent.circumstances())?.version;
    const rest = inForce === undefined ? '' : `; in force is ${inForce}`;
    throw new AgentError('CONSENT_REFUSED', `${policyVersion}: ${decided.why}${rest}`);
  }
  try {
    parts.notes.granted();
    ensureDeviceKey(layoutOf(parts.place.dataDir).deviceKey);
    // What lies there of the grant before it goes before the first record.
    await eraseWhatIsDue(parts);
    parts.records.store();
  } catch (fault) {
    await takeBack(parts, by);
    throw fault;
  }
  // From now on, and not from its next look on.
  parts.recorder.work();
  return { kind: 'granted', policyVersion, region, sinceMs: since.wallMs };
}

/** @throws what keeps the household from being asked, or the answer from being dated */
function granting(
  { place, consent, time, outside, toLocalTime }: ProgrammeParts,
  { acceptPolicy, allowVolatile }: OnOrder,
): { readonly policy: Policy; readonly region: string } {
  const { region, doNotTrack, policies } = consent.circumstances();
  if (doNotTrack) throw new AgentError('DO_NOT_TRACK', 'DO_NOT_TRACK is set: nothing is recorded');
  if (region === null) throw new AgentError('REGION_MISSING', 'cloud.region is not set');
  const missing = missingInNotice(place.config);
  if (missing.length > 0) {
    const names = missing.join(', ');
    throw new AgentError('CONFIG_INVALID', `the notice is not complete without ${names}`);
  }
  toLocalTime(outside.clock.wallMs());
  const standing = time.standing();
  if (standing === 'unset' || standing === 'doubtful') {
    const shown = new Date(outside.clock.wallMs()).toISOString();
    throw new AgentError('CLOCK_UNTRUSTED', `a consent needs a date, and the clock shows ${shown}`);
  }
  const volume = volumeFacts(place.dataDir);
  if (volume.volatile && !allowVolatile) {
    throw new AgentError('VOLUME_VOLATILE', `${place.dataDir} is on ${volume.type}`);
  }
  const policy = policies.find(({ version }) => version === acceptPolicy);
  if (!policy) {
    // There are none where they cannot be read: then this says why.
    if (policies.length === 0) bundledPolicies();
    const known = policies.map(({ version }) => version).join(', ');
    throw new AgentError(
      'CONSENT_REFUSED',
      `there is no policy version ${acceptPolicy}, only ${known}`,
    );
  }
  return { policy, region };
}

/** @throws ERASURE_INCOMPLETE */
async function eraseWhatIsDue({ erasing }: ProgrammeParts): Promise<void> {
  const erasure = await erasing.finish();
  if (erasure?.kind !== 'incomplete') return;
  const failed = erasure.failed.join(', ');
  throw new AgentError(
    'ERASURE_INCOMPLETE',
    `what was recorded before cannot be erased (${failed}), and nothing is recorded until it is`,
  );
}

/** What the medium does not take of it holds in memory, and is tried again: see ConsentState.decide and Erasing. */
async function takeBack({ consent, erasing, time, outside }: ProgrammeParts, by: Actor) {
  const at = { wallMs: time.moment().wallMs, monotonicMs: outside.clock.monotonicMs() };
  try {
    consent.decide({ kind: 'withdraw', by, at, eraseCloud: null });
    await erasing.finish();
  } catch {
    // The fault that led here is the one to be told.
  }
}
