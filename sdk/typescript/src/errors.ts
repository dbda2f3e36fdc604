/** A field that NEXUS refused, and why. */
export interface FieldError {
  field: string;
  message: string;
}

/** What NEXUS said, as far as it said anything. */
export interface Refusal {
  /** What programs decide by: `VALIDATION_ERROR`, `AGENT_OFFLINE`, … */
  code: string;
  /** For people; may change. */
  message: string;
  /** Fields of a validation error, sums of a refused hold, else `null`. */
  details: unknown;
  /** The HTTP status; 0 where there was no answer. */
  status: number;
  /** What the operators of the server find this request by. */
  requestId: string | undefined;
  /** How many seconds NEXUS asked to wait. */
  retryAfter: number | undefined;
}

/** Everything that this SDK throws, but for errors of the caller's own signal. */
export class NexusError extends Error implements Refusal {
  readonly code: string;
  readonly details: unknown;
  readonly status: number;
  readonly requestId: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal.message, options);
    this.name = new.target.name;
    this.code = refusal.code;
    this.details = refusal.details;
    this.status = refusal.status;
    this.requestId = refusal.requestId;
    this.retryAfter = refusal.retryAfter;
  }
}

/** 400: `fields` says which. */
export class ValidationError extends NexusError {
  get fields(): FieldError[] {
    return Array.isArray(this.details) ? (this.details as FieldError[]) : [];
  }
}

/** 401: no key, or one that does not work. */
export class AuthenticationError extends NexusError {}

/** 402: `needed` and `available` are credits with two decimals. */
export class InsufficientCreditsError extends NexusError {
  get needed(): string | undefined {
    return (this.details as { needed?: string } | null)?.needed;
  }

  get available(): string | undefined {
    return (this.details as { available?: string } | null)?.available;
  }
}

/** 403: the key may not, or a limit of its own or of the account stands in the way. */
export class PermissionDeniedError extends NexusError {}

/** 404: not there, or not yours. */
export class NotFoundError extends NexusError {}

/** 409: the state of things does not allow it. */
export class ConflictError extends NexusError {}

/** 412: it has changed since it was read. */
export class StaleError extends NexusError {}

/** 422: the idempotency key was used for another request. */
export class IdempotencyConflictError extends NexusError {}

/** 429, also after waiting. */
export class RateLimitError extends NexusError {}

/** The agent takes no work just now. */
export class AgentOfflineError extends NexusError {}

/** An agent did not answer, or not in its protocol: the message says what was wrong. */
export class AgentProtocolError extends NexusError {}

/** A fault of the server, or of what stands before it. */
export class ServerError extends NexusError {}

/** NEXUS was not reached, or the connection broke before its answer was whole. */
export class NexusConnectionError extends NexusError {
  /** `sent`: whether the request may have reached NEXUS. */
  constructor(
    message: string,
    readonly sent = true,
    options?: ErrorOptions,
  ) {
    super({ code: 'CONNECTION', message, details: null, status: 0, requestId: undefined, retryAfter: undefined }, options);
  }
}

/** It took longer than the caller allowed. What was asked for may still happen. */
export class NexusTimeoutError extends NexusError {
  constructor(message: string, options?: ErrorOptions) {
    super({ code: 'TIMEOUT', message, details: null, status: 0, requestId: undefined, retryAfter: undefined }, options);
  }
}

const BY_CODE: Record<string, typeof NexusError> = {
  AGENT_OFFLINE: AgentOfflineError,
  PROTOCOL_ERROR: AgentProtocolError,
};

const BY_STATUS: Record<number, typeof NexusError> = {
  400: ValidationError,
  401: AuthenticationError,
  402: InsufficientCreditsError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  412: StaleError,
  422: IdempotencyConflictError,
  429: RateLimitError,
};

/** The error of an answer. A body that is not NEXUS's comes from something before it. */
export function errorOf(status: number, headers: Headers, body: string): NexusError {
  const said = read(body);
  const refusal: Refusal = {
    code: said?.code ?? 'UNEXPECTED_ANSWER',
    message: said?.message ?? `HTTP ${status} without an answer of NEXUS`,
    details: said?.details ?? null,
    status,
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfter: secondsToWait(headers.get('retry-after'), Date.now()),
  };
  const kind = BY_CODE[refusal.code] ?? BY_STATUS[status] ?? (status >= 500 ? ServerError : NexusError);
  return new kind(refusal);
}

function read(body: string): Partial<Refusal> | undefined {
  try {
    return (JSON.parse(body) as { error?: Partial<Refusal> } | null)?.error;
  } catch {
    return undefined;
  }
}

/** `Retry-After`: seconds or a date (RFC 9110, section 10.2.3). */
export function secondsToWait(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
