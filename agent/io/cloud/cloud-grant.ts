import type {
  Call,
  CloudPort,
  GrantAnswer,
  Headers,
  LinkState,
  NoReply,
  Reply,
} from '../../upload/cloud-port.ts';
import type { CloudClient } from './cloud-clients.ts';
import {
  doneMessage,
  erasureMessage,
  readGrantAnswer,
  readLink,
  uploadMessage,
} from './cloud-messages.ts';
import { vendorReply } from './cloud-reply.ts';
import type { HttpAnswer } from './http-client.ts';
import { putObject } from './object-put.ts';

export type GrantCloudOptions = {
  /** Of the vendor's cloud: 'https://cloud.example'. */
  readonly url: string;
  readonly vendor: CloudClient;
  readonly store: CloudClient;
  /** Asked before every request: without it no socket is opened. */
  readonly isLinkedByHost: () => boolean;
};

/** Records travel by grants: the vendor's cloud, which knows the device by its certificate, says where each may go. */
export function grantCloud({ url, vendor, store, isLinkedByHost }: GrantCloudOptions): CloudPort {
  async function ask(
    what: {
      readonly method: 'GET' | 'POST';
      readonly path: string;
      readonly message?: object;
      readonly headers?: Headers;
    },
    call: Call,
  ): Promise<HttpAnswer | NoReply> {
    const { method, path, message, headers } = what;
    if (!isLinkedByHost()) return notLinked;
    const client = await vendor.get();
    const request = {
      method,
      url: new URL(path, url),
      headers: {
        accept: 'application/json',
        ...(message && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: message ? Buffer.from(JSON.stringify(message)) : null,
      objectKey: null,
    };
    return client.send(request, call);
  }

  async function link(call: Call): Promise<LinkState | Reply | NoReply> {
    if (!isLinkedByHost()) return { kind: 'not-linked' };
    const answer = await ask({ method: 'GET', path: '/v1/link' }, call);
    if (answer.kind === 'no-reply') return answer;
    if (answer.status !== 200) return vendorReply(answer);
    return readLink(answer.body, answer.headers['date']) ?? unreadable;
  }

  async function requestGrant(
    batch: Parameters<CloudPort['requestGrant']>[0],
    call: Call,
  ): Promise<GrantAnswer | Reply | NoReply> {
    const message = uploadMessage(batch);
    // The same batch twice is one upload.
    const headers = { 'idempotency-key': batch.batchId };
    const answer = await ask({ method: 'POST', path: '/v1/uploads', message, headers }, call);
    if (answer.kind === 'no-reply') return answer;
    if (answer.status !== 200 && answer.status !== 201) return vendorReply(answer);
    return readGrantAnswer(answer.body, answer.headers['date']) ?? unreadable;
  }

  async function tell(path: string, message: object, call: Call): Promise<Reply | NoReply> {
    const answer = await ask({ method: 'POST', path, message }, call);
    return answer.kind === 'no-reply' ? answer : vendorReply(answer);
  }

  return {
    link,
    requestGrant,
    async put(grant, bytes, call) {
      if (!isLinkedByHost()) return notLinked;
      return putObject(await store.get(), grant, bytes, call);
    },
    done: (report, call) => tell(`/v1/uploads/${report.uploadId}/done`, doneMessage(report), call),
    orderErasure: (order, call) => tell('/v1/erasures', erasureMessage(order), call),
  };
}

const notLinked: NoReply = { kind: 'no-reply', fault: 'unreachable' };
const unreadable: NoReply = { kind: 'no-reply', fault: 'unreadable-reply' };
