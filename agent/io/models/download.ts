import { Agent, type Dispatcher, request } from 'undici';
import { AgentError } from '../../errors.ts';
import { allowedAddress, downloadFailed, networkReason } from './download-fault.ts';
import { openPartFile, type PartFile } from './download-part.ts';

export type DownloadOptions = {
  /** Longest wait for a connection; 10 s unless told. */
  readonly connectMs?: number;
  /** Longest silence of the server, before the body and within it; 30 s unless told. */
  readonly stallMs?: number;
  /** For tests: plain http to this machine. Everything else is https, always. */
  readonly allowLoopbackHttp?: boolean;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
};

/** A file on a server and what it must be; `name` is that of the model, for messages. */
export type RemoteFile = {
  readonly name: string;
  readonly url?: string;
  readonly sizeBytes: number;
} & ({ readonly sha256: string } | { readonly sha384: string });

/**
 * Fetches the file of `entry` to `path`: into `<path>.part`, with which a later call goes on, then checked
 * and renamed, so that no half or foreign file ever bears the name.
 *
 * DOWNLOAD_FAILED: one line says why; what came is kept. MODEL_CORRUPT: the server has other bytes than
 * the manifest; nothing is kept. STORE_FULL: nothing is kept. STORE_READ_ONLY, STORE_FAILED.
 */
export async function downloadModel(
  entry: RemoteFile,
  path: string,
  options: DownloadOptions = {},
): Promise<void> {
  const download = planDownload(entry, options);
  const part = await openPartFile(path);
  try {
    await fetchVerified(download, part);
    await part.commit();
  } catch (fault) {
    const keep = fault instanceof AgentError && fault.code === 'DOWNLOAD_FAILED';
    if (!keep) await part.discard();
    throw fault;
  } finally {
    await part.close();
    await download.dispatcher.destroy();
  }
}

type Download = Required<DownloadOptions> & {
  readonly entry: RemoteFile;
  readonly address: URL;
  readonly dispatcher: Dispatcher;
};

function planDownload(entry: RemoteFile, options: DownloadOptions): Download {
  const { connectMs = 10_000, stallMs = 30_000, allowLoopbackHttp = false } = options;
  const { onProgress = () => {} } = options;
  if (entry.url === undefined) {
    throw downloadFailed(entry, 'its manifest entry has no address: bring the file and import it');
  }
  const address = allowedAddress(entry, entry.url, allowLoopbackHttp);
  const dispatcher = new Agent({
    allowH2: false,
    connect: { timeout: connectMs },
    headersTimeout: stallMs,
    bodyTimeout: stallMs,
  });
  return { entry, address, dispatcher, connectMs, stallMs, allowLoopbackHttp, onProgress };
}

async function fetchVerified(download: Download, part: PartFile): Promise<void> {
  const { entry } = download;
  const resumed = part.sizeBytes > 0;
  if (part.sizeBytes < entry.sizeBytes) await fetchRest(download, part);
  if (await isWanted(entry, part)) return;
  if (!resumed) {
    const message = `model ${entry.name}: ${entry.url} has another content than the manifest says`;
    throw new AgentError('MODEL_CORRUPT', message);
  }
  // The halves may be of different files; a whole one has not been tried yet.
  await part.reset();
  await fetchVerified(download, part);
}

async function isWanted(entry: RemoteFile, part: PartFile): Promise<boolean> {
  return 'sha384' in entry
    ? (await part.digest('sha384')) === entry.sha384
    : (await part.digest('sha256')) === entry.sha256;
}

async function fetchRest(download: Download, part: PartFile): Promise<void> {
  const { entry } = download;
  const { response, address } = await ask(download, part, download.address, mostRedirects);
  const { statusCode: status, body } = response;
  const goesOn = status === 206 && firstByte(response) === part.sizeBytes;
  if (part.sizeBytes > 0 && (status === 416 || (status === 206 && !goesOn))) {
    abandon(body);
    await part.reset();
    await fetchRest(download, part);
  } else if (goesOn || status === 200) {
    if (!goesOn) await part.reset(header(response, 'etag'));
    await receive(download, part, response, address);
  } else {
    abandon(body);
    throw downloadFailed(entry, `${address.host} answered ${status} for ${address.pathname}`);
  }
}

type Answer = { readonly response: Dispatcher.ResponseData; readonly address: URL };

const mostRedirects = 3;
const redirects = [301, 302, 303, 307, 308];

async function ask(
  download: Download,
  part: PartFile,
  address: URL,
  redirectsLeft: number,
): Promise<Answer> {
  const { entry, dispatcher } = download;
  const rest = part.sizeBytes > 0 ? { range: `bytes=${part.sizeBytes}-` } : {};
  const version = part.etag === undefined ? {} : { 'if-range': part.etag };
  const headers = { 'accept-encoding': 'identity', ...rest, ...version };
  const response = await request(address, { dispatcher, headers }).catch((cause: unknown) => {
    throw downloadFailed(entry, networkReason(cause, address, download), cause);
  });
  const location = header(response, 'location');
  if (location === undefined || !redirects.includes(response.statusCode)) {
    return { response, address };
  }
  abandon(response.body);
  if (redirectsLeft === 0) {
    throw downloadFailed(
      entry,
      `${download.address.host} redirects more than ${mostRedirects} times`,
    );
  }
  const next = allowedAddress(entry, location, download.allowLoopbackHttp, address);
  return ask(download, part, next, redirectsLeft - 1);
}

/** Writes the body to the part file, never more than the manifest says. */
async function receive(
  download: Download,
  part: PartFile,
  response: Dispatcher.ResponseData,
  address: URL,
): Promise<void> {
  const { entry, onProgress } = download;
  const announced = Number(header(response, 'content-length') ?? entry.sizeBytes - part.sizeBytes);
  if (part.sizeBytes + announced !== entry.sizeBytes) {
    abandon(response.body);
    const offered = part.sizeBytes + announced;
    throw downloadFailed(
      entry,
      `${address.host} offers ${offered} bytes, the manifest says ${entry.sizeBytes}`,
    );
  }
  onProgress(part.sizeBytes, entry.sizeBytes);
  try {
    for await (const chunk of bytesOf(response)) {
      if (part.sizeBytes + chunk.length > entry.sizeBytes) {
        await part.reset();
        throw downloadFailed(entry, `${address.host} sends more than ${entry.sizeBytes} bytes`);
      }
      await part.append(chunk);
      onProgress(part.sizeBytes, entry.sizeBytes);
    }
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw downloadFailed(
      entry,
      `${networkReason(cause, address, download)}${soFar(entry, part)}`,
      cause,
    );
  }
  if (part.sizeBytes < entry.sizeBytes) {
    throw downloadFailed(entry, `${address.host} stopped early${soFar(entry, part)}`);
  }
}

/** A body that is not wanted ends with an error, which would end the process if nobody listened. */
function abandon(body: Dispatcher.ResponseData['body']): void {
  body.on('error', () => {}).destroy();
}

function bytesOf({ body }: Dispatcher.ResponseData): AsyncIterable<Uint8Array> {
  return body;
}

function soFar(entry: RemoteFile, part: PartFile): string {
  return ` after ${part.sizeBytes} of ${entry.sizeBytes} bytes; the next try goes on from there`;
}

/** Of "bytes 100-199/200" the 100. */
function firstByte(response: Dispatcher.ResponseData): number | undefined {
  const first = /^bytes (\d+)-/.exec(header(response, 'content-range') ?? '')?.[1];
  return first === undefined ? undefined : Number(first);
}

function header({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
