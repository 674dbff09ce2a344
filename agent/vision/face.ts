/** x to the right, y down, in pixels of the frame; (0, 0) is the centre of the first pixel. */
export type Point = readonly [x: number, y: number];

export type Box = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/** Eye at the left of the picture, eye at the right, nose tip, mouth corner left, mouth corner right. */
export type Landmarks = readonly [Point, Point, Point, Point, Point];

/** What the detector found, in frame coordinates. */
export type Face = {
  readonly box: Box;
  readonly landmarks: Landmarks;
  /** 0…1, of the detector. */
  readonly score: number;
};
