export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Waits until something holds, at most `ms`. */
export async function until(holds: () => boolean, what: string | (() => string) = "the condition", ms = 20_000): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`${typeof what === "string" ? what : what()} did not come about in ${ms} ms`);
    await pause(2);
  }
}
