import { onTestFinished } from 'vitest';
import { startCloud, type Cloud as TestCloud } from '../../../fixtures/cloud/start-cloud.ts';
import type { Dialect } from '../../../fixtures/cloud/store-fault.ts';
import { systemTimers } from '../../io/process/clock.ts';
import { openCloud } from '../../programme/cloud.ts';
import type { CloudPort } from '../../upload/cloud-port.ts';
import { callLimitMs } from '../../upload/limited-call.ts';
import { type NightReport, uploadNight } from '../../upload/uploader.ts';
import { nextWindow } from '../../upload/window.ts';
import { cloudConfig } from './cloud-config.ts';
import { createUploadWorld, type UploadWorld } from './upload-world.ts';

export type CloudNights = {
  readonly world: UploadWorld;
  readonly cloud: TestCloud;
  /** A night's pass. What it would wait for between tries takes no time; what it waits for on the wire does. */
  night(): Promise<NightReport>;
  /** As a withdrawal does it, at any moment. */
  stop(): void;
  /** Stands before the adapter; may be exchanged. */
  port: CloudPort;
};

/** A device in a world of its own (upload-world.ts), and a cloud that it reaches over TLS on this machine. */
export async function cloudNights(
  mode: 'grant' | 'direct',
  dialect: Dialect,
  more: Readonly<Record<string, unknown>> = {},
): Promise<CloudNights> {
  const world = createUploadWorld();
  const clock = { wallMs: world.trueMs };
  const cloud = await startCloud({ dialect, region: 'eu-central-1', clock });
  onTestFinished(() => cloud.close());
  const config = cloudConfig(cloud, mode, { 'cloud.checksum': 'etag', ...more });
  const opened = await openCloud({ config }, clock);
  if (!opened) throw new Error('there is no cloud');
  let outer = new AbortController();

  const nights: CloudNights = {
    world,
    cloud,
    port: opened.port,
    stop: () => outer.abort(),
    async night() {
      outer = new AbortController();
      const { port } = nights;
      const ports = {
        ...world.ports(),
        cloud: port,
        rules: opened.rules,
        timers: hastyTimers(world),
      };
      const window = nextWindow(ports.clock.judge().wallMs, world.toLocalTime);
      return uploadNight(ports, window, outer.signal);
    },
  };
  return nights;
}

/** Pauses end at once, and time is later then; a call's limit stays what it is. */
function hastyTimers({ time }: UploadWorld) {
  return {
    after(delayMs: number, run: () => void) {
      if (delayMs === callLimitMs) return systemTimers.after(delayMs, run);
      // The look at the clock every few seconds; nothing here moves it.
      if (delayMs === 5_000) return () => {};
      const cancel = systemTimers.after(0, () => {
        time.advance(delayMs);
        run();
      });
      return cancel;
    },
  };
}
