/**
 * Runs inside the virtual machine, beside the compiled agent: what the camera source and the relay do with a real
 * kernel. One line for each check on the console; the last line says how many failed.
 */
import { existsSync } from 'node:fs';
import { checkCameras, checkUnplugging } from './camera-checks.ts';
import { material } from './cameras.ts';
import { conclude, say } from './console.ts';
import { checkDoor } from './door-checks.ts';

await checkCameras();
if (existsSync(`${material}/resident`)) await checkDoor();
else say('SKIPPED the door decides, the relay opens: no pictures of a resident here');
await checkUnplugging();
conclude();
process.exit();
