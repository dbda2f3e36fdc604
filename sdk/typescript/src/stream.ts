import { setTimeout as sleep } from 'node:timers/promises';

import { NexusConnectionError, NexusError, NexusTimeoutError } from './errors.js';
import { EventParser, type ServerSentEvent } from './events.js';
import { waitBeforeRetry } from './retry.js';
import { segment, type Transport } from './transport.js';
import type { Task } from './types.js';

/** Something that happened to a task. */
export interface TaskEvent {
  /** From 1, without gaps. */
  seq: number;
  /** `created`, `assigned`, `running`, `progress`, `artifact`, `asks`, `reply`, `retry`, `completed`, `failed`, … */
  kind: string;
  data: Record<string, unknown>;
  at: string;
}

/** What a stream tells: the task as it is at first, each event, the task as it ended. */
export type TaskUpdate =
  | { type: 'snapshot'; id: number; task: Task }
  | { type: 'event'; id: number; event: TaskEvent }
  | { type: 'end'; id: number; task: Task };

/** How a stream is read. */
export interface StreamOptions {
  /** The number of the last event that was seen: what came after it follows, without a snapshot. */
  after?: number;
  signal?: AbortSignal;
  /** Milliseconds of silence after which a stream is taken for broken; NEXUS says something every 15 seconds. 45,000 when left out. */
  silenceMs?: number;
}

/** How often in a row a stream may be opened without news. */
const MOST_OPENINGS = 6;

/** A task, live. A stream that breaks is taken up where it broke: nothing is left out, nothing comes twice. */
export async function* streamTask(
  transport: Transport,
  id: string,
  options: StreamOptions,
): AsyncGenerator<TaskUpdate, void, undefined> {
  let last = options.after;
  for (let idle = 1; ; idle += 1) {
    let failure: unknown = new NexusConnectionError('the stream ended before the task');
    try {
      for await (const sent of events(transport, id, last, options)) {
        const update = read(sent);
        if (!update || (update.type === 'event' && last !== undefined && update.id <= last)) continue;
        idle = 0;
        last = update.id;
        yield update;
        if (update.type === 'end') return;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      failure = error;
    }
    const wait = idle < MOST_OPENINGS ? waitBeforeRetry(failure, Math.max(idle, 1), true, Math.random()) : undefined;
    if (wait === undefined) throw failure;
    await sleep(wait, undefined, { signal: options.signal });
  }
}

async function* events(transport: Transport, id: string, last: number | undefined, options: StreamOptions) {
  const silence = new AbortController();
  const clock = setTimeout(() => silence.abort(), options.silenceMs ?? 45_000);
  const signal = options.signal ? AbortSignal.any([options.signal, silence.signal]) : silence.signal;
  try {
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (last !== undefined) headers['last-event-id'] = String(last);
    const response = await transport.open({ method: 'GET', path: `/tasks/${segment(id)}/stream`, headers }, signal);
    const parser = new EventParser();
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      clock.refresh();
      yield* parser.push(decoder.decode(chunk as Uint8Array, { stream: true }));
    }
  } catch (error) {
    if (error instanceof NexusError || options.signal?.aborted) throw error;
    if (silence.signal.aborted) throw new NexusTimeoutError('the stream fell silent', { cause: error });
    throw new NexusConnectionError('the stream broke', true, { cause: error });
  } finally {
    clearTimeout(clock);
    silence.abort();
  }
}

function read(sent: ServerSentEvent): TaskUpdate | undefined {
  const id = Number(sent.id);
  switch (sent.type) {
    case 'snapshot':
    case 'end':
      return { type: sent.type, id, task: JSON.parse(sent.data) as Task };
    case 'event':
      return { type: 'event', id, event: JSON.parse(sent.data) as TaskEvent };
    default:
      return undefined;
  }
}
