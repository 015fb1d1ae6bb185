// Finding a class by typing a part of its name.

/** How well a name fits what was typed, the lower the better; null if it does not. */
function score(name: string, typed: string): number | null {
  const lower = name.toLowerCase();
  if (lower === typed) return 0;
  if (lower.startsWith(typed)) return 1;
  const words = typed.split(/\s+/).filter(Boolean);
  const starts = lower.split(/[^\p{L}\p{N}]+/u);
  if (words.every((word) => starts.some((start) => start.startsWith(word)))) return 2;
  if (lower.includes(typed)) return 3;
  return words.every((word) => lower.includes(word)) ? 4 : null;
}

/** Classes that fit, the best first, `most` at most; all in their order where nothing is typed. */
export function findClasses(names: readonly string[], typed: string, most: number): number[] {
  const wanted = typed.trim().toLowerCase();
  const found = names.flatMap((name, label) => {
    const found = wanted === "" ? 0 : score(name, wanted);
    return found === null ? [] : [{ label, score: found }];
  });
  return found
    .sort((a, b) => a.score - b.score || a.label - b.label)
    .slice(0, most)
    .map(({ label }) => label);
}
