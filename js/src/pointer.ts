// The mouse on the picture: presses go to the tool, drags and the wheel move the view.

import type { FrameCanvas } from "./canvas";
import { inside, panBy, toVideo, WHOLE, zoomAt } from "./geometry";
import type { Hover } from "./hover";
import type { Keyboard } from "./keys";
import { isNegative, type Tool } from "./tools/tool";
import { Fingers } from "./touch";

interface Scene {
  root: HTMLElement;
  canvas: FrameCanvas;
  keyboard: Keyboard;
  hover: Hover;
  tool(): Tool;
  /** Clicks mean something only once the kernel has answered. */
  enabled(): boolean;
  /** The keys are the notebook's: the first click only takes them back. */
  away(): boolean;
}

const ZOOM_PER_PX = 0.002;

export function listenToPointer({ root, canvas, keyboard, hover, tool, enabled, away }: Scene): () => void {
  const { element } = canvas;
  const stop = new AbortController();
  const options = { signal: stop.signal };
  let pan: { x: number; y: number } | null = null;
  let pressed: Tool | null = null;
  const fingers = new Fingers();

  const positionOf = (event: MouseEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  function down(event: PointerEvent): void {
    const back = away();
    root.focus({ preventScroll: true });
    if (back) return;
    hover.leave();
    if (event.pointerType === "touch") {
      fingers.down(event.pointerId, positionOf(event), event.timeStamp);
      if (fingers.count > 1) release("stop");
      // Whether a finger taps or begins to pinch is known once it is lifted; a brush cannot wait for that.
      if (fingers.count > 1 || !tool().drag) return;
    }
    if (event.button === 1 || keyboard.spaceHeld) {
      event.preventDefault();
      keyboard.spaceUsed();
      pan = positionOf(event);
      element.setPointerCapture(event.pointerId);
      element.classList.add("lit-panning");
      return;
    }
    press(event);
  }

  function press(event: PointerEvent): void {
    if (!enabled()) return;
    const at = toVideo(positionOf(event), canvas.placement);
    if (!inside(at, canvas.video)) return;
    pressed = tool();
    if (pressed.drag) element.setPointerCapture?.(event.pointerId);
    pressed.press({ at, event, zoomed: canvas.look.zoom > 1 });
  }

  function move(event: PointerEvent): void {
    ring(event);
    if (event.pointerType === "touch") pinch(event);
    else if (event.buttons === 0) {
      const at = positionOf(event);
      hover.over(at, toVideo(at, canvas.placement), !isNegative(event));
    }
    for (const each of pressed?.drag ? (event.getCoalescedEvents?.() ?? []).concat(event) : []) {
      pressed?.drag?.(toVideo(positionOf(each), canvas.placement));
    }
    if (!pan) return;
    const now = positionOf(event);
    canvas.setLook(panBy(canvas.look, canvas.stage, canvas.video, { x: now.x - pan.x, y: now.y - pan.y }));
    pan = now;
  }

  function up(event: PointerEvent): void {
    const tap = event.pointerType === "touch" ? fingers.up(event.pointerId, event.timeStamp) : null;
    if (tap && event.type === "pointerup" && !pressed) {
      // A finger has no Alt key: held longer, it takes away.
      const { clientX, clientY } = event;
      press(new PointerEvent("pointerdown", { clientX, clientY, altKey: tap === "long" }));
    }
    release("lift");
  }

  function release(how: "lift" | "stop"): void {
    pan = null;
    pressed?.[how]?.();
    pressed = null;
    element.classList.remove("lit-panning");
  }

  function pinch(event: PointerEvent): void {
    const pinched = fingers.move(event.pointerId, positionOf(event));
    if (!pinched) return;
    const { stage, video } = canvas;
    canvas.setLook(
      panBy(zoomAt(canvas.look, stage, video, pinched.middle, pinched.factor), stage, video, pinched.by),
    );
  }

  function leave(): void {
    canvas.showRing(null);
    hover.leave();
  }

  /** The brush under the pointer, as large as what it paints; it goes and comes with its tool. */
  function ring(event: PointerEvent): void {
    canvas.showRing(positionOf(event));
  }

  function wheel(event: WheelEvent): void {
    // Without focus the wheel belongs to the notebook's scrolling.
    if (!root.contains(document.activeElement)) return;
    event.preventDefault();
    event.stopPropagation();
    const step = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const factor = Math.exp(-event.deltaY * step * ZOOM_PER_PX);
    canvas.setLook(zoomAt(canvas.look, canvas.stage, canvas.video, positionOf(event), factor));
  }

  function double(event: MouseEvent): void {
    if (!inside(toVideo(positionOf(event), canvas.placement), canvas.video)) canvas.setLook(WHOLE);
  }

  /** A right click is a prompt: neither the browser's menu nor the notebook's may open over it. */
  function swallow(event: MouseEvent): void {
    event.preventDefault();
    event.stopPropagation();
  }

  element.addEventListener("pointerdown", down, options);
  element.addEventListener("pointermove", move, options);
  element.addEventListener("pointerup", up, options);
  element.addEventListener("pointercancel", up, options);
  element.addEventListener("pointerleave", leave, options);
  element.addEventListener("wheel", wheel, { ...options, passive: false });
  element.addEventListener("dblclick", double, options);
  element.addEventListener("mousedown", (event) => event.preventDefault(), options);
  element.addEventListener("contextmenu", swallow, options);
  return () => stop.abort();
}
