// Where video pixels lie on the screen, and frames on the time line.

export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** What the user has chosen to look at: `zoom` 1 shows the whole frame, `pan` moves it in screen pixels. */
export interface Look {
  zoom: number;
  pan: Point;
}

/** Screen position of the video's corner and screen pixels per video pixel. */
export interface Placement {
  x: number;
  y: number;
  scale: number;
}

export const WHOLE: Look = { zoom: 1, pan: { x: 0, y: 0 } };
export const MAX_ZOOM = 16;

export const clamp = (value: number, low: number, high: number): number =>
  Math.min(Math.max(value, low), high);

/** Positions on the wire: finer than anyone can point. */
export const tenth = (value: number): number => Math.round(value * 10) / 10;

export function place(look: Look, stage: Size, video: Size): Placement {
  const scale = Math.min(stage.width / video.width, stage.height / video.height) * look.zoom;
  return {
    x: (stage.width - video.width * scale) / 2 + look.pan.x,
    y: (stage.height - video.height * scale) / 2 + look.pan.y,
    scale,
  };
}

export const toVideo = (point: Point, at: Placement): Point => ({
  x: (point.x - at.x) / at.scale,
  y: (point.y - at.y) / at.scale,
});

export const toScreen = (point: Point, at: Placement): Point => ({
  x: at.x + point.x * at.scale,
  y: at.y + point.y * at.scale,
});

export const inside = (point: Point, video: Size): boolean =>
  point.x >= 0 && point.y >= 0 && point.x < video.width && point.y < video.height;

/** Keep the frame over the stage: it may be moved only as far as it overhangs. */
function clampPan(look: Look, stage: Size, video: Size): Look {
  const { scale } = place(look, stage, video);
  const spareX = Math.max(0, (video.width * scale - stage.width) / 2);
  const spareY = Math.max(0, (video.height * scale - stage.height) / 2);
  return {
    zoom: look.zoom,
    pan: { x: clamp(look.pan.x, -spareX, spareX), y: clamp(look.pan.y, -spareY, spareY) },
  };
}

/** Zoom by a factor so that the video pixel under `point` stays there, as far as the borders allow. */
export function zoomAt(look: Look, stage: Size, video: Size, point: Point, factor: number): Look {
  const zoom = clamp(look.zoom * factor, 1, MAX_ZOOM);
  const fixed = toVideo(point, place(look, stage, video));
  const moved = toScreen(fixed, place({ zoom, pan: look.pan }, stage, video));
  const pan = { x: look.pan.x + point.x - moved.x, y: look.pan.y + point.y - moved.y };
  return clampPan({ zoom, pan }, stage, video);
}

export function panBy(look: Look, stage: Size, video: Size, by: Point): Look {
  return clampPan({ zoom: look.zoom, pan: { x: look.pan.x + by.x, y: look.pan.y + by.y } }, stage, video);
}

/** The frame at a position on the time line; every frame has an equal share of its width. */
export const frameAt = (x: number, width: number, nFrames: number): number =>
  clamp(Math.floor((x / Math.max(1, width)) * nFrames), 0, Math.max(0, nFrames - 1));

/** Middle of a frame on the time line, in percent of its width. */
export const percentOf = (frame: number, nFrames: number): number =>
  ((frame + 0.5) / Math.max(1, nFrames)) * 100;

/** Minutes, seconds and tenths: `0:01.4`. */
export function clock(frame: number, fps: number): string {
  const tenths = Math.floor((frame / (fps > 0 ? fps : 1)) * 10 + 1e-6);
  const minutes = Math.floor(tenths / 600);
  const seconds = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return `${minutes}:${seconds}`;
}
