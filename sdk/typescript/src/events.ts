/** A server-sent event (WHATWG HTML, section 9.2). */
export interface ServerSentEvent {
  type: string;
  id: string;
  data: string;
}

/**
 * Reads server-sent events as they come. What is not whole when the stream ends is no event, so that it is asked for
 * again and not seen by halves.
 */
export class EventParser {
  private rest = '';
  private type = '';
  private data: string[] = [];
  private id = '';

  /** The events that `chunk` completes. */
  push(chunk: string): ServerSentEvent[] {
    const found: ServerSentEvent[] = [];
    this.rest += chunk;
    for (;;) {
      const end = /\r\n|\n|\r/.exec(this.rest);
      // A CR at the very end may be half of a CRLF.
      if (!end || (end[0] === '\r' && end.index + 1 === this.rest.length)) return found;
      const line = this.rest.slice(0, end.index);
      this.rest = this.rest.slice(end.index + end[0].length);
      const event = this.take(line);
      if (event) found.push(event);
    }
  }

  private take(line: string): ServerSentEvent | undefined {
    if (line === '') return this.dispatch();
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === 'event') this.type = value ?? '';
    else if (field === 'data') this.data.push(value ?? '');
    else if (field === 'id' && !value?.includes('\0')) this.id = value ?? '';
    return undefined;
  }

  private dispatch(): ServerSentEvent | undefined {
    const event = { type: this.type || 'message', id: this.id, data: this.data.join('\n') };
    const said = this.data.length > 0;
    this.type = '';
    this.data = [];
    return said ? event : undefined;
  }
}
