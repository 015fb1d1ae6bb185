// How a view lives in whatever page it is in: focus, the whole window, one drawing per animation frame.

export const rootAttributes = (label: string) => ({
  class: "lit-widget",
  tabindex: 0,
  role: "application",
  "aria-label": label,
});

/** The notebook keeps its own shortcuts to itself while anything in the widget has the focus. */
export function keepShortcutsOut(root: HTMLElement): void {
  root.addEventListener("focusin", ({ target }) => {
    // JupyterLab's shortcuts match what has the focus itself, whatever is said further up.
    if (target instanceof HTMLElement || target instanceof SVGElement)
      target.dataset.lmSuppressShortcuts = "true";
  });
}

/** Whatever holds the widget may have keys of its own: the notebook's cell goes on from here. */
export function releaseFocus(el: HTMLElement): void {
  (document.activeElement as HTMLElement | null)?.blur();
  el.closest<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
}

/** In the top layer, or back: there no ancestor's size, scrolling or clipping counts. */
export function fillWindow(root: HTMLElement, on: boolean): void {
  root.classList.toggle("lit-full", on);
  if (!("showPopover" in root)) return;
  if (on) {
    root.popover = "manual";
    root.showPopover();
    root.focus({ preventScroll: true });
  } else root.popover = null;
}

/** At most one run per animation frame. */
export function once(work: () => void): (() => void) & { cancel(): void } {
  let handle = 0;
  const ask = () => {
    handle ||= requestAnimationFrame(() => {
      handle = 0;
      work();
    });
  };
  return Object.assign(ask, {
    cancel() {
      cancelAnimationFrame(handle);
      handle = 0;
    },
  });
}
