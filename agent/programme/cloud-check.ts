import type { Place } from '../agent.ts';
import { AgentError } from '../errors.ts';
import { judgeLink } from '../upload/outcome.ts';
import { openCloud } from './cloud.ts';

export type CloudReport = {
  /** What was asked, and the status of the answer; null: none came. */
  readonly requests: readonly {
    readonly method: string;
    readonly host: string;
    readonly status: number | null;
  }[];
  readonly state: 'ready' | 'refused';
  /** Of the closed list of reasons, with the word of the other side if it gave one. */
  readonly why: string | null;
  readonly code: string | null;
  readonly region: string | null;
  /** How far the clock there is ahead, in whole seconds; null: it did not say. */
  readonly clockAheadS: number | null;
};

/**
 * Asks once what is asked before every night's first upload, and says what came of it. Sends nothing of anybody,
 * and needs no consent. @throws CONFIG_INVALID CREDENTIALS_INVALID INPUT_MISSING
 */
export async function checkCloud(place: Place, nowMs: () => number): Promise<CloudReport> {
  const cloud = await openCloud(place);
  if (!cloud) throw new AgentError('CONFIG_INVALID', 'cloud.mode is not set: nothing is ever sent');
  const requests: CloudReport['requests'][number][] = [];
  const answer = await cloud.port.link({
    // Each request ends by itself in time.
    signal: new AbortController().signal,
    onRequest: ({ method, host, status }) => requests.push({ method, host, status }),
  });
  const told = { requests, code: null, region: null, clockAheadS: null };
  const refused = (why: string): CloudReport => ({ ...told, state: 'refused', why });
  switch (answer.kind) {
    case 'not-linked':
      return refused('not-linked');
    case 'unfit':
      return refused(answer.why);
    case 'no-reply':
      return refused(answer.fault);
    case 'reply': {
      const outcome = judgeLink(answer, nowMs());
      const why = 'why' in outcome ? outcome.why : outcome.kind;
      return { ...refused(why), code: answer.code };
    }
    case 'linked': {
      const { region, accepting, serverMs } = answer;
      const clockAheadS = serverMs === null ? null : Math.round((serverMs - nowMs()) / 1000);
      const isThere = region === place.config['cloud.region'];
      const why = isThere ? (accepting ? null : 'not-accepting') : 'other-region';
      const state = why === null ? 'ready' : 'refused';
      return { ...told, state, why, region, clockAheadS };
    }
  }
}
