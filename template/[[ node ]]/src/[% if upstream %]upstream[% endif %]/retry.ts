export const RETRIED_STATUSES = new Set([429, 502, 503, 504]);

/** Full jitter: clients that failed together do not come back together. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(1000, 50 * 2 ** attempt);
}
