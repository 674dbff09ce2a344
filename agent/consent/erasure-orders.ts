import type { ErasureOrder, NewId, Programme, Refusal } from './consent.ts';

/** A cloud that does not answer is asked once a day, until everything has expired there anyway. */
export const mostErasureTries = 31;

/**
 * The orders as they are, and one more for every consent id of which something may lie in the cloud and no
 * order waits: of earlier grants too, and of what was perhaps never stored.
 */
export function orderErasures(
  { sent, orders }: Pick<Programme, 'sent' | 'orders'>,
  atMs: number,
  newId: NewId,
): readonly ErasureOrder[] {
  const ids = [...new Set(sent.map(({ consentId }) => consentId))];
  const waits = (id: string) =>
    orders.some(({ consentId, tries }) => consentId === id && tries < mostErasureTries);
  const added = ids
    .filter((id) => !waits(id))
    .map((id) => ({
      erasureId: newId(),
      consentId: id,
      objectKeys: sent.flatMap(({ consentId, objectKey }) =>
        consentId === id && objectKey !== null ? [objectKey] : [],
      ),
      requestedAtMs: atMs,
      lastTriedOn: null,
      tries: 0,
    }));
  const isReplaced = ({ consentId }: ErasureOrder) =>
    added.some((order) => order.consentId === consentId);
  return [...orders.filter((order) => !isReplaced(order)), ...added];
}

/** Says why not, if it was tried on that date or often enough. */
export function tryErasure(
  orders: readonly ErasureOrder[],
  erasureId: string,
  localDate: string,
): readonly ErasureOrder[] | Refusal {
  const order = orders.find((each) => each.erasureId === erasureId);
  if (order === undefined) return 'order-unknown';
  if (order.lastTriedOn === localDate) return 'tried-today';
  if (order.tries >= mostErasureTries) return 'tried-too-often';
  return orders.map((each) =>
    each === order ? { ...order, lastTriedOn: localDate, tries: order.tries + 1 } : each,
  );
}

export function confirmErasure(
  orders: readonly ErasureOrder[],
  erasureId: string,
): readonly ErasureOrder[] {
  return orders.filter((order) => order.erasureId !== erasureId);
}

/** A receipt may come after the order: then the order learns what it is about. */
export function withObjectKey(
  orders: readonly ErasureOrder[],
  consentId: string,
  objectKey: string,
): readonly ErasureOrder[] {
  return orders.map((order) =>
    order.consentId === consentId && !order.objectKeys.includes(objectKey)
      ? { ...order, objectKeys: [...order.objectKeys, objectKey] }
      : order,
  );
}
