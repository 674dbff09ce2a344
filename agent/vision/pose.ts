import type { Landmarks } from './face.ts';

/** Degrees. Yaw: + turned to the right of the picture. Pitch: + looking up. Roll: + clockwise in the picture. */
export type Pose = {
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
};

/**
 * A rough pose from five points under weak perspective, for an average head: after the roll is taken out,
 * a turned nose leaves the line from the eyes' middle to the mouth's by depth · tan(yaw), and a nod
 * moves it along that line. An average, not a measurement: noses differ, and a few degrees of error are
 * usual. Coincident eyes (a full profile) give ±90.
 */
export function estimatePose(landmarks: Landmarks): Pose {
  const [leftEye, rightEye, nose, leftMouth, rightMouth] = landmarks;
  const roll = Math.atan2(rightEye[1] - leftEye[1], rightEye[0] - leftEye[0]);
  const cos = Math.cos(roll);
  const sin = Math.sin(roll);
  const across = (x: number, y: number) => x * cos + y * sin;
  const down = (x: number, y: number) => y * cos - x * sin;

  const eyesX = (leftEye[0] + rightEye[0]) / 2;
  const eyesY = (leftEye[1] + rightEye[1]) / 2;
  const mouthX = (leftMouth[0] + rightMouth[0]) / 2 - eyesX;
  const mouthY = (leftMouth[1] + rightMouth[1]) / 2 - eyesY;
  const noseX = nose[0] - eyesX;
  const noseY = nose[1] - eyesY;

  const eyeDistance = Math.hypot(rightEye[0] - leftEye[0], rightEye[1] - leftEye[1]);
  const faceHeight = down(mouthX, mouthY);
  const noseDown = faceHeight > 0 ? down(noseX, noseY) / faceHeight : Number.NaN;
  const noseAside = across(noseX, noseY) - noseDown * across(mouthX, mouthY);

  const yaw = Math.atan2(noseAside, eyeDistance * head.noseDepth);
  const pitch = Math.atan2(
    head.noseDown - head.mouthDown * noseDown,
    head.noseDepth - head.mouthDepth * noseDown,
  );
  return { yawDeg: degrees(yaw), pitchDeg: degrees(pitch), rollDeg: degrees(roll) };
}

/**
 * An average head in units of the distance between the eyes, origin in their middle: how far down and
 * how far in front of them nose tip and mouth lie. The nose's height makes the median pitch of 800 LFW
 * faces 0 with YuNet's landmarks, the mouth's is that of the recognition models' frontal face; the
 * depths are head measures (nose tip 28 mm before the eyes, eyes 63 mm apart).
 */
const head = { noseDown: 0.5533, mouthDown: 0.9893, noseDepth: 0.45, mouthDepth: 0.12 };

/** A face upside down or squeezed to a line has no pose: 90 says "turned away". */
function degrees(radians: number): number {
  return Number.isNaN(radians) ? 90 : (radians * 180) / Math.PI;
}
