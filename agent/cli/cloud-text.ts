import type { CloudReport } from '../programme/cloud-check.ts';

/** For people: one line on each request, and one on what follows. */
export function cloudText(
  { requests, state, why, code, region, clockAheadS }: CloudReport,
  isTrustedAgain: boolean,
): string {
  const asked = requests.map(
    ({ method, host, status }) => `${method} ${host}: ${status ?? 'no answer'}`,
  );
  const word = code === null ? '' : ` (${code})`;
  const clock = clockAheadS === null ? '' : `, its clock is ${clockAheadS} s ahead`;
  const last =
    state === 'ready' ? `ready: region ${region}${clock}` : `nothing would be sent: ${why}${word}`;
  const again = 'the store, which had not kept its word, is tried again in the next night';
  return [...asked, last, ...(isTrustedAgain ? [again] : [])].join('\n');
}
