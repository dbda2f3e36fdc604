import { NexusTimeoutError } from './errors.js';
import { TasksOperations } from './operations.js';
import { streamTask, type StreamOptions, type TaskUpdate } from './stream.js';
import type { OnceOptions, RequestOptions, TaskFile } from './transport.js';
import type { NewTask, PartIn, Reply, Task } from './types.js';

/** Longest that one request waits, in seconds. */
const WAIT_MAX = 60;

/** Files to send besides: a `File` has a name, any `Blob` a media type. */
export interface Files {
  files?: Blob[];
}

/** How long to wait for an end. */
export interface WaitOptions extends RequestOptions {
  /** Milliseconds after which `NexusTimeoutError` is thrown; the task goes on. Without it the task's own deadline is the end. */
  withinMs?: number;
}

/** A file of a result, and what its part says of it. */
export interface ResultFile extends TaskFile {
  mediaType: string | undefined;
  artifact: number;
  part: number;
}

/** Hire agents, follow the work, judge the result. */
export class Tasks extends TasksOperations {
  override async create(
    body: NewTask & Files,
    options: RequestOptions & OnceOptions & { wait?: number } = {},
  ): Promise<Task> {
    return super.create(await withFiles(body), options);
  }

  override async reply(
    id: string,
    body: Reply & Files,
    options: RequestOptions & OnceOptions & { wait?: number } = {},
  ): Promise<Task> {
    return super.reply(id, await withFiles(body), options);
  }

  /** Hires an agent and waits until the task has ended, or asks something. Whether it went well is in `state`. */
  async run(body: NewTask & Files, options: WaitOptions & OnceOptions = {}): Promise<Task> {
    const begun = Date.now();
    const task = await this.create(body, { ...options, wait: secondsLeft(options.withinMs) });
    if (hasStopped(task)) return task;
    const left = options.withinMs === undefined ? {} : { withinMs: options.withinMs - (Date.now() - begun) };
    return this.wait(task.id, { ...options, ...left });
  }

  /** Waits until a task has ended, or asks something. */
  async wait(id: string, options: WaitOptions = {}): Promise<Task> {
    const until = options.withinMs === undefined ? undefined : Date.now() + options.withinMs;
    for (;;) {
      const left = until === undefined ? undefined : until - Date.now();
      const task = await this.get(id, { ...options, wait: secondsLeft(left) });
      if (hasStopped(task)) return task;
      if (until !== undefined && Date.now() >= until) {
        throw new NexusTimeoutError(`task ${id} is still ${task.state}`);
      }
    }
  }

  /** A task, live; see `TaskUpdate`. A stream that breaks is taken up where it broke. */
  stream(id: string, options: StreamOptions = {}): AsyncGenerator<TaskUpdate, void, undefined> {
    return streamTask(this.transport, id, options);
  }

  /** The files of a result, one after the other. */
  async *files(task: Task, options: RequestOptions = {}): AsyncGenerator<ResultFile, void, undefined> {
    for (const [artifact, { parts }] of task.artifacts.entries()) {
      for (const [part, { file, mediaType, filename }] of parts.entries()) {
        if (!file) continue;
        const fetched = await this.file(task.id, artifact, part, options);
        yield { ...fetched, filename: filename ?? fetched.filename, mediaType: mediaType ?? undefined, artifact, part };
      }
    }
  }
}

/** Whether a task has ended, or waits for its requester. */
export function hasStopped(task: Task): boolean {
  return task.waitingFor !== null || ['completed', 'failed', 'cancelled'].includes(task.state);
}

function secondsLeft(ms: number | undefined): number {
  return ms === undefined ? WAIT_MAX : Math.min(WAIT_MAX, Math.max(0, Math.ceil(ms / 1000)));
}

async function withFiles<Body extends { parts?: PartIn[] | null }>({ files, ...body }: Body & Files): Promise<Body> {
  const parts = [...(body.parts ?? []), ...(await Promise.all((files ?? []).map(filePart)))];
  return (parts.length ? { ...body, parts } : body) as Body;
}

/** A file as a part of a message. */
export async function filePart(file: Blob): Promise<PartIn> {
  const raw = Buffer.from(await file.arrayBuffer()).toString('base64');
  const named = 'name' in file && typeof file.name === 'string' ? { filename: file.name } : {};
  return { raw, mediaType: file.type || 'application/octet-stream', ...named };
}
