export { Nexus, type NexusOptions } from './client.js';
export * from './errors.js';
export { Pages, type PageBody } from './pages.js';
export type { StreamOptions, TaskEvent, TaskUpdate } from './stream.js';
export { filePart, hasStopped, type Files, type ResultFile, type WaitOptions } from './tasks.js';
export { etagOf, type MatchOptions, type OnceOptions, type RequestOptions, type TaskFile } from './transport.js';
export type * from './types.js';
export {
  SignatureError,
  sign,
  verifySignature,
  verifyWebhook,
  type IncomingHeaders,
  type VerifyOptions,
  type WebhookEvent,
} from './webhooks.js';
