import { mayAskCloud } from './clock-trust.ts';
import { isTaken } from './outcome.ts';
import { callCloud, type Pass } from './pass.ts';

/**
 * Gives the cloud the orders of erasure that were not tried tonight: each once, and not again before the next
 * night, whatever comes of it. What is ordered once more in a night in which the cloud took an order waits, too: one
 * day, one order. Needs no consent; what it says is an id that a grant once had, and object keys.
 */
export async function sendOrders(pass: Pass): Promise<void> {
  const { consent, clock, ledger } = pass.ports;
  const { localDate } = pass.window;
  const { orders } = consent.programme();
  if (orders.length === 0 || ledger.erasureConfirmedOn(localDate)) return;
  for (const order of orders) {
    const { erasureId, consentId, objectKeys, requestedAtMs } = order;
    if (pass.outer.aborted || !pass.watch.isOpen()) return;
    if (!mayAskCloud(clock.judge().standing)) return;
    // Refuses what was tried tonight, or too often.
    const tried = consent.decide({ kind: 'erasure-tried', erasureId, localDate });
    if (tried.kind !== 'changed') continue;
    const facts = { erasureId, consentId, objectKeys, requestedAtMs };
    const answer = await callCloud(pass, (cloud, call) => cloud.orderErasure(facts, call));
    if (!isTaken(answer)) continue;
    consent.decide({ kind: 'erasure-confirmed', erasureId });
    ledger.append({ what: 'erasure-confirmed', objects: objectKeys.length });
  }
}
