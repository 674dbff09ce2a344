import type { Call, NoReply, Reply, UploadGrant } from '../../upload/cloud-port.ts';
import { storeReply } from './cloud-reply.ts';
import type { HttpClient } from './http-client.ts';

/** Exactly the headers of the grant, and the bytes in one piece. */
export async function putObject(
  client: HttpClient,
  { url, headers, objectKey }: UploadGrant,
  bytes: Uint8Array,
  call: Call,
): Promise<Reply | NoReply> {
  const request = { method: 'PUT', url: new URL(url), headers, body: bytes, objectKey } as const;
  const answer = await client.send(request, call);
  return answer.kind === 'answer' ? storeReply(answer) : answer;
}
