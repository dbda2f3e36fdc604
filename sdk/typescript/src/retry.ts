import { NexusConnectionError, NexusError, NexusTimeoutError } from './errors.js';

/** The longest wait that is obeyed, in milliseconds: whoever is asked to wait longer decides for themselves. */
const LONGEST_WAIT = 60_000;
const FIRST_WAIT = 500;
const MOST_BACKOFF = 8_000;

/** Answers about an agent, not about NEXUS: asking again brings the same. */
const FINAL = new Set(['AGENT_OFFLINE', 'PROTOCOL_ERROR']);

/** Milliseconds before the `n`th repetition, from 1: doubled each time, less up to half of it at random. */
export function backoff(n: number, random: number): number {
  return Math.min(FIRST_WAIT * 2 ** (n - 1), MOST_BACKOFF) * (1 - random / 2);
}

/**
 * Milliseconds to wait before sending a request again; `undefined` where that is of no use or could do harm.
 * `harmless`: sent twice, it happens once.
 */
export function waitBeforeRetry(error: unknown, n: number, harmless: boolean, random: number): number | undefined {
  if (!(error instanceof NexusError) || FINAL.has(error.code)) return undefined;
  // With Retry-After a 409 says that the first is still at work; without, that things are as they are.
  const inFlight = error.status === 409 && error.retryAfter !== undefined;
  const notSent = error instanceof NexusConnectionError && !error.sent;
  const nothingHappened = error.status === 429 || inFlight || notSent;
  const unknown =
    error instanceof NexusConnectionError || error instanceof NexusTimeoutError || [502, 503, 504].includes(error.status);
  if (!nothingHappened && !(unknown && harmless)) return undefined;
  const asked = error.retryAfter === undefined ? 0 : error.retryAfter * 1000;
  if (asked > LONGEST_WAIT) return undefined;
  return asked + backoff(n, random) * (asked > 0 ? 0.2 : 1);
}
